"""Stored rate cards: a series has versions, counted from 1, whose prices never change; one may be withdrawn. No SQLAlchemy: the
server reads them too.

Every change counts the configuration generation up, so that a running gateway sells by the new card within a second or two.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import NamedTuple, TypeVar

import msgspec

from anykey.accounts.rate_cards import card_of, rates_in
from anykey.accounts.written_cards import CardError, Scope
from anykey.providers.rate_cards import RateCard
from anykey.storage.audit import Deed, append
from anykey.storage.database import Connection, Database, has_table, whole
from anykey.storage.errors import DatabaseError, StorageError

T = TypeVar("T")
_log = logging.getLogger(__name__)

_COLUMNS = """id, version, model, provider, lane, region, tier, effective_from, rates, source, created_at, created_by,
withdrawn_at"""
_INSERT = f"INSERT INTO rate_cards ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own words
_LOCK = "UPDATE configuration_generation SET value = value"
_COUNT_UP = "UPDATE configuration_generation SET value = value + 1"


class Draft(NamedTuple):
    """A card to be kept. `rates` is the JSON of `WrittenRates`; `effective_from` None: from now on."""

    scope: Scope
    rates: str
    source: str
    effective_from: int | None = None


class CardRow(msgspec.Struct, frozen=True):
    """One version of a card, as kept. `id` is its series; times are Unix seconds."""

    id: str
    version: int
    model: str
    provider: str | None
    lane: str | None
    region: str | None
    tier: str | None
    effective_from: int
    rates: str
    source: str
    created_at: int
    created_by: str
    withdrawn_at: int | None = None

    @property
    def reference(self) -> str:
        """`series/v3`: names it exactly, and is what charges keep as the price's id."""
        return f"{self.id}/v{self.version}"

    @property
    def scope(self) -> Scope:
        """Which calls it is for."""
        return Scope(self.model, self.provider, self.lane, self.region, self.tier)

    def card(self) -> RateCard:
        """Return the card. Raises CardError where a newer release wrote it."""
        return card_of(self.scope, rates_in(self.rates), self.version, self.effective_from, self.source)


class PutCard(NamedTuple):
    """`new` is False where the newest version says the same already."""

    row: CardRow
    new: bool


def put_cards(database: Database, drafts: Iterable[Draft], actor: str, now: int) -> list[PutCard]:
    """Keep each draft as the next version of its series, all of them or none. Raises StorageError."""

    def change(connection: Connection) -> list[PutCard]:
        done = [_put(connection, draft, actor, now) for draft in drafts]
        deeds = [_deed(actor, "put", put.row) for put in done if put.new]
        _finish(connection, deeds)
        return done

    return _changing(database, change)


def withdraw_card(database: Database, series: str, version: int, actor: str, now: int) -> bool:
    """Take a version out of force; False where there is none in force. Raises StorageError."""

    def change(connection: Connection) -> bool:
        statement = f"""UPDATE rate_cards SET withdrawn_at = ? WHERE id = ? AND version = ? AND withdrawn_at IS NULL
RETURNING {_COLUMNS}"""  # noqa: S608 - our own words
        rows = [CardRow(*row) for row in connection.execute(statement, (now, series, version))]
        _finish(connection, [_deed(actor, "withdraw", row) for row in rows])
        return bool(rows)

    return _changing(database, change)


def read_cards(database: Database, series: str | None = None, *, withdrawn: bool = False) -> list[CardRow]:
    """The versions in force or to come, by series and version; those of one series; those taken back too. Empty where the
    database, or its table, is yet to be made. Raises StorageError."""
    if database.identity() is None:
        return []
    try:
        with closing(database.connect(read_only=True)) as connection:
            return _read(connection, series, withdrawn) if has_table(database, connection, "rate_cards") else []
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def load_cards(database: Database) -> list[RateCard]:
    """The cards for the snapshot. One that cannot be read here (a newer release wrote it) is left out with a warning. Raises
    StorageError."""
    found: list[RateCard] = []
    for row in read_cards(database):
        try:
            found.append(row.card())
        except CardError as error:
            _log.warning("the stored rate card %s is not used: %s", row.reference, error)
    return found


def _changing(database: Database, change: Callable[[Connection], T]) -> T:
    """Run `change` in a transaction that begins by locking the generation's one row: changes come one after another, so that two
    do not count to the same version. Raises StorageError."""
    try:
        with closing(database.connect()) as connection, whole(connection):
            connection.execute(_LOCK)
            return change(connection)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def _finish(connection: Connection, deeds: Sequence[Deed]) -> None:
    """Count the generation up and write down what was done, if anything was."""
    if deeds:
        connection.execute(_COUNT_UP)
    for deed in deeds:
        append(connection, deed)


def _deed(actor: str, verb: str, row: CardRow) -> Deed:
    told = {"effective_from": row.effective_from, "source": row.source, "rates": msgspec.json.decode(row.rates)}
    before, after = (None, told) if verb == "put" else (told, None)
    return Deed(
        actor=actor,
        action=f"rate_cards.{verb}",
        target_kind="rate_card",
        target=row.reference,
        before=before,
        after=after,
    )


def _put(connection: Connection, draft: Draft, actor: str, now: int) -> PutCard:
    series = draft.scope.series()
    versions = _read(connection, series, withdrawn=True)
    newest = versions[-1] if versions else None
    if newest is not None and newest.withdrawn_at is None and _says(newest, draft):
        return PutCard(newest, new=False)
    since = now if draft.effective_from is None else draft.effective_from
    version = 1 if newest is None else newest.version + 1
    row = CardRow(series, version, *draft.scope, since, draft.rates, draft.source, now, actor)
    connection.execute(_INSERT, msgspec.structs.astuple(row))
    return PutCard(row, new=True)


def _says(row: CardRow, draft: Draft) -> bool:
    since = row.effective_from if draft.effective_from is None else draft.effective_from
    return (row.rates, row.source, row.effective_from) == (draft.rates, draft.source, since)


def _read(connection: Connection, series: str | None, withdrawn: bool) -> list[CardRow]:
    where = [] if withdrawn else ["withdrawn_at IS NULL"]
    values: Sequence[object] = ()
    if series is not None:
        where, values = [*where, "id = ?"], (series,)
    clause = f" WHERE {' AND '.join(where)}" if where else ""
    query = f"SELECT {_COLUMNS} FROM rate_cards{clause} ORDER BY id, version"  # noqa: S608 - our own words
    return [CardRow(*row) for row in connection.execute(query, values)]
