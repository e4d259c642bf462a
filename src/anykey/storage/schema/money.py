"""Who pays: budgets, charges, the double-entry ledger, codes and rate cards. Amounts are nano-USD."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, LargeBinary, Table, Text, UniqueConstraint, false

from anykey.storage.schema.types import BIG, metadata

budgets = Table(
    "budgets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("limit_nano", BIG, nullable=False),
    Column("spent_nano", BIG, nullable=False, server_default="0"),
    Column("held_nano", BIG, nullable=False, server_default="0"),
    Column("oldest_ms", BIG),
    UniqueConstraint("owner_kind", "owner", "period"),
    CheckConstraint("spent_nano >= 0 AND held_nano >= 0", name="budgets_not_negative"),
)

budget_slices = Table(
    "budget_slices",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("slice_ms", BIG, primary_key=True),
    Column("spent_nano", BIG, nullable=False),
)

charges = Table(
    "charges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BIG, nullable=False),
    Column("settled_at", BIG),
    Column("state", Text, nullable=False),
    Column("process", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("team", Text),
    Column("member_id", Text),
    Column("account", Text, nullable=False),
    Column("budgets", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("client_protocol", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("deployment", Text),
    Column("reserved_nano", BIG, nullable=False),
    Column("cost_nano", BIG, nullable=False, server_default="0"),
    Column("uncollected_nano", BIG, nullable=False, server_default="0"),
    Column("basis", Text),
    Column("price_id", Text),
    Column("lines", Text),
)
Index("charges_by_time", charges.c.at)
_unsettled = charges.c.state.in_(("open", "unknown"))
Index("charges_unsettled", charges.c.state, charges.c.process, sqlite_where=_unsettled, postgresql_where=_unsettled)

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", BIG, nullable=False),
    Column("started_ms", BIG, nullable=False),
    Column("beat_ms", BIG, nullable=False),
)

balances = Table(
    "balances",
    metadata,
    Column("account", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("organisation", Text),
    *(
        Column(name, BIG, nullable=False, server_default="0")
        for name in ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    ),
    CheckConstraint(
        "kind <> 'credit' OR credits_posted - debits_posted - debits_pending >= 0", name="credit_not_negative"
    ),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BIG, nullable=False),
    Column("kind", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount_nano", BIG, nullable=False),
    Column("organisation", Text),
    Column("reference", Text, unique=True),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    CheckConstraint("amount_nano > 0 AND debit <> credit", name="transfers_move_something"),
)
Index("transfers_by_time", transfers.c.at)

codes = Table(
    "codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("batch", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("last4", Text, nullable=False),
    Column("amount_nano", BIG, nullable=False),
    Column("bonus", Boolean, nullable=False, server_default=false()),
    Column("uses_max", BIG, nullable=False, server_default="1"),
    Column("uses", BIG, nullable=False, server_default="0"),
    Column("expires_at", BIG),
    Column("created_at", BIG, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", BIG),
    Column("note", Text),
    CheckConstraint("uses >= 0 AND uses <= uses_max", name="codes_not_overused"),
)
Index("codes_by_batch", codes.c.batch)

code_uses = Table(
    "code_uses",
    metadata,
    Column("code_id", Text, primary_key=True),
    Column("organisation", Text, primary_key=True),
    Column("at", BIG, nullable=False),
    Column("transfer_id", Text, nullable=False),
)

rate_cards = Table(
    "rate_cards",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", BIG, primary_key=True),
    Column("model", Text, nullable=False),
    *(Column(name, Text) for name in ("provider", "lane", "region", "tier")),
    Column("effective_from", BIG, nullable=False),
    Column("rates", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", BIG, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("withdrawn_at", BIG),
)
