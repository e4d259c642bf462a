"""The one file, and how a connection to it is made. No SQLAlchemy here: the serving process never loads it.

WAL lets readers and the single writer work side by side; `synchronous=NORMAL` survives kill -9 and, after a power cut,
may miss the last moments but is never corrupt. Connections are in autocommit mode: whoever needs a transaction says BEGIN.
"""

import os
import sqlite3
from pathlib import Path

import msgspec

FILE_NAME = "anykey.db"
BUSY_TIMEOUT_S = 5.0


class Database(msgspec.Struct, frozen=True):
    """Where the data is; holds nothing open."""

    path: Path

    def identity(self) -> tuple[int, int] | None:
        """Which file it is at the moment (device, inode), None where there is none. A restored backup is another file, and
        a connection to the old one goes on working: on a file that nobody sees any more."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def connect(self, *, read_only: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
        """A new connection, to be closed by the caller and used by one thread at a time. Never creates the file."""
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


def create_file(home: Path) -> Database:
    """The database in `home`, its file made if it is missing, readable by its owner only (so are its -wal and -shm)."""
    path = home / FILE_NAME
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return Database(path)
