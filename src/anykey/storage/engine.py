"""SQLAlchemy's way into the database, for what operators do. The serving path does not come here."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from anykey.storage.database import Database
from anykey.storage.errors import StorageError


@contextmanager
def transaction(database: Database) -> Generator[Connection]:
    """A connection inside BEGIN … COMMIT, rolled back on any exception.

    SQLite takes the write lock at the first write; begin with that write and waiting for another writer just works.
    Raises StorageError where the database fails.
    """
    try:
        with engine_for(database).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        reason = error.__cause__ or error
        raise StorageError("storage.failed", path=database.path, reason=reason) from error


@lru_cache(maxsize=8)
def engine_for(database: Database) -> Engine:
    """An engine that keeps no connection open between transactions, so there is nothing to close."""

    def connect() -> sqlite3.Connection:
        return database.connect()

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Our connections are in autocommit mode, where the driver says no BEGIN of its own accord."""
    connection.exec_driver_sql("BEGIN")
