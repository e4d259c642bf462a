"""The one file, and how a connection to it is made.

WAL lets readers and the single writer work side by side; `synchronous=NORMAL` survives kill -9 and, after a power cut,
may miss the last moments but is never corrupt.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from anykey.storage.database import BUSY_TIMEOUT_S, Cursor
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError

FILE_NAME = "anykey.db"


class SqliteDatabase(msgspec.Struct, frozen=True):
    """The database in a file."""

    path: Path

    @property
    def dialect(self) -> Literal["sqlite"]:
        """Which SQL it speaks."""
        return "sqlite"

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def identity(self) -> tuple[int, int] | None:
        """Which file it is at the moment (device, inode), None where there is none. A restored backup is another file, and
        a connection to the old one goes on working: on a file that nobody sees any more."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def connect(self, *, read_only: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S) -> SqliteConnection:
        """A new connection. Never creates the file."""
        try:
            return SqliteConnection(self._open(read_only, busy_timeout_s))
        except sqlite3.Error as error:
            raise _told(error) from error

    def driver_connection(self, patience_s: float | None) -> sqlite3.Connection:  # noqa: ARG002 - one writer waits its turn
        """A connection of the driver's own."""
        return self._open(read_only=False, busy_timeout_s=BUSY_TIMEOUT_S)

    def _open(self, read_only: bool, busy_timeout_s: float) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
            uri=True,
            isolation_level=None,
            timeout=busy_timeout_s,
            check_same_thread=False,
        )
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


class SqliteConnection:
    """A Connection to a file."""

    __slots__ = ("_driver",)

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Cursor:
        """Run one statement. PRAGMAs are told as errors or rows, like everything else."""
        try:
            cursor = self._driver.execute(statement, values)  # pyright: ignore[reportArgumentType] - the driver judges them
            return Cursor(cursor.fetchall(), cursor.rowcount)
        except sqlite3.Error as error:
            raise _told(error) from error
        except (UnicodeError, OverflowError) as error:
            raise BadValueError(str(error)) from error

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> None:
        """Run one statement for each of `rows`."""
        for row in rows:
            self.execute(statement, row)

    def begin(self) -> None:
        """BEGIN IMMEDIATE."""
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """COMMIT."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """ROLLBACK, where there is still something to undo: some errors have done it already."""
        with suppress(sqlite3.Error):
            if self._driver.in_transaction:
                self._driver.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._driver.close()


def create_file(home: Path) -> SqliteDatabase:
    """The database in `home`, its file made if it is missing, readable by its owner only (so are its -wal and -shm)."""
    path = home / FILE_NAME
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return SqliteDatabase(path)


def _told(error: sqlite3.Error) -> DatabaseError:
    """The driver's error in our classes."""
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintError(str(error))
    # 3.11 raises InterfaceError where later releases raise ProgrammingError; both have other uses too.
    if isinstance(error, sqlite3.DataError) or "binding parameter" in str(error):
        return BadValueError(str(error))
    return DatabaseError(str(error))
