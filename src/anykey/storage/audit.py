"""The audit log: one entry for each change that somebody made, written in the transaction of the change itself.

Law: each entry holds the hash of the one before it, and its own hash is over all it says, so that no entry can be altered,
inserted or taken out without breaking the line behind it; the newest hash is kept apart, so neither can the end be cut off. Who
can write to the whole database can forge the whole line: keep the head that `verify` tells somewhere else, and compare.

Secrets never come here: who appends has masked them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    import sqlalchemy

FIRST_HASH = bytes(32)
COLUMNS = "seq, at, actor, action, target_kind, target, organisation, before, after, previous, hash"
_NEXT = "UPDATE audit_head SET seq = seq + 1 RETURNING seq, hash"
_APPEND = f"INSERT INTO audit ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own words
_HEAD = "UPDATE audit_head SET hash = ?"
_SOME = f"SELECT {COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our own words
_NEWEST = f"""SELECT {COLUMNS} FROM audit WHERE seq < ? AND (? OR organisation = ?)
ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - our own words
LAST_SEQ = 2**63 - 1
BATCH = 1000


class Rows(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...


class Executes(Protocol):
    """A connection of ours, inside a transaction."""

    def execute(self, statement: str, values: Sequence[object] = ..., /) -> Rows: ...


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to what: `before` and `after` are the values that changed, without secrets. `organisation`: whose it is;
    None: the whole gateway's."""

    actor: str
    action: str
    target_kind: str
    target: str
    organisation: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class Entry(msgspec.Struct, frozen=True):
    """A row of the log. `at` is Unix milliseconds; `before` and `after` are JSON objects as text."""

    seq: int
    at: int
    actor: str
    action: str
    target_kind: str
    target: str
    organisation: str | None
    before: str | None
    after: str | None
    previous: bytes
    hash: bytes


class Chain(msgspec.Struct, frozen=True):
    """What a check of the whole log found: how many entries are right, the hash of the last of these, and the number of the first
    entry that is not, with why: `altered`, `missing` or `cut`."""

    entries: int
    head: bytes
    broken_at: int | None = None
    reason: str | None = None


def append(connection: Executes | sqlalchemy.Connection, deed: Deed, at_ms: int | None = None) -> Entry:
    """Write the entry in the transaction that `connection` is in: both are kept, or neither."""
    seq, previous = _run(connection, _NEXT, ()).fetchone()
    entry = Entry(
        seq,
        time.time_ns() // 1_000_000 if at_ms is None else at_ms,
        deed.actor,
        deed.action,
        deed.target_kind,
        deed.target,
        deed.organisation,
        _text(deed.before),
        _text(deed.after),
        bytes(previous),
        b"",
    )
    entry = msgspec.structs.replace(entry, hash=hash_of(entry))
    _run(connection, _APPEND, msgspec.structs.astuple(entry))
    _run(connection, _HEAD, (entry.hash,))
    return entry


def hash_of(entry: Entry) -> bytes:
    """SHA-256 of everything else in the entry, as one JSON array."""
    *said, previous, _ = msgspec.structs.astuple(entry)
    return hashlib.sha256(msgspec.json.encode([*said, previous.hex()])).digest()


def verify(connection: Executes | sqlalchemy.Connection, kept: tuple[int, bytes] = (0, FIRST_HASH)) -> Chain:
    """Walk the whole log, from the first entry to the head; `kept`: a number and its hash that must be on the way. Entries that
    are appended meanwhile belong to it."""
    seq, head = _head(connection)
    chain = Chain(0, FIRST_HASH)
    known = dict((kept, (seq, head)))
    if seq == kept[0] and head != kept[1]:
        return Chain(0, FIRST_HASH, seq, "altered")
    while rows := _run(connection, _SOME, (chain.entries, BATCH)).fetchall():
        chain = check([entry_of(row) for row in rows], chain, known)
        if chain.broken_at is not None:
            return chain
    if chain.entries < max(known) or _head(connection)[0] < chain.entries:
        return msgspec.structs.replace(chain, broken_at=chain.entries + 1, reason="cut")
    return chain


def newest(connection: Executes, organisation: str | None, before_seq: int | None, limit: int) -> list[Entry]:
    """The last entries, newest first: of one organisation where it is named, older than `before_seq` where it is."""
    values = (LAST_SEQ if before_seq is None else before_seq, organisation is None, organisation or "", limit)
    return [entry_of(row) for row in connection.execute(_NEWEST, values).fetchall()]


def check(entries: Iterable[Entry], chain: Chain, known: Mapping[int, bytes]) -> Chain:
    """Whether these are the entries that come after those in `chain`, each as it was written; `known` are hashes by number."""
    count, last = chain.entries, chain.head
    for entry in entries:
        if entry.seq != count + 1:
            return Chain(count, last, count + 1, "missing")
        right = known.get(entry.seq, entry.hash)
        if entry.previous != last or not hash_of(entry) == entry.hash == right:
            return Chain(count, last, entry.seq, "altered")
        count, last = entry.seq, entry.hash
    return Chain(count, last)


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row of COLUMNS. What is no text any more is read as it is, and will not fit its hash."""
    return Entry(*row[:-2], previous=_bytes(row[-2]), hash=_bytes(row[-1]))


def _head(connection: Executes | sqlalchemy.Connection) -> tuple[int, bytes]:
    """The number and the hash of the newest entry; where even this is gone, nothing fits."""
    row = _run(connection, "SELECT seq, hash FROM audit_head", ()).fetchone()
    return (-1, b"") if row is None else (row[0], _bytes(row[1]))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _run(connection: Any, statement: str, values: tuple[object, ...]) -> Rows:
    """Execute on either kind of connection. SQLAlchemy hands the text to the driver, which has its own mark for a value."""
    if not hasattr(connection, "exec_driver_sql"):
        return connection.execute(statement, values)
    marked = statement if connection.dialect.paramstyle == "qmark" else statement.replace("?", "%s")
    return connection.exec_driver_sql(marked, values)


def _text(said: Mapping[str, Any] | None) -> str | None:
    return None if said is None else msgspec.json.encode(said, order="deterministic").decode()
