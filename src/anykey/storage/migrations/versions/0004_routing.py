"""What routing remembers: stored credentials, gateway configs, health, pinned and discovered models, more of each call."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the columns and tables."""
    for column in ("group_name", "team", "allowed_models", "config", "metadata"):
        op.add_column("api_keys", sa.Column(column, sa.Text))
    op.add_column("api_keys", sa.Column("admin", sa.Boolean, nullable=False, server_default=sa.false()))
    for column in ("trace_id", "group_name", "scenario", "metadata", "route", "attempt_details"):
        op.add_column("exchanges", sa.Column(column, sa.Text))
    op.create_table("configuration_generation", sa.Column("value", BIG, nullable=False))
    op.execute("INSERT INTO configuration_generation (value) VALUES (0)")
    op.create_table(
        "credentials",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("weight", BIG, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("port", BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("last4", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.UniqueConstraint("provider", "label"),
    )
    op.create_table(
        "configs",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", BIG, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
    )
    op.create_table(
        "health",
        sa.Column("deployment", sa.Text, primary_key=True),
        sa.Column("credential", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("until_ms", BIG),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changed_ms", BIG, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    op.create_table(
        "provider_models",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("seen_at", BIG),
        sa.Column("facts", sa.Text),
    )
    op.create_table(
        "model_facts",
        sa.Column("vendor", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("observed_on", sa.Text, primary_key=True),
        sa.Column("facts", sa.Text, nullable=False),
    )
