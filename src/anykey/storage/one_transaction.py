"""Several changes in one transaction: what each would do in a transaction of its own, all of them do in a common one.

Law: whoever works on the database that `one_transaction` gives begins, commits and closes as ever, and nothing of it happens
until the block ends. An exception that leaves the block undoes all of it; so does one that somebody in it caught, if a
statement failed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from anykey.storage.database import BUSY_TIMEOUT_S, Connection, Cursor, Database, Dialect
from anykey.storage.errors import DatabaseError

_GENERATIONS = ("key_generation", "configuration_generation")


class _Joined:
    """A connection that takes part."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Cursor:
        """Run one statement."""
        return self._connection.execute(statement, values)

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> None:
        """Run one statement for each of `rows`."""
        self._connection.executemany(statement, rows)

    def begin(self) -> None:
        """The common one has begun."""

    def commit(self) -> None:
        """The common one goes on."""

    def rollback(self) -> None:
        """The exception behind this undoes the common one."""

    def close(self) -> None:
        """The common one goes on."""


class CommonDatabase:
    """A Database whose connections are all one. No SQLAlchemy: its transactions would be others."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self.undone = False

    def undo(self) -> None:
        """Let nothing of it happen: it was only to see what would."""
        self.undone = True

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""
        return self._database.dialect

    @property
    def name(self) -> str:
        """What it is called to people."""
        return self._database.name

    def identity(self) -> object | None:
        """As that of the database."""
        return self._database.identity()

    def connect(self, *, read_only: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Connection:  # noqa: ARG002
        """The common connection, which sees what was written in it."""
        return _Joined(self._connection)

    def driver_connection(self, patience_s: float | None) -> Any:  # noqa: ARG002
        """Refused. Raises DatabaseError."""
        raise DatabaseError("a common transaction has one connection")


@contextmanager
def one_transaction(database: Database) -> Generator[CommonDatabase]:
    """The database for what belongs together. The rows that every change of keys and of the configuration takes are taken
    first, in one order, so that two such blocks never wait for each other. Raises DatabaseError."""
    with closing(database.connect()) as connection:
        connection.begin()
        try:
            for generation in _GENERATIONS:
                connection.execute(f"UPDATE {generation} SET value = value + 1")  # noqa: S608 - our own words
            common = CommonDatabase(database, connection)
            yield common
            if common.undone:
                connection.rollback()
            else:
                connection.commit()
        except BaseException:
            connection.rollback()
            raise
