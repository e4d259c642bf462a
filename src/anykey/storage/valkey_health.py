"""Health in Valkey (or Redis 7) beside the database: what one process finds out, the others hear of within a second.

Law: what is not well is what either place says, and it is well again when neither says otherwise. Each transition is written to
both, so either may be gone: without Valkey there is the database's share, as if no Valkey were configured, and Valkey goes on by
itself when it is back. What was well again meanwhile is then taken away there too.

There is one hash for each installation, with a field for each row and one, without a name, that changes with every change. Rows
are kept as long as those of the database; the hash ends with the last of them. Loaded only where a URL is configured.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, NamedTuple, cast

import msgspec
from valkey import Valkey
from valkey.exceptions import ValkeyError

from anykey.storage.health import KEPT_MS, HealthRow, HealthShare, signed
from anykey.storage.valkey_server import place_of, spelled

_log = logging.getLogger(__name__)

POLL_S = 0.25
LOOK_AGAIN_S = 1.0
TIMEOUT_S = 1.0
LOG_EVERY_S = 1.0
ENDLESS_MS = 2**52
"""The end of a row that names none."""

Pair = tuple[str, str]
"""A deployment ("": the credential as such) and a credential."""
_NONE: frozenset[Pair] = frozenset()

_CHANGE = """
local clock, kept = redis.call('TIME'), tonumber(ARGV[1])
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
local fields, last = redis.call('HGETALL', KEYS[1]), now
for i = 1, #fields, 2 do
  if fields[i] ~= '' then
    local ends = tonumber(string.match(fields[i + 1], '^%d+')) or 0
    if ends + kept < now then redis.call('HDEL', KEYS[1], fields[i]) end
    last = math.max(last, ends)
  end
end
redis.call('HSET', KEYS[1], '', clock[1] .. '.' .. clock[2])
redis.call('PEXPIREAT', KEYS[1], string.format('%d', last + kept))
"""
_DECODER = msgspec.json.Decoder(HealthRow)


class _Reading(NamedTuple):
    """What was in Valkey at a moment, and which rows this process had written there by then and not taken away."""

    rows: Mapping[Pair, HealthRow]
    written: frozenset[Pair]


class ValkeyHealth:
    """This process's part, over that of the database: ``exchange.ports.SharedHealth``. A thread of its own speaks with Valkey;
    nothing here raises, and only ``close`` waits. ``pepper`` is that of the installation."""

    def __init__(self, url: str, share: HealthShare, pepper: bytes) -> None:
        self.author = share.author
        self._share = share
        self._place = place_of(url)
        self._key = _key(pepper)
        self._client = _client(url)
        self._lock = threading.Lock()
        self._pending: dict[Pair, HealthRow | None] = {}  # under the lock
        self._written: set[Pair] = set()
        self._stamp: bytes | None = None
        self._latest: _Reading | None = None
        self._live = False
        self._failing = False
        self._logged_at = float("-inf")
        self._taken: _Reading | None = None
        self._in_database: dict[Pair, HealthRow] = {}
        self._in_valkey: dict[Pair, HealthRow] = {}
        self._gathered: tuple[list[HealthRow] | None, frozenset[Pair]] | None = None
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anykey-valkey-health", daemon=True)
        self._thread.start()

    def put(self, row: HealthRow) -> None:
        """Tell the others."""
        self._share.put(row)
        self._change((row.deployment, row.credential), signed(row, self.author))

    def drop(self, deployment: str, credential: str) -> None:
        """Tell the others that it is well again."""
        self._share.drop(deployment, credential)
        self._change((deployment, credential), None)

    def written(self) -> frozenset[Pair]:
        """The rows of this process of which the next look can know."""
        self._gathered = self._gather()
        return self._gathered[1]

    def look(self) -> list[HealthRow] | None:
        """All rows of both places, of a pair the newer; None: nothing new was read since the last look."""
        gathered, self._gathered = self._gathered or self._gather(), None
        return gathered[0]

    def close(self) -> None:
        """Write what is still to be written, where somebody listens, and let go of both places."""
        self._stopping = True
        self._wake.set()
        self._thread.join(3 * TIMEOUT_S)
        self._share.close()

    def _gather(self) -> tuple[list[HealthRow] | None, frozenset[Pair]]:
        """What `look` and `written` say."""
        written, rows, reading = self._share.written(), self._share.look(), self._latest
        if rows is None and reading is self._taken:
            return None, _NONE
        if rows is None:
            written = _NONE
        else:
            before, self._in_database = self._in_database.keys() | written, _by_pair(rows)
            if not self._live:
                self._take_away(before - self._in_database.keys())
        if reading is not None and reading is not self._taken:
            self._taken, self._in_valkey = reading, dict(reading.rows)
            written |= reading.written
        return _newest(self._in_database, self._in_valkey), written

    def _take_away(self, pairs: Iterable[Pair]) -> None:
        """They are well again, says the database, and Valkey cannot be told yet."""
        for pair in pairs:
            self._in_valkey.pop(pair, None)
            self._change(pair, None)

    def _change(self, pair: Pair, row: HealthRow | None) -> None:
        with self._lock:
            self._pending[pair] = row
        if self._live:
            self._wake.set()

    # In the thread

    def _run(self) -> None:
        with closing(self._client):
            while True:
                last = self._stopping
                try:
                    self._write()
                    self._read()
                except (ValkeyError, OSError) as error:
                    self._lost(error)
                else:
                    self._found()
                if last:
                    return
                self._wake.wait(POLL_S if self._live else LOOK_AGAIN_S)
                self._wake.clear()

    def _write(self) -> None:
        with self._lock:
            changes = dict(self._pending)
        if not changes:
            return
        _put(self._client, self._key, changes)
        for pair, row in changes.items():
            (self._written.discard if row is None else self._written.add)(pair)
        with self._lock:
            for pair, row in changes.items():
                if self._pending[pair] is row:
                    del self._pending[pair]

    def _read(self) -> None:
        if self._live and self._client.hget(self._key, b"") == self._stamp:
            return
        found = self._client.hgetall(self._key)
        self._stamp = found.pop(b"", None)
        self._latest = _Reading(_by_pair(_rows(found)), frozenset(self._written))

    def _lost(self, error: Exception) -> None:
        self._live = False
        self._written.clear()  # it may come back empty, which does not say that all is well
        if not self._failing:
            self._failing = True
            why = f"{self._place}: {error or type(error).__name__}"
            self._tell(logging.WARNING, f"health is shared through the database alone: {why}")

    def _found(self) -> None:
        self._live = True
        if self._failing:
            self._failing = False
            self._tell(logging.INFO, "health is shared through Valkey again")

    def _tell(self, level: int, line: str) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            _log.log(level, line)


def read_valkey_health(url: str, pepper: bytes) -> list[HealthRow]:
    """All rows of the installation in Valkey; none where nobody answers."""
    try:
        with closing(_client(url)) as client:
            return _rows(client.hgetall(_key(pepper)))
    except (ValkeyError, OSError) as error:
        _log.warning("Valkey does not say how providers are: %s: %s", place_of(url), error or type(error).__name__)
        return []


def forget_valkey_health(url: str, pepper: bytes, rows: Iterable[HealthRow]) -> None:
    """Take these rows away. Where nobody answers, the gateways do it later: they see that the database has them no more."""
    try:
        with closing(_client(url)) as client:
            _put(client, _key(pepper), dict.fromkeys(_by_pair(rows)))
    except (ValkeyError, OSError) as error:
        _log.warning("Valkey is told later: %s: %s", place_of(url), error or type(error).__name__)


def merged(one: Iterable[HealthRow], other: Iterable[HealthRow]) -> list[HealthRow]:
    """The rows of both places, of a pair the newer; the newest first."""
    return sorted(_newest(_by_pair(one), _by_pair(other)), key=lambda row: row.changed_ms, reverse=True)


def _newest(one: Mapping[Pair, HealthRow], other: Mapping[Pair, HealthRow]) -> list[HealthRow]:
    both = dict(one)
    for pair, row in other.items():
        known = both.get(pair)
        if known is None or known.changed_ms < row.changed_ms:
            both[pair] = row
    return list(both.values())


def _by_pair(rows: Iterable[HealthRow]) -> dict[Pair, HealthRow]:
    return {(row.deployment, row.credential): row for row in rows}


def _put(client: Any, key: str, changes: Mapping[Pair, HealthRow | None]) -> None:
    """Write rows and take away those of `None`, at once."""
    said: list[bytes | int] = [KEPT_MS]
    for pair, row in changes.items():
        said += (msgspec.json.encode(pair), b"" if row is None else _value(row))
    client.eval(_CHANGE, 1, key, *said)


def _value(row: HealthRow) -> bytes:
    """The row behind the moment it ends, which is what the script there looks at."""
    return b"%d %s" % (ENDLESS_MS if row.until_ms is None else row.until_ms, msgspec.json.encode(row))


def _rows(fields: Mapping[bytes, bytes]) -> list[HealthRow]:
    """The rows; what another release wrote otherwise is passed over."""
    rows: list[HealthRow] = []
    for field, value in fields.items():
        try:
            if field:
                rows.append(_DECODER.decode(value.partition(b" ")[2]))
        except msgspec.DecodeError:
            _log.debug("a row of health in Valkey is of another kind")
    return rows


def _key(pepper: bytes) -> str:
    """Installations that share a server do not share their providers. Nothing of the pepper can be read off it."""
    return "anykey:health:" + hashlib.blake2b(pepper, digest_size=8, person=b"anykey-health").hexdigest()


def _client(url: str) -> Any:
    """Its types are partial."""
    return cast(
        "Any",
        Valkey.from_url(  # pyright: ignore[reportUnknownMemberType]
            spelled(url),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=None,
            retry_on_error=[],
            client_name="anykey",
        ),
    )
