"""Which processes live, and what becomes of the charges of those that do not.

Every process that opens charges has a row and renews it each second, in a thread of its own. One whose row another has seen
unchanged for a while is taken for dead; by the watcher's own clock, so no two machines need agree on the time. A database that
answered nobody meanwhile makes nobody dead: a watcher that could not look every second begins anew. On the machine where it ran,
a process that is no more is known at once. Its open charges become `unknown`: their estimates stay held, and a minimal usage row
shows them.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import insert_rows

_log = logging.getLogger(__name__)

BEAT_S = 1.0
SILENT_S = 3.0
LOOK_GAP_S = 2.0
UNKNOWN_OUTCOME = "unknown_outcome"
STOP_S = 5.0

_ENTER = """INSERT INTO processes (id, host, pid, started_ms, beat_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET beat_ms = excluded.beat_ms"""
_LEAVE = "DELETE FROM processes WHERE id = ?"
_OTHERS = "SELECT id, host, pid, beat_ms FROM processes WHERE id <> ?"
_OPEN_OF = "SELECT DISTINCT process FROM charges WHERE state = 'open' AND process <> ?"
_GIVE_UP = """UPDATE charges SET state = 'unknown', basis = 'unknown' WHERE state = 'open' AND process = ?
RETURNING id, at, key_id, client, client_protocol, model, deployment, organisation, team, member_id, price_id"""


def this_host() -> str:
    """Where process ids mean the same as here: the machine, since it was started, and the namespace."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def enter(connection: Connection, process_id: str, now_ms: int) -> None:
    """Say that this process lives."""
    connection.execute(_ENTER, (process_id, this_host(), os.getpid(), now_ms, now_ms))


class Watch:
    """Finds the dead among the other processes. One look after another, with one clock."""

    def __init__(self, process_id: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._process_id = process_id
        self._clock_s = clock_s
        self._host = this_host()
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked_s = float("-inf")

    def look(self, connection: Connection) -> int:
        """Give up the charges of those that are dead; returns how many. Raises DatabaseError."""
        opened = {row[0] for row in connection.execute(_OPEN_OF, (self._process_id,))}
        others = connection.execute(
            _OTHERS, (self._process_id,)
        ).fetchall()  # after: who opens has said before that it lives
        known = {row[0] for row in others}
        dead = opened - known
        now_s = self._clock_s()
        looks_on = now_s - self._looked_s <= LOOK_GAP_S
        self._looked_s = now_s
        self._seen = {process: seen for process, seen in self._seen.items() if process in known and looks_on}
        for process, host, pid, beat_ms in others:
            beat, since_s = self._seen.get(process, (None, 0.0))
            if beat != beat_ms:
                self._seen[process] = (beat_ms, now_s)
            elif now_s - since_s > SILENT_S:
                dead.add(process)
            if host == self._host and not _runs(pid):
                dead.add(process)
        return sum(give_up(connection, process) for process in sorted(dead))


def give_up(connection: Connection, process_id: str) -> int:
    """Make the open charges of a process that died unknown, and leave a usage row for each. Returns how many there were."""
    with whole(connection):
        rows = connection.execute(_GIVE_UP, (process_id,)).fetchall()
        insert_rows(connection, [_guess(row) for row in rows])
        connection.execute(_LEAVE, (process_id,))
    return len(rows)


def _guess(
    row: tuple[str, int, str, str, str, str, str | None, str, str | None, str | None, str | None],
) -> ExchangeRow:
    """All that is known of a call whose process died. No status: nobody knows what its caller got."""
    charge_id, at, key_id, client, client_protocol, model, deployment, organisation, team, member_id, price_id = row
    return ExchangeRow(
        id=charge_id,
        at=at,
        key_id=key_id,
        client=client,
        client_protocol=client_protocol,
        model_asked=model,
        deployment=deployment,
        organisation=organisation,
        team=team,
        member_id=member_id,
        stream=False,
        attempts=1,
        status=0,
        failure=UNKNOWN_OUTCOME,
        total_ms=0,
        cost_basis="unknown",
        price_id=price_id,
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


class Heart:
    """The thread that gives signs of life, and looks for others' every time."""

    def __init__(self, database: Database, process_id: str) -> None:
        self._database = database
        self._process_id = process_id
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anykey-heart", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and say so: what this process left open is nobody's any more. Blocks for a moment."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        connection: Connection | None = None
        identity: object | None = None
        watch = Watch(self._process_id)
        while True:
            last = self._stopping.is_set()
            try:
                if connection is not None and identity != self._database.identity():
                    connection.close()
                    connection = None
                if connection is None:
                    identity = self._database.identity()
                    connection = self._database.connect()
                if last:
                    connection.execute(_LEAVE, (self._process_id,))
                else:
                    self._beat(connection, watch)
            except DatabaseError as error:
                _log.debug("no sign of life could be given: %s", error)
                if connection is not None:
                    connection.close()
                    connection = None
                watch = Watch(self._process_id)  # a silence in which nobody could speak says nothing
            if last:
                break
            self._stopping.wait(BEAT_S)
        if connection is not None:
            connection.close()

    def _beat(self, connection: Connection, watch: Watch) -> None:
        enter(connection, self._process_id, time.time_ns() // 1_000_000)
        given_up = watch.look(connection)
        if given_up:
            _log.warning("%d calls of a process that died have an unknown outcome", given_up)
