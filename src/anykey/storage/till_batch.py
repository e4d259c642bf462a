"""One transaction of the till: charges are ended, new ones are reserved and opened, and all of it is committed together.

Two processes that take the same rows in different orders wait for each other until the database ends one of them. So the order is
one for all: charges and usage rows, then each budget by its id, then each account by its name; what was ended frees its part of a
row just before that row is asked for room. `revenue`, which everybody wants, is the last and is held only for the COMMIT.

A batch may be tried again after an error, also after one that left it unclear whether the COMMIT came through. So each step has
no effect the second time: an opening that was tried before is looked up by its id, an extension by what its charge holds, and
settlements go by the charge's state.
"""

from collections.abc import Mapping, Sequence

import msgspec

from anykey.accounts.ledger import CREDIT, kind_of
from anykey.storage import till_statements as sql
from anykey.storage.alerts import Alerts
from anykey.storage.charges import Closing, Opened, Opening, Refused
from anykey.storage.database import Connection, whole
from anykey.storage.key_uses import KeyUses
from anykey.storage.reserving import Ask, Reservation
from anykey.storage.settling import NOTHING_KEPT, Held, KeptWrongly, Settlement
from anykey.storage.writer import insert_rows

KEPT_MOST = 100_000
_IDS = msgspec.json.Decoder(tuple[str, ...])


class ToOpen(msgspec.Struct):
    """An opening on its way. `tried`: it may be committed already. `answer` is set when it is."""

    opening: Opening
    tried: bool = False
    answer: Opened | Refused | None = None


class ToExtend(msgspec.Struct):
    """An extension on its way. `before_nano`: what the charge held when it was first tried. `known` is False where there is no
    such charge to extend."""

    charge_id: str
    more_nano: int
    before_nano: int | None = None
    answer: Refused | None = None
    known: bool = True


class Batch(msgspec.Struct):
    """What is committed together; asks in the order they came."""

    opens: list[ToOpen]
    extends: list[ToExtend]
    closings: list[Closing]


class _Wanted(msgspec.Struct):
    """An ask, and whose it is. `done`: it was committed by a try whose answer was lost."""

    ask: Ask
    open: ToOpen | None = None
    extend: ToExtend | None = None
    done: bool = False


class Committer(msgspec.Struct):
    """Commits batches for the process with this id; one thread."""

    process: str
    alerts: Alerts
    uses: KeyUses
    kept: dict[str, Held] = msgspec.field(default_factory=dict[str, Held])
    """Of the open charges that this process wrote: nobody else changes what they hold. Those it extends are forgotten."""

    def commit(self, connection: Connection, batch: Batch, now_ms: int) -> None:
        """Commit the batch; its answers hold once this returns. Raises DatabaseError, after which nothing or all of it is
        committed."""
        for extend in batch.extends:
            self.kept.pop(extend.charge_id, None)
        try:
            opened = self._commit(connection, batch, now_ms, self.kept)
        except KeptWrongly:
            opened = self._commit(connection, batch, now_ms, NOTHING_KEPT)
        for closing in batch.closings:
            self.kept.pop(closing.charge_id, None)
        if len(self.kept) < KEPT_MOST:
            self.kept.update(opened)

    def _commit(
        self, connection: Connection, batch: Batch, now_ms: int, kept: Mapping[str, Held]
    ) -> Mapping[str, Held]:
        """The charges that it opened."""
        rows = [one.row for one in batch.closings if one.row is not None]
        uses = self.uses.due(rows)
        opened: Mapping[str, Held] = NOTHING_KEPT
        with whole(connection):
            settlement = Settlement()
            settlement.mark(connection, batch.closings, kept=kept)
            insert_rows(connection, rows)
            self.uses.write(connection, uses)
            wanted = [*_new(connection, batch.opens), *self._more(connection, batch.extends)]
            reservation = Reservation([one.ask for one in wanted])
            _move(connection, settlement, reservation, now_ms)
            if wanted:
                opened = self._open(connection, wanted, reservation.answers(connection, now_ms))
            self.alerts.tell(connection, settlement.told, now_ms)
            settlement.earn(connection)
        self.uses.written(uses)
        return opened

    def _more(self, connection: Connection, extends: Sequence[ToExtend]) -> list[_Wanted]:
        """Add to what the charges hold; those that are refused give it back."""
        wanted: list[_Wanted] = []
        for one in extends:
            one.answer, one.known = None, True
            if one.before_nano is not None:
                held = connection.execute(sql.RESERVED, (one.charge_id,)).fetchone()
                if held is not None and held[0] == one.before_nano + one.more_nano:
                    continue  # committed by a try whose answer was lost
            row = connection.execute(sql.EXTEND, (one.more_nano, one.charge_id, self.process)).fetchone()
            if row is None:
                one.known = False
                continue
            one.before_nano = row[0] - one.more_nano
            credit = row[1] if kind_of(row[1]) == CREDIT else None
            wanted.append(_Wanted(Ask(credit, _IDS.decode(row[2]), one.more_nano), extend=one))
        return wanted

    def _open(
        self, connection: Connection, wanted: Sequence[_Wanted], answers: Sequence[Opened | Refused]
    ) -> Mapping[str, Held]:
        """Write the charges of those that fit, and return what they hold; take back the extensions of those that do not."""
        opened: dict[str, Held] = {}
        rows: list[tuple[object, ...]] = []
        budgets: dict[int, str] = {}  # by the answer, which calls with the same limits share
        for one, answer in zip(wanted, answers, strict=True):
            if one.open is not None:
                one.open.answer = answer
                if isinstance(answer, Opened) and not one.done:
                    text = budgets.get(id(answer)) or budgets.setdefault(id(answer), _ids_text(answer))
                    rows.append(self._row(one.open.opening, text))
                    opening = one.open.opening
                    opened[opening.charge_id] = Held(opening.estimate_nano, opening.purse.account, text)
            elif one.extend is not None and isinstance(answer, Refused):
                one.extend.answer = answer
                connection.execute(sql.UNEXTEND, (one.extend.more_nano, one.extend.charge_id))
        for statement, values in sql.in_groups(sql.OPEN, rows):
            connection.execute(statement, values)
        return opened

    def _row(self, opening: Opening, budgets: str) -> tuple[object, ...]:
        """In the order of OPEN_COLUMNS."""
        purse = opening.purse
        return (
            opening.charge_id,
            opening.at_ms,
            "open",
            self.process,
            opening.key_id,
            purse.organisation,
            purse.team,
            purse.member_id,
            purse.account,
            budgets,
            opening.client,
            opening.client_protocol,
            opening.model,
            opening.deployment,
            opening.estimate_nano,
            opening.price_id,
        )


def _ids_text(opened: Opened) -> str:
    return msgspec.json.encode([state.budget.id for state in opened.budgets]).decode()


def _new(connection: Connection, opens: Sequence[ToOpen]) -> list[_Wanted]:
    """What new charges need. One that is there already needs nothing; asking for nothing tells how things are now."""
    known: set[str] = set()
    tried: list[tuple[object, ...]] = [(one.opening.charge_id,) for one in opens if one.tried]
    for statement, values in sql.in_groups(sql.KNOWN, tried):
        known.update(row[0] for row in connection.execute(statement, values))
    wanted: list[_Wanted] = []
    limits: dict[int, tuple[str | None, tuple[str, ...]]] = {}  # by the purse, which calls of a key share
    for one in opens:
        purse, done = one.opening.purse, one.opening.charge_id in known
        if id(purse) not in limits:
            credit = purse.account if purse.prepaid else None
            limits[id(purse)] = credit, tuple(budget.id for budget in purse.budgets)
        ask = Ask(*limits[id(purse)], 0 if done else one.opening.estimate_nano)
        wanted.append(_Wanted(ask, open=one, done=done))
    return wanted


def _move(connection: Connection, settlement: Settlement, reservation: Reservation, now_ms: int) -> None:
    """Take every budget and every account once, in order."""
    for budget in sorted(settlement.budgets.keys() | reservation.budgets.keys()):
        if budget in settlement.budgets:
            settlement.spend(connection, budget)
        if budget in reservation.budgets:
            reservation.hold(connection, budget, now_ms)
    for account in sorted(settlement.accounts.keys() | reservation.wallets.keys()):
        if account in settlement.accounts:
            settlement.pay(connection, account)
        if account in reservation.wallets:
            reservation.hold_credit(connection, account)
