"""The tables as the newest migration leaves them (a test compares the two)."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, false

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
    Column("strict", Boolean, nullable=False, server_default=false()),
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
    Column("loss_details", Text),  # a JSON array of losses (storage/loss_details.py), NULL for none
)
Index("exchanges_by_time", exchanges.c.at)

# What the Responses protocol keeps on the server, by key. The only tables that hold what was said; read and written by
# storage/responses.py and storage/conversations.py without SQLAlchemy.
responses = Table(
    "responses",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("previous_id", Text),
    Column("conversation_id", Text),
    Column("deployment", Text),
    Column("background", Boolean, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("input", LargeBinary, nullable=False),
    Column("events", LargeBinary, nullable=False),
)
Index("responses_by_end", responses.c.expires_at)
Index("responses_by_previous", responses.c.key_id, responses.c.previous_id)
Index("responses_unfinished", responses.c.status, sqlite_where=responses.c.status.in_(("queued", "in_progress")))

response_items = Table(
    "response_items",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("response_id", Text, nullable=False),
)
Index("response_items_by_response", response_items.c.key_id, response_items.c.response_id)

conversations = Table(
    "conversations",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("metadata", Text, nullable=False),
)
Index("conversations_by_end", conversations.c.expires_at)

conversation_items = Table(
    "conversation_items",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("item", LargeBinary, nullable=False),
)
Index("conversation_items_in_order", *(conversation_items.c[n] for n in ("key_id", "conversation_id", "position")))
