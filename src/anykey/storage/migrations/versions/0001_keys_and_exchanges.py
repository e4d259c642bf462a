"""The first schema: issued keys and one usage row an exchange."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("last4", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("revoked_at", BIG),
    )
    generation = op.create_table("key_generation", sa.Column("value", BIG, nullable=False))
    op.bulk_insert(generation, [{"value": 0}])
    op.create_table("exchanges", *_exchange_columns())
    op.create_index("exchanges_by_time", "exchanges", ["at"])


def _exchange_columns() -> list[sa.Column[str] | sa.Column[int] | sa.Column[bool]]:
    return [
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("client_protocol", sa.Text, nullable=False),
        sa.Column("upstream_protocol", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("deployment", sa.Text),
        sa.Column("model_asked", sa.Text, nullable=False),
        sa.Column("model_answered", sa.Text),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("input_tokens", BIG, nullable=False),
        sa.Column("cache_read_tokens", BIG, nullable=False),
        sa.Column("cache_write_5m_tokens", BIG, nullable=False),
        sa.Column("cache_write_1h_tokens", BIG, nullable=False),
        sa.Column("output_tokens", BIG, nullable=False),
        sa.Column("reasoning_tokens", BIG, nullable=False),
        sa.Column("usage_source", sa.Text, nullable=False),
        sa.Column("finish", sa.Text),
        sa.Column("status", BIG, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("losses", sa.Text, nullable=False),
        sa.Column("first_token_ms", BIG),
        sa.Column("total_ms", BIG, nullable=False),
    ]
