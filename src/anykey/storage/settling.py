"""Settlements: what calls came to is taken from their accounts, and what was held for them is free again.

The law: a charge is settled once, by its id. The statement that changes its state also says what it held; a charge that was final
already is not in its answer, and so nothing happens for it, however often it is asked. Sums then go to each budget and each
account in one statement. A wallet pays what the call reserved and, if that was too little, what else it has: never more.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, cast

import msgspec

from anykey.accounts.ledger import CREDIT, REVENUE, kind_of, organisation_of, slice_of
from anykey.accounts.purse import Period
from anykey.storage import till_statements as sql
from anykey.storage.charges import Closing
from anykey.storage.database import Connection
from anykey.storage.usage_late import note_changed

_IDS = msgspec.json.Decoder(tuple[str, ...])


class Spent(NamedTuple):
    """What a settlement did to a budget (`limit_nano` is its limit) or a wallet (None): before and after, in nano-USD. A
    wallet's amount is what is left, a budget's what is spent. `owner_kind` and `owner` say whose it is."""

    name: str
    owner_kind: str
    owner: str
    limit_nano: int | None
    before_nano: int
    after_nano: int


class Held(NamedTuple):
    """What an open charge holds, and where. `budgets`: the JSON of their ids."""

    reserved_nano: int
    account: str
    budgets: str


NOTHING_KEPT: Mapping[str, Held] = MappingProxyType({})


class KeptWrongly(Exception):
    """What was kept of an open charge does not hold."""


class _Ended(NamedTuple):
    """A charge that this transaction ended, for good."""

    charge_id: str
    reserved_nano: int
    cost_nano: int
    at_ms: int


class _Sum(msgspec.Struct):
    """What becomes of one budget."""

    held_nano: int = 0
    spent_nano: int = 0
    slices: dict[int, int] = msgspec.field(default_factory=dict[int, int])


class Settlement:
    """The end of some charges in one transaction, in steps, so that the till can take each row once: first the charges, then
    budgets by id, then accounts by name. ``told`` is what became of those."""

    def __init__(self) -> None:
        self.told: list[Spent] = []
        self.budgets: dict[str, _Sum] = {}
        self.accounts: dict[str, list[_Ended]] = {}
        self._earned = 0

    def mark(
        self,
        connection: Connection,
        closings: Sequence[Closing],
        *,
        late: bool = False,
        kept: Mapping[str, Held] = NOTHING_KEPT,
    ) -> None:
        """Change the charges' states; ``late``: only of those that are unknown. What is in ``kept`` of open charges need not be
        read again; KeptWrongly: one of them is not open any more, and the transaction must begin anew without. Usage rows are not
        written here; of a charge that is ended late with a row of its own, the one that was left when nobody knew is forgotten.
        """
        last = {closing.charge_id: closing for closing in closings}  # two for one charge: the later knows more
        found: dict[str, Held] = {}
        if not late:
            found = _mark_kept(connection, [one for one in last.values() if one.charge_id in kept], kept)
            others = [one for one in last.values() if one.charge_id not in kept]
            found |= _mark(connection, sql.CLOSE_OPEN, others)
        rest = [one for one in last.values() if one.charge_id not in found and one.state != "unknown"]
        unknown = _mark(connection, sql.CLOSE_UNKNOWN, rest)
        for charge_id in unknown:
            _correct_row(connection, last[charge_id])
        alike: dict[tuple[str, str], list[_Ended]] = {}
        for charge_id, (reserved, account, budgets) in (found | unknown).items():
            one = last[charge_id]
            if one.state != "unknown":
                ended = _Ended(charge_id, reserved, _cost(one), one.at_ms)
                alike.setdefault((account, budgets), []).append(ended)
        for (account, budgets), charges in alike.items():
            self._end(account, _IDS.decode(budgets), charges)

    def _end(self, account: str, budgets: Sequence[str], charges: Sequence[_Ended]) -> None:
        """Add up charges of one account and the same budgets."""
        self.accounts.setdefault(account, []).extend(charges)
        held = sum([charge.reserved_nano for charge in charges])
        spent = sum([charge.cost_nano for charge in charges])
        for budget in budgets:
            one = self.budgets.setdefault(budget, _Sum())
            one.held_nano += held
            one.spent_nano += spent
            period = cast("Period", budget.rpartition(":")[2])
            for charge in charges:
                slice_ms = slice_of(period, charge.at_ms) if charge.cost_nano else None
                if slice_ms is not None:
                    one.slices[slice_ms] = one.slices.get(slice_ms, 0) + charge.cost_nano

    def spend(self, connection: Connection, budget: str) -> None:
        """Take what was spent from a budget, and free what was held."""
        one = self.budgets[budget]
        oldest = min(one.slices, default=None)
        values = (one.held_nano, one.held_nano, one.spent_nano, oldest, oldest, budget)
        row = connection.execute(sql.SPEND_BUDGET, values).fetchone()
        if row is None:
            return  # the limit was taken away meanwhile
        limit, spent, owner_kind, owner = row
        self.told.append(Spent(budget, owner_kind, owner, limit, spent - one.spent_nano, spent))
        if one.slices:
            rows: list[tuple[object, ...]] = [(budget, slice_ms, cost) for slice_ms, cost in one.slices.items()]
            for statement, slices in sql.in_groups(sql.SPEND_SLICES, rows):
                connection.execute(statement, slices)

    def pay(self, connection: Connection, account: str) -> None:
        """Take what was paid from an account."""
        charges = self.accounts[account]
        if kind_of(account) == CREDIT:
            paid, spent = _pay(connection, account, charges)
            self.told += spent
        else:
            paid = sum(charge.cost_nano for charge in charges)
            _post(connection, sql.POST_DEBIT, account, paid)
        self._earned += paid

    def earn(self, connection: Connection) -> None:
        """Credit revenue with what all accounts paid: the last row of all by its name, and the one that everybody wants."""
        _post(connection, sql.POST_CREDIT, REVENUE, self._earned)


def settle(connection: Connection, closings: Sequence[Closing], *, late: bool = False) -> list[Spent]:
    """End these charges, inside a transaction that does nothing else with money; see Settlement."""
    settlement = Settlement()
    settlement.mark(connection, closings, late=late)
    for budget in sorted(settlement.budgets):
        settlement.spend(connection, budget)
    for account in sorted(settlement.accounts):
        settlement.pay(connection, account)
    settlement.earn(connection)
    return settlement.told


def _mark(connection: Connection, statements: dict[int, str], closings: Sequence[Closing]) -> dict[str, Held]:
    """Change the states of those that are still as the statement wants them: what they held, by id."""
    changed: dict[str, Held] = {}
    for statement, values in sql.in_groups(statements, _rows(closings)):
        changed.update({row[0]: Held(*row[1:]) for row in connection.execute(statement, values)})
    return changed


def _mark_kept(connection: Connection, closings: Sequence[Closing], kept: Mapping[str, Held]) -> dict[str, Held]:
    """Change the states of charges that are all still open, as far as we know. KeptWrongly: one is not."""
    groups = sql.in_groups(sql.CLOSE_KEPT, _rows(closings))
    changed = sum([connection.execute(statement, values).rowcount for statement, values in groups])
    if changed != len(closings):
        raise KeptWrongly
    return {one.charge_id: kept[one.charge_id] for one in closings}


def _rows(closings: Sequence[Closing]) -> list[tuple[object, ...]]:
    return [(one.charge_id, one.state, _cost(one), one.basis, one.price_id, one.lines, one.at_ms) for one in closings]


def _cost(closing: Closing) -> int:
    return closing.cost_nano if closing.state == "settled" else 0


def _correct_row(connection: Connection, closing: Closing) -> None:
    note_changed(connection, closing.charge_id)
    if closing.row is not None:
        connection.execute(sql.FORGET_ROW, (closing.charge_id,))
    else:
        connection.execute(sql.CORRECT_ROW, (_cost(closing), closing.basis, closing.charge_id))


def _post(connection: Connection, statement: str, account: str, amount: int) -> None:
    if amount:
        connection.execute(statement, (account, kind_of(account), organisation_of(account), amount))


def _pay(connection: Connection, account: str, charges: Sequence[_Ended]) -> tuple[int, list[Spent]]:
    """Take what these charges cost from a wallet: (what it paid, what that did to it)."""
    held = sum(charge.reserved_nano for charge in charges)
    paid = sum(min(charge.cost_nano, charge.reserved_nano) for charge in charges)
    row = connection.execute(sql.PAY_CREDIT, (held, paid, account)).fetchone()
    left = 0 if row is None else row[0]
    more = 0
    for charge in charges:
        lacking = charge.cost_nano - charge.reserved_nano
        if lacking > 0:
            taken = min(lacking, max(left - more, 0))
            more += taken
            if taken < lacking:
                connection.execute(sql.UNCOLLECTED, (lacking - taken, charge.charge_id))
    if more:
        row = connection.execute(sql.PAY_CREDIT, (0, more, account)).fetchone()
    if row is None or not paid + more:
        return paid + more, []
    owner = organisation_of(account) or ""
    return paid + more, [Spent(account, "organisation", owner, None, row[1] + paid + more, row[1])]
