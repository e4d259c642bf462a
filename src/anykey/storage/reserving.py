"""Reservations: whether what calls may cost fits into their budgets and wallets, and holding it there.

The law: never more is held and spent than the limit says, whoever else reserves at the same moment. For a batch of calls each
budget and each wallet is asked once, for the sum, by one conditional statement. Only where a sum does not fit are the calls
looked at one by one, in the order they came, and by then this transaction has the row's lock. Rows are taken in a fixed order
(budgets by id, then accounts by name), so that two processes cannot wait for each other.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

import msgspec

from anykey.accounts.ledger import Room, expired_before, leaves_at, resets_ms
from anykey.accounts.purse import Budget, OwnerKind, Period
from anykey.storage import till_statements as sql
from anykey.storage.charges import BudgetState, Opened, Refused
from anykey.storage.database import Connection


class Ask(msgspec.Struct):
    """What one call needs. `credit`: the wallet it is paid from, None where it is not prepaid."""

    credit: str | None
    budgets: tuple[str, ...]
    needed_nano: int


_T = TypeVar("_T")
_Limits = tuple[str | None, tuple[str, ...]]


class _Row(msgspec.Struct):
    """A budget or a wallet in this transaction. `room_nano`: what still fits, without what the batch holds there now.
    `held_nano`: what the batch holds. `budget` is None for a wallet."""

    room_nano: int
    held_nano: int
    wanted_nano: int
    budget: Budget | None = None
    spent_nano: int = 0
    others_nano: int = 0
    oldest_ms: int | None = None


class Reservation:
    """What a batch of asks needs of budgets and wallets in one transaction, in steps, so that the till can take each row once:
    budgets by id, then accounts by name, then `answers`."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        alike = _sums((_limits(ask), ask.needed_nano) for ask in asks)
        self.budgets = _sums((budget, needed) for (_, budgets), needed in alike.items() for budget in budgets)
        self.wallets = _sums((credit, needed) for (credit, _), needed in alike.items() if credit is not None)
        self._asks = asks
        self._rows: dict[str, _Row] = {}

    def hold(self, connection: Connection, budget: str, now_ms: int) -> None:
        """Hold the sum in a budget, if it fits. A budget that is gone limits nothing."""
        row = _hold_budget(connection, budget, self.budgets[budget], now_ms)
        if row is not None:
            self._rows[budget] = row

    def hold_credit(self, connection: Connection, account: str) -> None:
        """Hold the sum in a wallet, if it is there."""
        self._rows[account] = _hold_credit(connection, account, self.wallets[account])

    def answers(self, connection: Connection, now_ms: int) -> list[Opened | Refused]:
        """One answer for each ask; where a sum did not fit, exactly as many hold as fit. Those that fit and have the same limits
        share one, which is not to be changed."""
        rows = self._rows
        refused: dict[int, str] = {}
        if any(row.held_nano != row.wanted_nano for row in rows.values()):
            refused = _choose(self._asks, rows)
            _correct(connection, rows)
        opened: dict[_Limits, Opened] = {}
        found: list[Opened | Refused] = []
        for index, ask in enumerate(self._asks):
            limits = _limits(ask)
            if index in refused:
                full = refused[index]
                found.append(_refused(connection, full, rows[full], ask.needed_nano, now_ms))
                continue
            if limits not in opened:
                opened[limits] = _opened(ask, rows)
            found.append(opened[limits])
        return found


def reserve(connection: Connection, asks: Sequence[Ask], now_ms: int) -> list[Opened | Refused]:
    """Hold what fits, inside a transaction that does nothing else with money; see Reservation."""
    reservation = Reservation(asks)
    for budget in sorted(reservation.budgets):
        reservation.hold(connection, budget, now_ms)
    for account in sorted(reservation.wallets):
        reservation.hold_credit(connection, account)
    return reservation.answers(connection, now_ms)


def _limits(ask: Ask) -> _Limits:
    """What it must fit into; of many calls that is the same."""
    return ask.credit, ask.budgets


def _sums(needs: Iterable[tuple[_T, int]]) -> dict[_T, int]:
    sums: dict[_T, int] = {}
    for name, needed in needs:
        sums[name] = sums.get(name, 0) + needed
    return sums


def _hold_budget(connection: Connection, budget_id: str, wanted: int, now_ms: int) -> _Row | None:
    """Hold the sum if it fits. None: there is no such budget."""
    period = cast("Period", budget_id.rpartition(":")[2])
    cutoff = expired_before(period, now_ms) or 0
    found = connection.execute(sql.HOLD_BUDGET, (wanted, budget_id, wanted, cutoff)).fetchone() if wanted else None
    if found is not None:
        return _budget_row(budget_id, found, wanted, wanted)
    found = connection.execute(sql.LOOK_AT_BUDGET, (budget_id,)).fetchone()
    if found is None:
        return None
    if found[3] is not None and found[3] <= cutoff:
        gone = sum(spent for (spent,) in connection.execute(sql.DROP_SLICES, (budget_id, cutoff)))
        found = connection.execute(sql.EXPIRE_BUDGET, (gone, gone, budget_id)).fetchone()
        fits = connection.execute(sql.HOLD_BUDGET, (wanted, budget_id, wanted, cutoff)).fetchone() if wanted else None
        if fits is not None:
            return _budget_row(budget_id, fits, wanted, wanted)
    return _budget_row(budget_id, found, 0, wanted)


def _budget_row(budget_id: str, found: tuple[int, int, int, int | None, str, str, str], held: int, wanted: int) -> _Row:
    limit, spent, held_now, oldest, owner_kind, owner, period = found
    budget = Budget(budget_id, cast("OwnerKind", owner_kind), owner, cast("Period", period), limit)
    others = held_now - held
    return _Row(limit - spent - others, held, wanted, budget, spent, others, oldest)


def _hold_credit(connection: Connection, account: str, wanted: int) -> _Row:
    """Hold the sum if it is there. A wallet that nothing was ever paid into is an empty one."""
    found = connection.execute(sql.HOLD_CREDIT, (wanted, account, wanted)).fetchone()
    if found is not None:
        return _Row(found[0] + wanted, wanted, wanted)
    found = connection.execute(sql.LOOK_AT_CREDIT, (account,)).fetchone()
    return _Row(0 if found is None else found[0], 0, wanted)


def _choose(asks: Sequence[Ask], rows: dict[str, _Row]) -> dict[int, str]:
    """Which asks do not fit, by their index, and into what; the others' needs become what their rows are wanted to hold. What
    needs nothing always fits."""
    for row in rows.values():
        row.wanted_nano = 0
    refused: dict[int, str] = {}
    for index, ask in enumerate(asks):
        names = [name for name in _names(ask) if name in rows]
        full = next(
            (n for n in names if ask.needed_nano and rows[n].wanted_nano + ask.needed_nano > rows[n].room_nano), None
        )
        if full is not None:
            refused[index] = full
            continue
        for name in names:
            rows[name].wanted_nano += ask.needed_nano
    return refused


def _names(ask: Ask) -> tuple[str, ...]:
    return ask.budgets if ask.credit is None else (*ask.budgets, ask.credit)


def _correct(connection: Connection, rows: dict[str, _Row]) -> None:
    """Bring every row from what it holds to what it is wanted to hold."""
    for name in sorted(rows, key=lambda name: (rows[name].budget is None, name)):
        row = rows[name]
        more = row.wanted_nano - row.held_nano
        if more < 0:
            release_hold(connection, name, -more, wallet=row.budget is None)
        elif more > 0 and row.budget is None:
            _must(connection.execute(sql.HOLD_CREDIT, (more, name, more)).fetchone(), name)
        elif more > 0:
            _must(connection.execute(sql.HOLD_BUDGET, (more, name, more, -1)).fetchone(), name)
        row.held_nano = row.wanted_nano


def release_hold(connection: Connection, name: str, held_nano: int, *, wallet: bool) -> None:
    """Give back what was held in a wallet or a budget."""
    if wallet:
        connection.execute(sql.RELEASE_CREDIT, (held_nano, name))
    else:
        connection.execute(sql.RELEASE_BUDGET, (held_nano, held_nano, name))


def _must(row: object, name: str) -> None:
    """The row is locked and was seen to have room."""
    if row is None:
        raise RuntimeError(f"{name} changed under its lock")


def _opened(ask: Ask, rows: dict[str, _Row]) -> Opened:
    credit = None if ask.credit is None else rows[ask.credit].room_nano - rows[ask.credit].held_nano
    return Opened(tuple(_state(rows[name]) for name in ask.budgets if name in rows), credit)


def _state(row: _Row) -> BudgetState:
    budget = cast("Budget", row.budget)
    resets = None if row.oldest_ms is None else leaves_at(budget.period, row.oldest_ms)
    return BudgetState(budget, row.spent_nano, row.others_nano + row.held_nano, resets)


def _refused(connection: Connection, name: str, row: _Row, needed: int, now_ms: int) -> Refused:
    available = max(row.room_nano - row.held_nano, 0)
    if row.budget is None:
        return Refused(True, None, needed, available)
    state = _state(row)
    room = Room(row.budget.limit_nano, state.spent_nano, state.held_nano, needed)
    slices = connection.execute(sql.SLICES_OF, (name,)).fetchall()
    resets = resets_ms(row.budget.period, room, slices, now_ms)
    return Refused(False, state._replace(resets_ms=resets), needed, available)
