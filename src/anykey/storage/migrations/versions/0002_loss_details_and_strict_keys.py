"""The whole list of an exchange's losses, and keys whose calls may lose nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("exchanges", sa.Column("loss_details", sa.Text))
    op.add_column("api_keys", sa.Column("strict", sa.Boolean, nullable=False, server_default=sa.false()))
