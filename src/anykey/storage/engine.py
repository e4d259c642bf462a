"""SQLAlchemy's way into the database, for what operators do. The serving path does not come here."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError, StorageError

PATIENCE_S = 60.0
"""How long one statement of an operator may take, where the database can be told so."""
_DRIVERS = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}


@contextmanager
def transaction(database: Database, patience_s: float | None = PATIENCE_S) -> Generator[Connection]:
    """A connection inside BEGIN … COMMIT, rolled back on any exception.

    SQLite takes the write lock at the first write; begin with that write and waiting for another writer just works.
    Raises StorageError where the database fails.
    """
    try:
        with engine_for(database, patience_s).begin() as connection:
            yield connection
    except (SQLAlchemyError, DatabaseError) as error:
        reason = error.__cause__ or error
        raise StorageError("storage.failed", path=database.name, reason=reason) from error


@lru_cache(maxsize=8)
def engine_for(database: Database, patience_s: float | None = PATIENCE_S) -> Engine:
    """An engine that keeps no connection open between transactions, so there is nothing to close."""

    def connect() -> Any:
        return database.driver_connection(patience_s)

    engine = create_engine(_DRIVERS[database.dialect], creator=connect, poolclass=NullPool)
    if database.dialect == "sqlite":
        event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Our connections to SQLite are in autocommit mode, where the driver says no BEGIN of its own accord."""
    connection.exec_driver_sql("BEGIN")
