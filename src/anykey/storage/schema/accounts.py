"""Who may: organisations, teams, members, the audit log, and what is kept beside a call."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, Table, Text, UniqueConstraint, false

from anykey.storage.schema.types import BIG, metadata

key_uses = Table("key_uses", metadata, Column("key_id", Text, primary_key=True), Column("last_at", BIG, nullable=False))

organisations = Table(
    "organisations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("prepaid", Boolean, nullable=False, server_default=false()),
    Column("allowed_models", Text),
    Column("low_balance_nano", BIG),
    Column("created_at", BIG, nullable=False),
    Column("closed_at", BIG),
)

teams = Table(
    "teams",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("allowed_models", Text),
    Column("created_at", BIG, nullable=False),
    Column("closed_at", BIG),
)

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("team", Text),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("role", Text, nullable=False),
    Column("created_at", BIG, nullable=False),
    Column("removed_at", BIG),
    UniqueConstraint("organisation", "name"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("at", BIG, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("organisation", Text),
    Column("before", Text),
    Column("after", Text),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# One row: the number and the hash of the newest entry. Who appends takes it first, which is what puts entries in one line.
audit_head = Table(
    "audit_head", metadata, Column("seq", BIG, nullable=False), Column("hash", LargeBinary, nullable=False)
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("process", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("at", BIG, nullable=False),
    Column("expires_at", BIG, nullable=False),
    Column("status", BIG),
    Column("headers", Text),
    Column("body", LargeBinary),
)
Index("idempotency_by_end", idempotency.c.expires_at)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation", Text),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("created_at", BIG, nullable=False),
    Column("disabled_at", BIG),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BIG, nullable=False),
    Column("tries", BIG, nullable=False, server_default="0"),
    Column("next_at", BIG),
    Column("delivered_at", BIG),
    Column("last_status", Text),
)
Index("deliveries_due", deliveries.c.next_at)

rate_windows = Table(
    "rate_windows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slice_ms", BIG, primary_key=True),
    Column("used", BIG, nullable=False),
)

rate_leases = Table(
    "rate_leases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("process", Text, primary_key=True),
    Column("held", BIG, nullable=False),
    Column("until_ms", BIG, nullable=False),
)
