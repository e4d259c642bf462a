"""The schema is brought up to date at start: forward only, numbered, under a lock, never touched if it is newer.

The stored revision is read with plain SQL first, so that Alembic (a third of a second, 40 MB) is loaded only when there
is something to do.
"""

import importlib
import sqlite3
from contextlib import closing
from pathlib import Path

from anykey.storage.database import Database, create_file
from anykey.storage.errors import StorageError
from anykey.storage.lock import exclusive

MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(home: Path) -> Database:
    """The database of `home`, made and migrated as needed. Raises StorageError where it cannot be used."""
    database = create_file(home)
    try:
        _bring_up_to_date(database, home)
    except sqlite3.Error as error:
        raise StorageError("storage.unusable", path=database.path, reason=error) from error
    return database


def packaged_revisions() -> list[str]:
    """The revisions of this release, oldest first: the numbers that open the file names of migrations/versions."""
    return sorted(file.stem.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def stored_revision(database: Database) -> str | None:
    """The revision the file is at; None for a new file."""
    with closing(database.connect()) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return None if row is None else str(row[0])


def _bring_up_to_date(database: Database, home: Path) -> None:
    revisions = packaged_revisions()
    if stored_revision(database) == revisions[-1]:
        return
    with exclusive(home):
        stored = stored_revision(database)  # another process may have been here while we waited
        if stored is not None and stored not in revisions:
            raise StorageError("storage.newer", path=database.path, stored=stored, known=revisions[-1])
        if stored != revisions[-1]:
            with closing(database.connect()) as connection:
                connection.execute("PRAGMA journal_mode=WAL")  # kept in the file
            importlib.import_module("anykey.storage.migrations.run").upgrade(database)
