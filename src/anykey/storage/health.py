"""What is not well, shared by all processes of one database: a row for each open circuit, resting or disabled credential.

Only transitions are written, by a thread of their own; what others wrote is looked at once a second at most: in a file at once,
on a server by the same thread, for the look after this one. A row is a hint that ends by itself (`until_ms`): a database that
fails costs the sharing, never a call.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Literal

import msgspec

from anykey.accounts.permissions import LOCAL
from anykey.storage.audit import Deed, append
from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError, StorageError

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
KEPT_MS = 3600 * 1000
"""How long a row stays after its end, to be seen by `anykey providers status`."""
LONGEST_REASON = 300


HealthState = Literal["open", "barred", "resting", "slowed", "disabled"]
"""A deployment's circuit is open, or it has not the model (for this credential); a credential rests because its provider named a
time, or for a time we guessed, or is disabled."""


class HealthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not well. `deployment` is "" for a credential as such; times are Unix milliseconds; `reason` is the kind
    of the failure, a colon and its message; `changed_by` names the process."""

    deployment: str
    credential: str
    state: HealthState
    until_ms: int | None
    reason: str
    changed_ms: int
    changed_by: str = ""


_FIELDS = HealthRow.__struct_fields__
_COLUMNS = ", ".join(_FIELDS)
_PUT = f"""INSERT INTO health ({_COLUMNS}) VALUES ({", ".join("?" * len(_FIELDS))}) ON CONFLICT (deployment, credential)
DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FIELDS[2:])}"""  # noqa: S608 our own names
_DROP = "DELETE FROM health WHERE deployment = ? AND credential = ?"
_DROP_OLD = "DELETE FROM health WHERE until_ms < ?"
_READ = f"SELECT {_COLUMNS} FROM health ORDER BY changed_ms DESC"  # noqa: S608 our own names


class HealthShare:
    """This process's part. `look` is for one thread; `put` and `drop` return at once. Nothing here raises."""

    def __init__(self, database: Database) -> None:
        self.author = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anykey-health")
        self._written: set[tuple[str, str]] = set()
        self._on_server = database.dialect != "sqlite"
        self._reading = False
        self._latest: tuple[list[HealthRow], frozenset[tuple[str, str]]] | None = None
        self._offered: tuple[list[HealthRow], frozenset[tuple[str, str]]] | None = None
        self._reader: Connection | None = None  # the thread's alone where the database is on a server
        self._file: object | None = None
        self._data_version = -1
        self._look_at = 0.0
        self._failed = False

    def put(self, row: HealthRow) -> None:
        """Tell the others."""
        row = signed(row, self.author)

        def change(connection: Connection) -> None:
            connection.execute(_PUT, msgspec.structs.astuple(row))
            self._written.add((row.deployment, row.credential))

        self._submit(change)

    def drop(self, deployment: str, credential: str) -> None:
        """Tell the others that it is well again."""

        def change(connection: Connection) -> None:
            connection.execute(_DROP, (deployment, credential))
            self._written.discard((deployment, credential))

        self._submit(change)

    def written(self) -> frozenset[tuple[str, str]]:
        """The (deployment, credential) of the rows that this process has committed and not dropped again; on a server, those of
        them that the next look can know of."""
        if not self._on_server:
            return frozenset(self._written)
        self._take_latest()
        return frozenset() if self._offered is None else self._offered[1]

    def look(self) -> list[HealthRow] | None:
        """All rows, those of this process and those whose time is over too; None: nothing was committed since the last look."""
        now = time.monotonic()
        if now < self._look_at:
            return None
        self._look_at = now + LOOK_EVERY_S
        if self._on_server:
            return self._look_behind()
        try:
            return self._read()
        except DatabaseError as error:
            self._disconnect()
            self._complain(error)
            return None

    def close(self) -> None:
        """Write what is still to be written, and let go of the database."""
        self._thread.shutdown(cancel_futures=self._failed)
        self._disconnect()
        self._look_at = float("inf")

    def _look_behind(self) -> list[HealthRow] | None:
        """What the thread has read meanwhile, and let it read again."""
        self._take_latest()
        offered, self._offered = self._offered, None
        if not self._reading:
            self._reading = True
            with suppress(RuntimeError):  # the gateway is stopping
                self._thread.submit(self._read_behind)
        return None if offered is None else offered[0]

    def _take_latest(self) -> None:
        """`written` and the `look` after it speak of the same reading."""
        if self._offered is None:
            self._offered, self._latest = self._latest, None

    def _read_behind(self) -> None:
        """In the thread, which has written all that it will find in `written`."""
        written = frozenset(self._written)
        try:
            if self._reader is None:
                self._reader = self._database.connect(read_only=True, busy_timeout_s=0)
            self._latest = _rows(self._reader), written
            self._failed = False
        except DatabaseError as error:
            self._disconnect()
            self._complain(error)
        finally:
            self._reading = False

    def _read(self) -> list[HealthRow] | None:
        file = self._database.identity()
        if self._reader is None or file != self._file:
            self._disconnect()
            self._reader = self._database.connect(read_only=True, busy_timeout_s=0)
            self._file = file
        version: int = self._reader.execute("PRAGMA data_version").fetchone()[0]
        if version == self._data_version:
            return None
        rows = _rows(self._reader)
        self._data_version = version
        self._failed = False
        return rows

    def _submit(self, change: Callable[[Connection], object]) -> None:
        try:
            self._thread.submit(self._write, change)
        except RuntimeError:
            _log.debug("the gateway is stopping: a change of health is not shared")

    def _write(self, change: Callable[[Connection], object]) -> None:
        """In the thread. Transitions are rare, so each has a connection of its own."""
        try:
            with closing(self._database.connect()) as connection:
                change(connection)
                connection.execute(_DROP_OLD, (int(time.time() * 1000) - KEPT_MS,))
        except DatabaseError as error:
            self._complain(error)

    def _complain(self, error: DatabaseError) -> None:
        if not self._failed:
            self._failed = True
            _log.warning("health cannot be shared through the database: %s", error)

    def _disconnect(self) -> None:
        self._data_version = -1
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def signed(row: HealthRow, author: str) -> HealthRow:
    """The row as it is shared: with its author, and an upstream's words bounded and fit to be written anywhere."""
    reason = row.reason[:LONGEST_REASON].encode("utf-8", "replace").decode()
    return msgspec.structs.replace(row, changed_by=author, reason=reason)


def read_health(database: Database) -> list[HealthRow]:
    """All rows, the newest first. Raises StorageError."""
    try:
        with closing(database.connect(read_only=True)) as connection:
            return _rows(connection)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def forget_health(database: Database, rows: Iterable[HealthRow], name: str = "", author: str = LOCAL.name) -> None:
    """Take these rows away, which every running gateway understands as: well again. `author` means them by `name`. Raises
    StorageError."""
    marks = [(row.deployment, row.credential) for row in rows]
    deed = Deed(actor=author, action="providers.enable", target_kind="provider", target=name, before={"rows": marks})
    try:
        with closing(database.connect()) as connection, whole(connection):
            connection.executemany(_DROP, marks)
            append(connection, deed)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def _rows(connection: Connection) -> list[HealthRow]:
    return [HealthRow(**dict(zip(_FIELDS, row, strict=True))) for row in connection.execute(_READ)]
