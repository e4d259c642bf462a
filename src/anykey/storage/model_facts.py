"""What sources say of models, as dated rows: one for each day on which a source said something new. Nothing is overwritten but a
row of the same day. No SQLAlchemy: the serving process reads these when it starts."""

from collections.abc import Collection, Iterable
from contextlib import closing

import msgspec

from anykey.accounts.permissions import LOCAL
from anykey.providers.models import ModelFacts
from anykey.storage.audit import Deed
from anykey.storage.changing import changing
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError, StorageError

_DECODER = msgspec.json.Decoder(ModelFacts)
_LATEST = """SELECT facts FROM model_facts AS row WHERE vendor = ? AND model = ? AND source = ?
ORDER BY observed_on DESC LIMIT 1"""
_KEEP = """INSERT INTO model_facts (vendor, model, source, observed_on, facts) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (vendor, model, source, observed_on) DO UPDATE SET facts = excluded.facts"""


class StoredFacts(msgspec.Struct, frozen=True):
    """One row: what `source` (a package's name, or `own`) said; the day is in the facts."""

    source: str
    facts: ModelFacts


def add_facts(database: Database, source: str, facts: Iterable[ModelFacts], author: str = LOCAL.name) -> int:
    """Keep what of `facts` is new for this source; returns how many rows that made. `author`: who does it. Raises
    StorageError."""

    def tell(count: int) -> Deed:
        after = {"rows": count}
        return Deed(actor=author, action="catalogue.update", target_kind="source", target=source, after=after)

    return changing(database, lambda connection: sum([_add(connection, source, one) for one in facts]), tell)


def stored_facts(database: Database, vendors: Collection[str] | None = None) -> list[StoredFacts]:
    """All rows, or those of some vendors, oldest first. Raises StorageError."""
    if vendors is not None and not vendors:
        return []
    wanted = "" if vendors is None else f" WHERE vendor IN ({', '.join('?' * len(vendors))})"
    statement = f"SELECT source, facts FROM model_facts{wanted} ORDER BY observed_on, vendor, model, source"  # noqa: S608 only marks
    try:
        with closing(database.connect(read_only=True)) as connection:
            rows = connection.execute(statement, tuple(vendors or ())).fetchall()
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
    return [StoredFacts(source, _DECODER.decode(facts)) for source, facts in rows]


def _add(connection: Connection, source: str, facts: ModelFacts) -> bool:
    latest = connection.execute(_LATEST, (facts.vendor, facts.model, source)).fetchone()
    if latest is not None:
        known = _DECODER.decode(latest[0])
        if msgspec.structs.replace(known, observed_on=facts.observed_on) == facts:
            return False
    text = msgspec.json.encode(facts).decode()
    connection.execute(_KEEP, (facts.vendor, facts.model, source, facts.observed_on, text))
    return True
