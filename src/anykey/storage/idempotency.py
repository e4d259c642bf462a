"""What calls with an Idempotency-Key came to: one row for each name that a key gave one of its calls, for a day.

    running → whole | stream    the answer is kept and served again
            → too_large         it was told once and is not kept
            → unknown           its process is gone in the middle: nobody knows what the upstream did
            → (deleted)         it failed, and may be tried again

Law: a name is taken by one INSERT, so of any number of calls at once, in any process, one is made. Who makes it gives a sign of
life now and then (``at``, Unix ms); a row that is silent for too long will not get its answer any more. Its call is made again
only where the ledger says that nothing came of it. These are functions on an open connection, for ``shelf.Shelf`` to run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from anykey.storage.database import Connection
from anykey.storage.packing import pack, unpack

KEPT_MS = 86_400_000
SILENT_MS = 15_000
"""Without a sign of life for so long, a call is taken for dead."""
SWEEP_ROWS = 200
Headers = tuple[tuple[bytes, bytes], ...]


class Name(NamedTuple):
    """What a call is called, within the key that made it."""

    key_id: str
    name: str


class Claim(NamedTuple):
    """A call that wants its name. ``digest`` tells apart what was asked; ``process`` and ``request_id`` who asks now."""

    name: Name
    digest: bytes
    process: str
    request_id: str


class Kept(NamedTuple):
    """How the call of a name stands, when another took it before. ``state`` as in this module's table; the rest is its answer."""

    state: str
    digest: bytes
    status: int = 0
    headers: Headers = ()
    body: bytes = b""


class _Row(NamedTuple):
    digest: bytes
    state: str
    process: str
    request_id: str
    at: int
    expires_at: int
    status: int | None
    headers: str | None
    body: bytes | None


_FIND = f"SELECT {', '.join(_Row._fields)} FROM idempotency WHERE key_id = ? AND name = ?"  # noqa: S608 our own names
_BEGIN = """INSERT INTO idempotency (key_id, name, digest, state, process, request_id, at, expires_at)
VALUES (?, ?, ?, 'running', ?, ?, ?, ?) ON CONFLICT (key_id, name) DO NOTHING"""
_DELETE = "DELETE FROM idempotency WHERE key_id = ? AND name = ? AND request_id = ?"
_FINISH = """UPDATE idempotency SET state = ?, at = ?, status = ?, headers = ?, body = ?
WHERE key_id = ? AND name = ? AND request_id = ? AND state = 'running'"""
_LOSE = "UPDATE idempotency SET state = 'unknown' WHERE key_id = ? AND name = ? AND request_id = ? AND at = ?"
_SIGN = "UPDATE idempotency SET at = ? WHERE key_id = ? AND name = ? AND request_id = ? AND state = 'running'"
_SWEEP = """DELETE FROM idempotency WHERE (key_id, name) IN
(SELECT key_id, name FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"""


def find_answer(connection: Connection, name: Name, now_ms: int) -> Kept | None:
    """The answer of a call that has one, or how it ended; None: there is no such call, or it may be under way."""
    row = _find(connection, name)
    if row is None or row.state == "running" or row.expires_at * 1000 <= now_ms:
        return None
    return _kept(row)


def claim(connection: Connection, wanted: Claim, now_ms: int) -> Kept | None:
    """Take the name for this call: None, it is the one to be made. Else how the other one stands. Inside a transaction."""
    while not _begin(connection, wanted, now_ms):
        row = _find(connection, wanted.name)
        if row is None:
            continue
        if row.expires_at * 1000 > now_ms and not _is_dead(row, now_ms):
            return _kept(row)
        if row.expires_at * 1000 > now_ms and not _came_to_nothing(connection, row.request_id):
            connection.execute(_LOSE, (*wanted.name, row.request_id, row.at))
            return Kept("unknown", row.digest)
        connection.execute(_DELETE, (*wanted.name, row.request_id))
    return None


def finish(connection: Connection, claimed: Claim, answer: Kept, now_ms: int) -> None:
    """Keep what the call came to. ``answer.state`` says how."""
    headers = msgspec.json.encode([(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers])
    values = (answer.state, now_ms, answer.status, headers.decode(), pack(answer.body))
    connection.execute(_FINISH, (*values, *claimed.name, claimed.request_id))


def release(connection: Connection, claimed: Claim) -> None:
    """The call failed: whoever comes next with the name makes it anew."""
    connection.execute(_DELETE, (*claimed.name, claimed.request_id))


def give_signs(connection: Connection, claimed: Iterable[Claim], now_ms: int) -> None:
    """Say that these calls are under way still."""
    for one in claimed:
        connection.execute(_SIGN, (now_ms, *one.name, one.request_id))


def sweep_idempotency(connection: Connection, now_s: int) -> bool:
    """Delete some rows whose day is over; False: there were none."""
    return connection.execute(_SWEEP, (now_s, SWEEP_ROWS)).rowcount > 0


def _begin(connection: Connection, wanted: Claim, now_ms: int) -> bool:
    values = (*wanted.name, wanted.digest, wanted.process, wanted.request_id, now_ms, (now_ms + KEPT_MS) // 1000)
    return connection.execute(_BEGIN, values).rowcount == 1


def _find(connection: Connection, name: Name) -> _Row | None:
    row = connection.execute(_FIND, name).fetchone()
    return None if row is None else _Row(*row)


def _is_dead(row: _Row, now_ms: int) -> bool:
    return row.state == "running" and row.at < now_ms - SILENT_MS


def _came_to_nothing(connection: Connection, request_id: str) -> bool:
    """The ledger knows the call, and that it cost nothing: whoever made it got no answer."""
    row = connection.execute("SELECT state FROM charges WHERE id = ?", (request_id,)).fetchone()
    return row is not None and row[0] == "void"


def _kept(row: _Row) -> Kept:
    if row.state not in {"whole", "stream"}:
        return Kept(row.state, bytes(row.digest))
    pairs = msgspec.json.decode(row.headers or "[]", type=list[tuple[str, str]])
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)
    return Kept(row.state, bytes(row.digest), row.status or 0, headers, unpack(bytes(row.body or b"")))
