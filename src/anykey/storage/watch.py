"""The server's view of the issued keys, true to the database at every request.

Another process may create or revoke a key at any moment, and that must count for the very next call. SQLite's
`data_version` says whether any other connection has committed; only then is the key generation read, and only if that
moved are the keys. Asking costs a few system calls (15 us in a busy process), so calls within the same millisecond share
one answer: no process can change a key and have its user send a request in less. A database that fails, or whose file is
gone, leaves the last known keys in force; a restored backup brings its own.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from anykey.accounts.keys import ApiKey
from anykey.storage.database import Database

_log = logging.getLogger(__name__)

REOPEN_AFTER_S = 1.0
ASK_EVERY_S = 0.001
_PLAIN = ("id", "name", "digest", "last4", "created_at", "revoked_at")
_SELECT_KEYS = """SELECT id, name, digest, last4, created_at, revoked_at, strict, group_name, team, allowed_models, config,
metadata, admin FROM api_keys"""


class KeyWatch:
    """Holds the keys, by id, in `keys`. For one thread; opens the database when made (sqlite3.Error if it cannot)."""

    def __init__(self, database: Database) -> None:
        self.keys: Mapping[str, ApiKey] = MappingProxyType({})
        self._database = database
        self._failed = False
        self._reopen_at = 0.0
        self._ask_at = 0.0
        self._generation = self._data_version = -1
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._open()

    def refresh_if_changed(self) -> None:
        """Bring `keys` up to date. Never raises and never waits for a lock: on failure the known keys stay."""
        now = time.monotonic()
        if now < self._ask_at:
            return
        self._ask_at = now + ASK_EVERY_S
        try:
            if self._connection is None:
                if now < self._reopen_at:
                    return
                self._open()
            elif self._database.identity() != self._file:
                self._disconnect()
                self._open()
            elif self._connection.execute("PRAGMA data_version").fetchone()[0] != self._data_version:
                self._look(self._connection)
        except sqlite3.Error as error:
            self._fail(error)

    def close(self) -> None:
        """Let go of the database; `keys` stay as they are."""
        self._disconnect()
        self._reopen_at = float("inf")

    def _open(self) -> None:
        self._generation = self._data_version = -1
        self._file = self._database.identity()
        connection = self._database.connect(read_only=True, busy_timeout_s=0)
        try:
            self._look(connection)
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection
        if self._failed:
            self._failed = False
            _log.warning("the keys are read from the database again")

    def _look(self, connection: sqlite3.Connection) -> None:
        # The version is read first: a commit that falls between the two is then seen by the next look.
        data_version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        generation: int = connection.execute("SELECT value FROM key_generation").fetchone()[0]
        if generation != self._generation:
            rows = connection.execute(_SELECT_KEYS).fetchall()
            self.keys = MappingProxyType({row[0]: _api_key(row) for row in rows})
        self._generation, self._data_version = generation, data_version

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fail(self, error: sqlite3.Error) -> None:
        self._disconnect()
        self._reopen_at = time.monotonic() + REOPEN_AFTER_S
        if not self._failed:
            self._failed = True
            _log.error("the database fails, the last known keys stay in force: %s", error)


def _api_key(row: tuple[Any, ...]) -> ApiKey:
    *head, strict, group_name, team, allowed_models, config, metadata, admin = row
    return ApiKey(
        **dict(zip(_PLAIN, head, strict=True)),
        strict=bool(strict),
        group_name=group_name,
        team=team,
        allowed_models=None if allowed_models is None else tuple(json.loads(allowed_models)),
        config=config,
        metadata=None if metadata is None else json.loads(metadata),
        admin=bool(admin),
    )
