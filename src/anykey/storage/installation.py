"""What all processes of one database must agree on: whoever comes first says it. No SQLAlchemy here."""

from contextlib import closing

from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError, StorageError

_READ = "SELECT value FROM installation WHERE name = ?"
_CLAIM = "INSERT INTO installation (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"


def claimed(database: Database, name: str) -> str | None:
    """What was said; None: nothing yet. Raises StorageError."""
    try:
        with closing(database.connect()) as connection:
            row = connection.execute(_READ, (name,)).fetchone()
            return None if row is None else str(row[0])
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def claim(database: Database, name: str, value: str) -> str:
    """Say `value`, unless something was said before. Returns what holds. Raises StorageError."""
    known = claimed(database, name)
    if known is not None:
        return known
    try:
        with closing(database.connect()) as connection:
            connection.execute(_CLAIM, (name, value))
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
    return claimed(database, name) or value
