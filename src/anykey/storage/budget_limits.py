"""The limits of budgets: what operators set. What is spent and held of them is the ledger's, in the same rows.

A budget that is taken away keeps its row, with a limit that nothing reaches: calls that are under way still give back what they
hold, and a limit that comes again finds what was spent.
"""

from collections.abc import Mapping

from anykey.accounts.purse import PERIODS, Budget, OwnerKind, Period, budget_id, in_order
from anykey.storage.database import Connection

NO_LIMIT_NANO = 2**63 - 1
_ALL = "SELECT id, owner_kind, owner, period, limit_nano FROM budgets WHERE limit_nano < ?"
_SET = """INSERT INTO budgets (id, owner_kind, owner, period, limit_nano) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET limit_nano = excluded.limit_nano"""


def read_budgets(connection: Connection) -> dict[tuple[OwnerKind, str], tuple[Budget, ...]]:
    """All that are in force, by whose they are."""
    found: dict[tuple[OwnerKind, str], tuple[Budget, ...]] = {}
    for row in connection.execute(_ALL, (NO_LIMIT_NANO,)):
        budget = Budget(*row)
        owner = (budget.owner_kind, budget.owner)
        found[owner] = in_order((*found.get(owner, ()), budget))
    return found


def set_limits(connection: Connection, owner_kind: OwnerKind, owner: str, limits: Mapping[Period, int | None]) -> None:
    """Set the limits of these periods, in nano-USD; None takes one away. The other periods stay as they are."""
    for period in PERIODS:
        if period in limits:
            limit = limits[period]
            values = (budget_id(owner_kind, owner, period), owner_kind, owner, period)
            connection.execute(_SET, (*values, NO_LIMIT_NANO if limit is None else limit))
