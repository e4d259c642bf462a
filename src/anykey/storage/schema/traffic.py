"""What the gateway serves by and what it remembers of calls."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, Table, Text, UniqueConstraint, false

from anykey.storage.schema.types import BIG, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", BIG, nullable=False),
    Column("revoked_at", BIG),
    Column("strict", Boolean, nullable=False, server_default=false()),
    *(Column(name, Text) for name in ("group_name", "team", "allowed_models", "config", "metadata")),
    Column("admin", Boolean, nullable=False, server_default=false()),
    *(Column(name, Text) for name in ("member_id", "ip_allow", "ip_deny", "logging")),
    Column("organisation", Text, nullable=False, server_default="default"),
    *(Column(name, BIG) for name in ("expires_at", "requests_per_minute", "tokens_per_minute", "concurrency")),
    Column("logging_days", BIG),
    Column("previous_digest", LargeBinary),
    Column("previous_until", BIG),
)

# One row. Every change of a key adds one, which is how a running server notices (storage/watch.py).
key_generation = Table("key_generation", metadata, Column("value", BIG, nullable=False))

# No foreign key to api_keys: a usage row outlives its key, and is written without a lookup.
exchanges = Table(
    "exchanges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BIG, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("client_protocol", Text, nullable=False),
    Column("upstream_protocol", Text),
    Column("provider", Text),
    Column("deployment", Text),
    Column("model_asked", Text, nullable=False),
    Column("model_answered", Text),
    Column("stream", Boolean, nullable=False),
    Column("attempts", BIG, nullable=False),
    Column("input_tokens", BIG, nullable=False),
    Column("cache_read_tokens", BIG, nullable=False),
    Column("cache_write_5m_tokens", BIG, nullable=False),
    Column("cache_write_1h_tokens", BIG, nullable=False),
    Column("output_tokens", BIG, nullable=False),
    Column("reasoning_tokens", BIG, nullable=False),
    Column("usage_source", Text, nullable=False),
    Column("finish", Text),
    Column("status", BIG, nullable=False),
    Column("failure", Text),
    Column("losses", Text, nullable=False),
    Column("first_token_ms", BIG),
    Column("total_ms", BIG, nullable=False),
    Column("loss_details", Text),  # a JSON array of losses (storage/loss_details.py), NULL for none
    Column("trace_id", Text),
    Column("group_name", Text),
    Column("scenario", Text),
    Column("metadata", Text),  # a JSON object of texts
    Column("route", Text),  # which rule understood the model's name
    Column("attempt_details", Text),  # a JSON array of attempts, NULL where the first one answered
    *(Column(name, Text) for name in ("organisation", "team", "member_id", "cost_basis", "price_id")),
    Column("cost_nano", BIG),
)
Index("exchanges_by_time", exchanges.c.at)
Index("exchanges_by_key", exchanges.c.key_id, exchanges.c.at)

# What was said in calls of keys that are logged in full; both texts are sealed (storage/exchange_bodies.py).
exchange_bodies = Table(
    "exchange_bodies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("at", BIG, nullable=False),
    Column("expires_at", BIG, nullable=False),
    Column("status", BIG, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("request_bytes", BIG, nullable=False),
    Column("answer_bytes", BIG, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
Index("exchange_bodies_by_end", exchange_bodies.c.expires_at)
Index("exchange_bodies_by_key", exchange_bodies.c.key_id, exchange_bodies.c.at)

# What the Responses protocol keeps on the server, by key. What was said stands here in clear; read and written by
# storage/responses.py and storage/conversations.py without SQLAlchemy.
responses = Table(
    "responses",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created_at", BIG, nullable=False),
    Column("expires_at", BIG, nullable=False),
    Column("status", Text, nullable=False),
    Column("previous_id", Text),
    Column("conversation_id", Text),
    Column("deployment", Text),
    Column("background", Boolean, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("input", LargeBinary, nullable=False),
    Column("events", LargeBinary, nullable=False),
    Column("process", Text),  # which process works on it, until it is finished
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
    Column("created_at", BIG, nullable=False),
    Column("expires_at", BIG, nullable=False),
    Column("metadata", Text, nullable=False),
)
Index("conversations_by_end", conversations.c.expires_at)

conversation_items = Table(
    "conversation_items",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", BIG, nullable=False),
    Column("item", LargeBinary, nullable=False),
)
Index("conversation_items_in_order", *(conversation_items.c[n] for n in ("key_id", "conversation_id", "position")))

# One row. Every change of a credential, a config or a pinned model adds one, and a running server reads them again.
configuration_generation = Table("configuration_generation", metadata, Column("value", BIG, nullable=False))

# `sealed` is opened with the master key of the data directory, for this id, scheme, host and port alone.
credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("weight", BIG, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", BIG, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", BIG, nullable=False),
    Column("position", BIG, nullable=False, server_default="0"),  # the order in which they were added
    UniqueConstraint("provider", "label"),
)

configs = Table(
    "configs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BIG, primary_key=True),
    Column("body", Text, nullable=False),
    Column("created_at", BIG, nullable=False),
)

# What all processes of this database must agree on, such as a mark of the pepper.
installation = Table(
    "installation", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)

# What is not well: a deployment whose circuit is open, a credential (deployment "") that rests or was refused.
health = Table(
    "health",
    metadata,
    Column("deployment", Text, primary_key=True),
    Column("credential", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("until_ms", BIG),
    Column("reason", Text, nullable=False),
    Column("changed_ms", BIG, nullable=False),
    Column("changed_by", Text, nullable=False),
)

# The models of a configured provider: those it lists itself, and those an operator pinned.
provider_models = Table(
    "provider_models",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("pinned", Boolean, nullable=False),
    Column("seen_at", BIG),
    Column("facts", Text),
    Column("position", BIG, nullable=False, server_default="0"),  # the order in which they were first seen or pinned
)

# What maintained sources say of a model on a day, newer than what is shipped: limits, abilities, prices.
model_facts = Table(
    "model_facts",
    metadata,
    Column("vendor", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("observed_on", Text, primary_key=True),
    Column("facts", Text, nullable=False),
)
