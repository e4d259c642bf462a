"""Who may and who pays: organisations, teams, members, limits of keys, budgets, charges, the ledger, codes, rate cards, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the columns and tables."""
    _keys_and_exchanges()
    _responses()
    _order()
    _installation()
    _tenants()
    _money()
    _wallets()
    _codes()
    _rate_cards()
    _beside()
    _webhooks()
    _usage()
    _bodies()


def _keys_and_exchanges() -> None:
    for column in ("member_id", "ip_allow", "ip_deny", "logging"):
        op.add_column("api_keys", sa.Column(column, sa.Text))
    op.add_column("api_keys", sa.Column("organisation", sa.Text, nullable=False, server_default="default"))
    for column in ("expires_at", "requests_per_minute", "tokens_per_minute", "concurrency", "logging_days"):
        op.add_column("api_keys", sa.Column(column, BIG))
    op.add_column("api_keys", sa.Column("previous_digest", sa.LargeBinary))
    op.add_column("api_keys", sa.Column("previous_until", BIG))
    for column in ("organisation", "team", "member_id", "cost_basis", "price_id"):
        op.add_column("exchanges", sa.Column(column, sa.Text))
    op.add_column("exchanges", sa.Column("cost_nano", BIG))
    op.create_index("exchanges_by_key", "exchanges", ["key_id", "at"])
    op.create_table(
        "key_uses", sa.Column("key_id", sa.Text, primary_key=True), sa.Column("last_at", BIG, nullable=False)
    )


def _installation() -> None:
    op.create_table(
        "installation", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )


def _responses() -> None:
    op.add_column("responses", sa.Column("process", sa.Text))


def _order() -> None:
    """What came first is first. SQLite numbered the rows of itself; PostgreSQL has none yet."""
    for table in ("credentials", "provider_models"):
        op.add_column(table, sa.Column("position", BIG, nullable=False, server_default="0"))
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"UPDATE {table} SET position = rowid")  # noqa: S608 - two names of our own


def _tenants() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("prepaid", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("allowed_models", sa.Text),
        sa.Column("low_balance_nano", BIG),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("closed_at", BIG),
    )
    op.execute("INSERT INTO organisations (id, name, created_at) VALUES ('default', 'default', 0)")
    op.create_table(
        "teams",
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("allowed_models", sa.Text),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("closed_at", BIG),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("team", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("removed_at", BIG),
        sa.UniqueConstraint("organisation", "name"),
    )


def _money() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("limit_nano", BIG, nullable=False),
        sa.Column("spent_nano", BIG, nullable=False, server_default="0"),
        sa.Column("held_nano", BIG, nullable=False, server_default="0"),
        sa.Column("oldest_ms", BIG),
        sa.UniqueConstraint("owner_kind", "owner", "period"),
        sa.CheckConstraint("spent_nano >= 0 AND held_nano >= 0", name="budgets_not_negative"),
    )
    op.create_table(
        "budget_slices",
        sa.Column("budget_id", sa.Text, primary_key=True),
        sa.Column("slice_ms", BIG, primary_key=True),
        sa.Column("spent_nano", BIG, nullable=False),
    )
    op.create_table(
        "charges",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("settled_at", BIG),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("team", sa.Text),
        sa.Column("member_id", sa.Text),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("budgets", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("client_protocol", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("deployment", sa.Text),
        sa.Column("reserved_nano", BIG, nullable=False),
        sa.Column("cost_nano", BIG, nullable=False, server_default="0"),
        sa.Column("uncollected_nano", BIG, nullable=False, server_default="0"),
        sa.Column("basis", sa.Text),
        sa.Column("price_id", sa.Text),
        sa.Column("lines", sa.Text),
    )
    op.create_index("charges_by_time", "charges", ["at"])
    unsettled = sa.text("state IN ('open', 'unknown')")
    op.create_index(
        "charges_unsettled", "charges", ["state", "process"], sqlite_where=unsettled, postgresql_where=unsettled
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", BIG, nullable=False),
        sa.Column("started_ms", BIG, nullable=False),
        sa.Column("beat_ms", BIG, nullable=False),
    )


def _wallets() -> None:
    op.create_table(
        "balances",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text),
        *(
            sa.Column(name, BIG, nullable=False, server_default="0")
            for name in ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
        ),
        sa.CheckConstraint(
            "kind <> 'credit' OR credits_posted - debits_posted - debits_pending >= 0", name="credit_not_negative"
        ),
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("debit", sa.Text, nullable=False),
        sa.Column("credit", sa.Text, nullable=False),
        sa.Column("amount_nano", BIG, nullable=False),
        sa.Column("organisation", sa.Text),
        sa.Column("reference", sa.Text, unique=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.CheckConstraint("amount_nano > 0 AND debit <> credit", name="transfers_move_something"),
    )
    op.create_index("transfers_by_time", "transfers", ["at"])


def _codes() -> None:
    op.create_table(
        "codes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("last4", sa.Text, nullable=False),
        sa.Column("amount_nano", BIG, nullable=False),
        sa.Column("bonus", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("uses_max", BIG, nullable=False, server_default="1"),
        sa.Column("uses", BIG, nullable=False, server_default="0"),
        sa.Column("expires_at", BIG),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revoked_at", BIG),
        sa.Column("note", sa.Text),
        sa.CheckConstraint("uses >= 0 AND uses <= uses_max", name="codes_not_overused"),
    )
    op.create_index("codes_by_batch", "codes", ["batch"])
    op.create_table(
        "code_uses",
        sa.Column("code_id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("transfer_id", sa.Text, nullable=False),
    )


def _rate_cards() -> None:
    op.create_table(
        "rate_cards",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", BIG, primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("provider", "lane", "region", "tier")),
        sa.Column("effective_from", BIG, nullable=False),
        sa.Column("rates", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("withdrawn_at", BIG),
    )


def _beside() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target_kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    head = op.create_table(
        "audit_head", sa.Column("seq", BIG, nullable=False), sa.Column("hash", sa.LargeBinary, nullable=False)
    )
    op.bulk_insert(head, [{"seq": 0, "hash": bytes(32)}])
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("status", BIG),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("idempotency_by_end", "idempotency", ["expires_at"])


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("disabled_at", BIG),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("tries", BIG, nullable=False, server_default="0"),
        sa.Column("next_at", BIG),
        sa.Column("delivered_at", BIG),
        sa.Column("last_status", sa.Text),
    )
    op.create_index("deliveries_due", "deliveries", ["next_at"])
    op.create_table(
        "rate_windows",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("slice_ms", BIG, primary_key=True),
        sa.Column("used", BIG, nullable=False),
    )
    op.create_table(
        "rate_leases",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("process", sa.Text, primary_key=True),
        sa.Column("held", BIG, nullable=False),
        sa.Column("until_ms", BIG, nullable=False),
    )


def _usage() -> None:
    texts = (
        *("organisation", "team", "member_id", "key_id", "client", "model_asked", "model_answered"),
        *("provider", "deployment", "group_name", "scenario", "failure", "price_id"),
    )
    counts = (
        *("status_class", "exchanges", "failures", "unpriced", "estimated", "input_tokens", "cache_read_tokens"),
        *("cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "cost_nano"),
        *("generation_tokens", "generation_ms"),
    )
    bars = [f"{column}_{place}" for column in ("first_token_ms", "total_ms") for place in range(0, 20, 2)]
    for table in ("usage_hours", "usage_days"):
        op.create_table(
            table,
            sa.Column("at", BIG, nullable=False),
            *(sa.Column(name, sa.Text) for name in texts),
            *(sa.Column(name, BIG, nullable=False) for name in (*counts, *bars)),
        )
        op.create_index(f"{table}_by_time", table, ["at"])
    marks = op.create_table(
        "usage_marks", sa.Column("name", sa.Text, primary_key=True), sa.Column("at", BIG, nullable=False)
    )
    op.bulk_insert(marks, [{"name": name, "at": 0} for name in ("hours", "days", "calls")])
    op.create_table("usage_late", sa.Column("at", BIG, nullable=False))
    op.create_index("usage_late_by_time", "usage_late", ["at"])


def _bodies() -> None:
    op.create_table(
        "exchange_bodies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("status", BIG, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("request_bytes", BIG, nullable=False),
        sa.Column("answer_bytes", BIG, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_index("exchange_bodies_by_end", "exchange_bodies", ["expires_at"])
    op.create_index("exchange_bodies_by_key", "exchange_bodies", ["key_id", "at"])
