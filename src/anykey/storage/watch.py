"""The server's view of the issued keys, true to the database.

SQLite: another process may create or revoke a key at any moment, and that counts for the very next call. `data_version` says
whether any other connection has committed; only then is the key generation read, and only if that moved are the keys. Asking
costs a few system calls (15 us, and twice that where calls themselves commit all the time), so calls within the same millisecond
share one answer: no process can change a key and have its user send a request in less. While more than one call a millisecond
comes, it is asked no more than 100 times a second, except for a key that is not found good.

PostgreSQL: nobody waits for a server on the event loop, so a thread looks at the generation four times a second.

A database that fails, or whose file is gone, leaves the last known keys in force; a restored backup brings its own.
"""

import logging
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

from anykey.accounts.keys import ApiKey
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError
from anykey.storage.key_reading import read_keys

_log = logging.getLogger(__name__)

REOPEN_AFTER_S = 1.0
ASK_EVERY_S = 0.001
BUSY_TIMES = 10
"""So many times longer is an answer good while calls come faster than that."""
POLL_EVERY_S = 0.25
CLOSE_WAIT_S = 3.0
_GENERATION = {
    "sqlite": "SELECT value FROM key_generation",
    "postgresql": "SELECT value, tableoid FROM key_generation",  # a restored table is another one
}


class KeyWatch:
    """Holds the keys, by id, in `keys`. Opens the database when made (DatabaseError if it cannot)."""

    def __init__(self, database: Database) -> None:
        self.keys: Mapping[str, ApiKey] = MappingProxyType({})
        self._database = database
        self._failed = False
        self._reopen_at = 0.0
        self._ask_at = self._asked_at = 0.0
        self._asks = 0
        self._generation: object = None
        self._data_version: object = None
        self._connection: Connection | None = None
        self._file: object | None = None
        self._versioned = database.dialect == "sqlite"
        self._open()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if not self._versioned:
            self._thread = threading.Thread(target=self._poll, name="anykey-keys", daemon=True)
            self._thread.start()

    def refresh_if_changed(self, *, even_if_busy: bool = False) -> None:
        """Bring `keys` up to date. Never raises and never waits for a lock or a server: on failure the known keys stay.
        `even_if_busy`: a key was not found good, and may have been made this moment."""
        if even_if_busy:
            self._ask_at = min(self._ask_at, self._asked_at + ASK_EVERY_S)
        if self._versioned:
            self._refresh()

    def close(self) -> None:
        """Let go of the database; `keys` stay as they are."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(CLOSE_WAIT_S)
        else:
            self._disconnect()
        self._reopen_at = float("inf")

    def _poll(self) -> None:
        """The thread's life."""
        while not self._ended.wait(POLL_EVERY_S):
            self._refresh()
        self._disconnect()

    def _refresh(self) -> None:
        now = time.monotonic()
        self._asks += 1
        if now < self._ask_at:
            return
        busy = self._asks * ASK_EVERY_S > now - self._asked_at
        self._ask_at = now + ASK_EVERY_S * (BUSY_TIMES if busy else 1)
        self._asks, self._asked_at = 0, now
        try:
            if self._connection is None:
                if now < self._reopen_at:
                    return
                self._open()
            elif self._database.identity() != self._file:
                self._disconnect()
                self._open()
            elif not self._versioned or _data_version(self._connection) != self._data_version:
                self._look(self._connection)
        except DatabaseError as error:
            self._fail(error)

    def _open(self) -> None:
        self._generation = self._data_version = None
        self._file = self._database.identity()
        connection = self._database.connect(read_only=True, busy_timeout_s=0)
        try:
            self._look(connection)
        except DatabaseError:
            connection.close()
            raise
        self._connection = connection
        if self._failed:
            self._failed = False
            _log.warning("the keys are read from the database again")

    def _look(self, connection: Connection) -> None:
        # The version is read first: a commit that falls between the two is then seen by the next look.
        data_version = _data_version(connection) if self._versioned else None
        generation: object = connection.execute(_GENERATION[self._database.dialect]).fetchone()
        if generation is None:
            raise DatabaseError("the key generation is gone")
        if generation != self._generation:
            self.keys = read_keys(connection)
        self._generation, self._data_version = generation, data_version

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fail(self, error: DatabaseError) -> None:
        self._disconnect()
        self._reopen_at = time.monotonic() + REOPEN_AFTER_S
        if not self._failed:
            self._failed = True
            _log.error("the database fails, the last known keys stay in force: %s", error)


def _data_version(connection: Connection) -> int:
    """Another number once any other connection has committed to the file."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
