"""What every database offers, whichever it is: SQLite (sqlite_database.py) or PostgreSQL (postgres_database.py). No SQLAlchemy.

Statements are written once for both: `?` for each value, no other `?` and no `%`; real booleans; ON CONFLICT and RETURNING as
both know them. Connections are in autocommit mode: whoever needs a transaction says `begin`, or uses `whole`. All rows of an
answer are read at once, so that no cursor is left open and every error comes out of `execute`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

Dialect = Literal["sqlite", "postgresql"]
BUSY_TIMEOUT_S = 5.0


class Cursor:
    """The answer to one statement. `rowcount` is how many rows were written (or returned)."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self.rowcount = rowcount
        self._rows = rows
        self._next = 0

    def fetchone(self) -> Any:
        """The next row, a tuple; None after the last."""
        if self._next >= len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        """The rows that are left, each a tuple."""
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        rows, self._rows = self._rows[self._next :] if self._next else self._rows, []
        self._next = 0
        return iter(rows)


class Connection(Protocol):
    """An open connection, used by one thread at a time. Every method but `rollback` and `close` raises DatabaseError."""

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> None:
        """Run one statement for each of `rows`."""
        ...

    def begin(self) -> None:
        """Begin a transaction. SQLite takes the write lock now, so that nothing that was read can be old when it is written."""
        ...

    def commit(self) -> None:
        """End it; kept when this returns. After an error it may have been kept all the same."""
        ...

    def rollback(self) -> None:
        """Undo it. Never raises: a connection that is lost is undone by the database."""
        ...

    def close(self) -> None:
        """Let go. Never raises."""
        ...


class Database(Protocol):
    """Where the data is; holds nothing open. Equal and hashable by value."""

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks where the two differ."""
        ...

    @property
    def name(self) -> str:
        """What it is called to people: a file, or a URL without its password."""
        ...

    def identity(self) -> object | None:
        """Another value: another database stands behind the same name, and connections to the old one are of no use; None: there
        is none."""
        ...

    def connect(self, *, read_only: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Connection:
        """A new connection, to be closed by the caller. `busy_timeout_s`: how long another's lock is waited for."""
        ...

    def driver_connection(self, patience_s: float | None) -> Any:
        """A connection of the driver's own, for SQLAlchemy (engine.py). `patience_s` bounds each statement where the driver
        can; None: it may take as long as it does."""
        ...


@contextmanager
def whole(connection: Connection) -> Generator[None]:
    """BEGIN … COMMIT around the block, rolled back on any exception."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def has_table(database: Database, connection: Connection, name: str) -> bool:
    """Whether there is such a table, in the schema where ours are made."""
    if database.dialect == "sqlite":
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    else:
        query = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
    return connection.execute(query, (name,)).fetchone() is not None
