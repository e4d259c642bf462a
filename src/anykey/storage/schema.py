"""The tables as the newest migration leaves them (a test compares the two)."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("revoked_at", Integer),
)

# One row. Every change of a key adds one, which is how a running server notices (storage/watch.py).
key_generation = Table("key_generation", metadata, Column("value", Integer, nullable=False))

# No foreign key to api_keys: a usage row outlives its key, and is written without a lookup.
exchanges = Table(
    "exchanges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("client_protocol", Text, nullable=False),
    Column("upstream_protocol", Text),
    Column("provider", Text),
    Column("deployment", Text),
    Column("model_asked", Text, nullable=False),
    Column("model_answered", Text),
    Column("stream", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cache_read_tokens", Integer, nullable=False),
    Column("cache_write_5m_tokens", Integer, nullable=False),
    Column("cache_write_1h_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("usage_source", Text, nullable=False),
    Column("finish", Text),
    Column("status", Integer, nullable=False),
    Column("failure", Text),
    Column("losses", Text, nullable=False),
    Column("first_token_ms", Integer),
    Column("total_ms", Integer, nullable=False),
)
Index("exchanges_by_time", exchanges.c.at)
