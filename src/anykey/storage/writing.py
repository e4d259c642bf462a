"""Changes of money, made without SQLAlchemy. Unlike other changes they count no generation up: nothing routes by them."""

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError, StorageError

T = TypeVar("T")


def writing(database: Database, change: Callable[[Connection], T]) -> T:
    """Run `change` in a transaction. Whatever it raises undoes it. Raises StorageError."""
    try:
        with closing(database.connect()) as connection, whole(connection):
            return change(connection)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def reading_whole(database: Database, read: Callable[[Connection], T]) -> T:
    """Run `read` on one moment of the database: what others commit meanwhile is not seen. Nobody is held up. Raises
    StorageError."""
    begin = "BEGIN" if database.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    try:
        with closing(database.connect(read_only=True)) as connection:
            connection.execute(begin)
            try:
                return read(connection)
            finally:
                connection.rollback()
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
