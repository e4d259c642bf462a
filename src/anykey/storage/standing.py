"""How much of its budgets and its wallet somebody has used, and what one call was charged: read, never written.

The till forgets what left a rolling window only when it next looks at the budget; what is read here counts the window as it is at
this moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from anykey.accounts.ledger import Basis, ChargeState, expired_before, leaves_at
from anykey.accounts.purse import Budget
from anykey.storage.charges import BudgetState
from anykey.storage.database import Connection

_BUDGET = "SELECT spent_nano, held_nano, oldest_ms FROM budgets WHERE id = ?"
_WINDOW = "SELECT COALESCE(SUM(spent_nano), 0), MIN(slice_ms) FROM budget_slices WHERE budget_id = ? AND slice_ms > ?"
_CHARGE = """SELECT id, at, settled_at, state, key_id, account, model, deployment, reserved_nano, cost_nano, uncollected_nano,
basis, price_id, lines FROM charges WHERE id = ?"""


class ChargeRow(msgspec.Struct, frozen=True):
    """The money of one call. Times are Unix milliseconds; `lines` is the JSON of the bill's lines, None before it is settled."""

    id: str
    at: int
    settled_at: int | None
    state: ChargeState
    key_id: str
    account: str
    model: str
    deployment: str | None
    reserved_nano: int
    cost_nano: int
    uncollected_nano: int
    basis: Basis | None
    price_id: str | None
    lines: str | None


def budget_states(connection: Connection, budgets: Iterable[Budget], now_ms: int) -> tuple[BudgetState, ...]:
    """How much of each of these budgets is spent and held at `now_ms`."""
    return tuple(_state(connection, budget, now_ms) for budget in budgets)


def find_charge(connection: Connection, charge_id: str) -> ChargeRow | None:
    """The charge of the call with this id; None where there is none, such as for keys that nothing limits."""
    row: Any = connection.execute(_CHARGE, (charge_id,)).fetchone()
    return None if row is None else ChargeRow(*row)


def _state(connection: Connection, budget: Budget, now_ms: int) -> BudgetState:
    row: Any = connection.execute(_BUDGET, (budget.id,)).fetchone()
    if row is None:
        return BudgetState(budget, 0, 0, None)
    spent, held, _ = row
    cutoff = expired_before(budget.period, now_ms)
    if cutoff is None:
        return BudgetState(budget, spent, held, None)
    window: Any = connection.execute(_WINDOW, (budget.id, cutoff)).fetchone()
    oldest = window[1]
    return BudgetState(budget, int(window[0]), held, None if oldest is None else leaves_at(budget.period, oldest))
