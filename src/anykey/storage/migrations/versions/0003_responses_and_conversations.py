"""Responses, the whereabouts of their items, and conversations: what the Responses protocol keeps on the server."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "responses",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("previous_id", sa.Text),
        sa.Column("conversation_id", sa.Text),
        sa.Column("deployment", sa.Text),
        sa.Column("background", sa.Boolean, nullable=False),
        sa.Column("response", sa.LargeBinary, nullable=False),
        sa.Column("input", sa.LargeBinary, nullable=False),
        sa.Column("events", sa.LargeBinary, nullable=False),
    )
    op.create_index("responses_by_end", "responses", ["expires_at"])
    op.create_index("responses_by_previous", "responses", ["key_id", "previous_id"])
    unfinished = sa.text("status IN ('queued', 'in_progress')")
    op.create_index("responses_unfinished", "responses", ["status"], sqlite_where=unfinished)
    op.create_table(
        "response_items",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("response_id", sa.Text, nullable=False),
    )
    op.create_index("response_items_by_response", "response_items", ["key_id", "response_id"])
    op.create_table(
        "conversations",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
    )
    op.create_index("conversations_by_end", "conversations", ["expires_at"])
    op.create_table(
        "conversation_items",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("conversation_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("position", BIG, nullable=False),
        sa.Column("item", sa.LargeBinary, nullable=False),
    )
    order = ["key_id", "conversation_id", "position"]
    op.create_index("conversation_items_in_order", "conversation_items", order)
