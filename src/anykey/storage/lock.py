"""One process at a time: a lock held on a file, or by a session in PostgreSQL; released by the system whatever happens to its
holder."""

import fcntl
import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from anykey.storage.database import Database
from anykey.storage.errors import StorageError

LOCK_NAME = "anykey.lock"
MIGRATION_WAIT_S = 600.0
"""How long a start waits for another process that brings the schema up to date."""


@contextmanager
def exclusive(home: Path) -> Generator[None]:
    """Hold the lock of `home`; waits for another holder. For start-up work only: it blocks the thread."""
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(home: Path, database: Database) -> Generator[None]:
    """Hold the lock of whatever the processes share: the database server, else the data directory. Raises DatabaseError."""
    with exclusive(home) if database.dialect == "sqlite" else exclusive_session(database):
        yield


@contextmanager
def exclusive_session(database: Database) -> Generator[None]:
    """Hold the start-up lock of a PostgreSQL database (of its schema); waits for another holder. Raises DatabaseError."""
    with closing(database.connect(busy_timeout_s=MIGRATION_WAIT_S)) as connection:
        schema = connection.execute("SELECT current_schema()").fetchone()[0]
        if schema is None:
            raise StorageError("storage.no_schema", path=database.name)
        connection.execute("SELECT pg_advisory_lock(hashtextextended(?, 0))", (f"anykey start {schema}",))
        yield
