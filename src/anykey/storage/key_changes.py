"""Changes of what keys may, made without SQLAlchemy. Each counts the key generation up: every process reads them again."""

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError, StorageError

T = TypeVar("T")


def changing_keys(database: Database, change: Callable[[Connection], T]) -> T:
    """Run `change` in a transaction whose first statement takes the one row of the key generation: such changes come one after
    another, and what one of them reads is not old when it writes. Whatever `change` raises undoes it. Raises StorageError."""
    try:
        with closing(database.connect()) as connection, whole(connection):
            connection.execute("UPDATE key_generation SET value = value + 1")
            return change(connection)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def reading(database: Database, read: Callable[[Connection], T]) -> T:
    """Run `read` on a connection that only reads. Raises StorageError."""
    try:
        with closing(database.connect(read_only=True)) as connection:
            return read(connection)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
