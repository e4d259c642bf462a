"""What sources say of models, as dated rows: one for each day on which a source said something new. Nothing is overwritten but a
row of the same day. No SQLAlchemy: the serving process reads these when it starts."""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing

import msgspec

from anykey.providers.models import ModelFacts
from anykey.storage.changing import changing
from anykey.storage.database import Database
from anykey.storage.errors import StorageError

_DECODER = msgspec.json.Decoder(ModelFacts)
_LATEST = """SELECT facts FROM model_facts AS row WHERE vendor = ? AND model = ? AND source = ?
ORDER BY observed_on DESC LIMIT 1"""
_KEEP = "INSERT OR REPLACE INTO model_facts (vendor, model, source, observed_on, facts) VALUES (?, ?, ?, ?, ?)"


class StoredFacts(msgspec.Struct, frozen=True):
    """One row: what `source` (a package's name, or `own`) said; the day is in the facts."""

    source: str
    facts: ModelFacts


def add_facts(database: Database, source: str, facts: Iterable[ModelFacts]) -> int:
    """Keep what of `facts` is new for this source; returns how many rows that made. Raises StorageError."""
    return changing(database, lambda connection: sum([_add(connection, source, one) for one in facts]))


def stored_facts(database: Database, vendors: Collection[str] | None = None) -> list[StoredFacts]:
    """All rows, or those of some vendors, oldest first. Raises StorageError."""
    wanted = "" if vendors is None else f" WHERE vendor IN ({', '.join('?' * len(vendors))})"
    statement = f"SELECT source, facts FROM model_facts{wanted} ORDER BY observed_on, vendor, model, source"  # noqa: S608 only marks
    try:
        with closing(database.connect(read_only=True)) as connection:
            rows = connection.execute(statement, tuple(vendors or ())).fetchall()
    except sqlite3.Error as error:
        raise StorageError("storage.failed", path=database.path, reason=error) from error
    return [StoredFacts(source, _DECODER.decode(facts)) for source, facts in rows]


def _add(connection: sqlite3.Connection, source: str, facts: ModelFacts) -> bool:
    latest = connection.execute(_LATEST, (facts.vendor, facts.model, source)).fetchone()
    if latest is not None:
        known = _DECODER.decode(latest[0])
        if msgspec.structs.replace(known, observed_on=facts.observed_on) == facts:
            return False
    text = msgspec.json.encode(facts).decode()
    connection.execute(_KEEP, (facts.vendor, facts.model, source, facts.observed_on, text))
    return True
