"""Changes of what the server routes by, made without SQLAlchemy: the serving process makes some of them itself."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from anykey.storage.database import Database
from anykey.storage.errors import StorageError

T = TypeVar("T")


def changing(database: Database, change: Callable[[sqlite3.Connection], T]) -> T:
    """Run `change` in a transaction, which counts the configuration generation up if what it returns is true: that something is
    different now. Returns the same. Raises StorageError."""
    try:
        with closing(database.connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = change(connection)
                if result:
                    connection.execute("UPDATE configuration_generation SET value = value + 1")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result
    except sqlite3.Error as error:
        raise StorageError("storage.failed", path=database.path, reason=error) from error
