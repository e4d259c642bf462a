"""The ledger as a whole: its sums for the checker, its entries for people, the charges that nobody has settled.
Amounts are nano-USD.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import case, literal, select

from anykey.accounts.ledger import CREDIT, REVENUE, BalanceSums, BudgetSums, Rule, kind_of, rules
from anykey.storage.database import Connection, Database
from anykey.storage.engine import transaction
from anykey.storage.paging import Page, one_page, page_from
from anykey.storage.schema import charges, transfers

_TRANSFERS = """SELECT debit, credit, SUM(amount_nano) FROM transfers GROUP BY debit, credit"""
_CHARGES = """SELECT account, state, SUM(reserved_nano), SUM(cost_nano - uncollected_nano), SUM(cost_nano), COUNT(*)
FROM charges GROUP BY account, state"""
_BALANCES = "SELECT account, debits_pending, debits_posted, credits_pending, credits_posted FROM balances"
_BUDGETS = "SELECT id, period, spent_nano, held_nano FROM budgets"
_SLICES = "SELECT budget_id, SUM(spent_nano) FROM budget_slices GROUP BY budget_id"
_BY_BUDGETS = """SELECT budgets, SUM(CASE WHEN state IN ('open', 'unknown') THEN reserved_nano ELSE 0 END), SUM(cost_nano)
FROM charges GROUP BY budgets"""
_USAGE = """SELECT COALESCE(SUM(charges.cost_nano), 0), COALESCE(SUM(exchanges.cost_nano), 0) FROM charges
JOIN exchanges ON exchanges.id = charges.id WHERE charges.state = 'settled'"""


class Totals(msgspec.Struct, frozen=True):
    """What a check of the whole ledger found. `rules` are all that was compared, right or wrong; `charges` counts them by state;
    `settled_nano` is what all charges that are still there came to, `collected_nano` what of it was paid."""

    rules: tuple[Rule, ...]
    balances: tuple[BalanceSums, ...]
    charges: Mapping[str, int]
    settled_nano: int
    collected_nano: int

    @property
    def broken(self) -> list[Rule]:
        """The rules that do not hold."""
        return [rule for rule in self.rules if not rule.holds]


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of money: a transfer, or the settled charge of a call (`kind` call). `about` is a transfer's reference or a
    call's model."""

    id: str
    at: int
    kind: str
    debit: str
    credit: str
    amount_nano: int
    organisation: str | None
    about: str | None


class OpenCharge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that is not settled. `at` is Unix milliseconds."""

    id: str
    at: int
    state: Literal["open", "unknown"]
    process: str
    key_id: str
    organisation: str
    account: str
    client: str
    model: str
    deployment: str | None
    price_id: str | None
    reserved_nano: int


def totals(connection: Connection) -> Totals:
    """Reckon everything anew from transfers, charges and slices. Call it on one moment of the database (reading_whole)."""
    reckoned: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    folded = False
    for debit, credit, amount in connection.execute(_TRANSFERS):
        reckoned[debit][1] += amount
        reckoned[credit][3] += amount
        folded |= credit == REVENUE
    counts: dict[str, int] = {}
    settled = collected = 0
    for account, state, reserved, paid, cost, count in connection.execute(_CHARGES):
        counts[state] = counts.get(state, 0) + count
        if state == "settled":
            reckoned[account][1] += paid
            reckoned[REVENUE][3] += paid
            settled, collected = settled + cost, collected + paid
        elif state != "void" and kind_of(account) == CREDIT:
            reckoned[account][0] += reserved
    kept = {row[0]: tuple(row[1:]) for row in connection.execute(_BALANCES)}
    balances = [
        BalanceSums(account, kept.get(account, (0, 0, 0, 0)), _four(reckoned.get(account, [0, 0, 0, 0])))
        for account in sorted(kept.keys() | reckoned.keys())
    ]
    found = rules(balances, _budgets(connection, folded=folded))
    in_charges, in_usage = connection.execute(_USAGE).fetchone()
    found.append(Rule("usage", "", in_usage, in_charges))
    return Totals(tuple(found), tuple(balances), counts, settled, collected)


def list_entries(
    database: Database, organisation: str | None, cursor: str | None = None, limit: int = 100
) -> Page[LedgerEntry]:
    """The movements of money, the newest first; `organisation` None: of all. A call stands where it began."""
    of_calls = select(
        charges.c.id,
        charges.c.at,
        literal("call").label("kind"),
        charges.c.account.label("debit"),
        literal(REVENUE).label("credit"),
        (charges.c.cost_nano - charges.c.uncollected_nano).label("amount_nano"),
        charges.c.organisation,
        charges.c.model.label("about"),
    ).where(charges.c.state == "settled", charges.c.cost_nano > charges.c.uncollected_nano)
    of_transfers = select(
        transfers.c.id,
        transfers.c.at,
        transfers.c.kind,
        transfers.c.debit,
        transfers.c.credit,
        transfers.c.amount_nano,
        transfers.c.organisation,
        case((transfers.c.reference.is_(None), transfers.c.note), else_=transfers.c.reference).label("about"),
    )
    rows: list[LedgerEntry] = []
    with transaction(database) as connection:
        for query, table in ((of_calls, charges), (of_transfers, transfers)):
            one: Any = query if organisation is None else query.where(table.c.organisation == organisation)
            paged = one_page(one, (table.c.at, table.c.id), cursor, limit, descending=True)
            rows += [LedgerEntry(**row) for row in connection.execute(paged).mappings()]
    rows.sort(key=lambda row: (row.at, row.id), reverse=True)
    return page_from(rows, lambda row: (row.at, row.id), limit)


def list_unsettled(
    database: Database, organisation: str | None, cursor: str | None = None, limit: int = 100
) -> Page[OpenCharge]:
    """The charges that are open or unknown, the oldest first."""
    query = select(*(charges.c[name] for name in OpenCharge.__struct_fields__)).where(
        charges.c.state.in_(("open", "unknown"))
    )
    if organisation is not None:
        query = query.where(charges.c.organisation == organisation)
    paged = one_page(query, (charges.c.at, charges.c.id), cursor, limit)
    with transaction(database) as connection:
        rows = [OpenCharge(**row) for row in connection.execute(paged).mappings()]
    return page_from(rows, lambda row: (row.at, row.id), limit)


def _budgets(connection: Connection, *, folded: bool) -> list[BudgetSums]:
    slices = dict(connection.execute(_SLICES))
    held: dict[str, int] = defaultdict(int)
    spent: dict[str, int] = defaultdict(int)
    for names, reserved, cost in connection.execute(_BY_BUDGETS):
        for name in msgspec.json.decode(names, type=list[str]):
            held[name] += reserved
            spent[name] += cost
    return [
        BudgetSums(
            budget,
            spent_nano,
            held_nano,
            # A lifetime has no slices; its charges tell as much, while all of them are there.
            slices.get(budget, 0) if period != "lifetime" else None if folded else spent[budget],
            held[budget],
        )
        for budget, period, spent_nano, held_nano in connection.execute(_BUDGETS)
    ]


def _four(sums: list[Any]) -> tuple[int, int, int, int]:
    return sums[0], sums[1], sums[2], sums[3]
