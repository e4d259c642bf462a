"""Changes of what the server routes by, made without SQLAlchemy: the serving process makes some of them itself."""

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from anykey.storage.audit import Deed, append
from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError, StorageError

T = TypeVar("T")


def changing(database: Database, change: Callable[[Connection], T], tell: Callable[[T], Deed] | None = None) -> T:
    """Run `change` in a transaction, which counts the configuration generation up if what it returns is true: that something is
    different now. Returns the same. `tell` says what to write to the audit log of it. Raises StorageError."""
    try:
        with closing(database.connect()) as connection, whole(connection):
            if database.dialect == "postgresql":  # one change after another, as BEGIN does it in SQLite
                connection.execute("SELECT value FROM configuration_generation FOR UPDATE")
            result = change(connection)
            if result:
                connection.execute("UPDATE configuration_generation SET value = value + 1")
                if tell is not None:
                    append(connection, tell(result))
            return result
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
