"""The schema is brought up to date at start: forward only, numbered, under a lock, never touched if it is newer.

Only tables that a revision names are ever touched: what else there is in the database is somebody else's. The stored revision is
read with plain SQL first, so that Alembic (a third of a second, 40 MB) is loaded only when there is something to do.
"""

import importlib
from contextlib import closing
from pathlib import Path

from anykey.storage.database import Database, has_table
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.lock import exclusive, exclusive_session
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase, create_file

MIGRATIONS = Path(__file__).parent / "migrations"


def locate_database(home: Path, url: str | None = None) -> Database:
    """The database that `url` names, else the file in `home`; nothing is opened or made. Raises StorageError where the driver
    for it is not installed."""
    if url is None:
        return SqliteDatabase(home / FILE_NAME)
    try:
        module = importlib.import_module("anykey.storage.postgres_database")  # psycopg, for those who have such a URL
    except ImportError as error:
        raise StorageError("storage.no_driver", reason=error) from error
    database: Database = module.PostgresDatabase(url)
    return database


def open_database(home: Path) -> SqliteDatabase:
    """The database file of `home`, made and migrated as needed. Raises StorageError where it cannot be used."""
    database = create_file(home)
    try:
        if stored_revision(database) != packaged_revisions()[-1]:
            with exclusive(home):
                _bring_up_to_date(database)
    except DatabaseError as error:
        raise StorageError("storage.unusable", path=database.name, reason=error) from error
    return database


def open_server(url: str) -> Database:
    """The PostgreSQL database that `url` names, migrated as needed. Raises StorageError where it cannot be used."""
    database = locate_database(Path(), url)
    try:
        if stored_revision(database) != packaged_revisions()[-1]:
            with exclusive_session(database):
                _bring_up_to_date(database)
    except DatabaseError as error:
        raise StorageError("storage.unusable", path=database.name, reason=error) from error
    return database


def packaged_revisions() -> list[str]:
    """The revisions of this release, oldest first: the numbers that open the file names of migrations/versions."""
    return sorted(file.stem.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def stored_revision(database: Database) -> str | None:
    """The revision the database is at; None for a new one. Raises DatabaseError."""
    with closing(database.connect()) as connection:
        known = has_table(database, connection, "alembic_version")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return None if row is None else str(row[0])


def _bring_up_to_date(database: Database) -> None:
    """Under the lock: another process may have been here while we waited."""
    revisions, stored = packaged_revisions(), stored_revision(database)
    if stored is not None and stored not in revisions:
        raise StorageError("storage.newer", path=database.name, stored=stored, known=revisions[-1])
    if stored != revisions[-1]:
        if database.dialect == "sqlite":
            with closing(database.connect()) as connection:
                connection.execute("PRAGMA journal_mode=WAL")  # kept in the file
        importlib.import_module("anykey.storage.migrations.run").upgrade(database)
