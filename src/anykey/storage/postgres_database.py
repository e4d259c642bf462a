"""PostgreSQL through psycopg. Loaded only where a URL of one is configured: nothing else imports psycopg.

A server that is frozen, or behind a network that drops packets, answers nothing at all, and neither its `statement_timeout` nor
the kernel notices. So every wait of ours has an end of its own, after which the connection is given up. The schema is the
`search_path` of the URL. Prepared statements are on: a pooler that hands each transaction to another session does not do.

A text with a NUL, which callers and upstreams may send and no column takes, is kept with U+FFFD in its place. The driver refuses
it before anything is sent, so that only such a statement is looked at twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from anykey.storage.database import BUSY_TIMEOUT_S, Cursor
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError

T = TypeVar("T")

LEAST_PATIENCE_S = 2.0
"""No connection can be made sooner than that, by libpq's own rule."""
GRACE_S = 0.5
"""How much longer than the server we wait: it can say what a statement waited for, we can only hang up."""
CONNECT = {
    "application_name": "anykey",
    "client_encoding": "UTF8",
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""What a connection has unless its URL says otherwise."""
PREPARE_AFTER = 2


class PostgresDatabase(msgspec.Struct, frozen=True):
    """The database that a URL names: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?options=…`."""

    url: str

    def __repr__(self) -> str:
        return f"PostgresDatabase({self.name!r})"

    @property
    def dialect(self) -> Literal["postgresql"]:
        """Which SQL it speaks."""
        return "postgresql"

    @property
    def name(self) -> str:
        """The URL without its password and its options."""
        parts = urlsplit(self.url)
        user, _, place = parts.netloc.rpartition("@")
        name = user.partition(":")[0]
        return f"postgresql://{name}{'@' if name else ''}{place}{parts.path}"

    def identity(self) -> object:
        """The URL: a server that is restored ends its connections."""
        return self.url

    def connect(self, *, read_only: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S) -> PostgresConnection:
        """A new connection. Each of its statements is answered within `busy_timeout_s`, or two seconds if that is less, or
        the connection is given up."""
        try:
            driver = self._open(max(busy_timeout_s, LEAST_PATIENCE_S), busy_timeout_s, read_only=read_only)
            return PostgresConnection(driver)
        except psycopg.Error as error:
            raise _told(error) from error

    def driver_connection(self, patience_s: float | None) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the driver's own, in whose transactions the driver says BEGIN."""
        driver = self._open(patience_s, BUSY_TIMEOUT_S if patience_s is not None else None)
        driver.autocommit = False
        return driver

    def _open(self, patience_s: float | None, lock_s: float | None, *, read_only: bool = False) -> _Bounded:
        patience_ms = 0 if patience_s is None else int(patience_s * 1000)
        lock_ms = 0 if lock_s is None else max(int(lock_s * 1000), 1)
        connect_s = int(min(patience_s or BUSY_TIMEOUT_S, BUSY_TIMEOUT_S))
        wanted: dict[str, Any] = {"connect_timeout": connect_s, **CONNECT, **_parts_of(self.url)}
        driver = _Bounded.connect(**wanted, autocommit=True, prepare_threshold=PREPARE_AFTER, context=_adapters())
        driver.patience_s = None if patience_s is None else patience_s + GRACE_S
        try:
            driver.execute(  # whole numbers and words of our own
                f"SET statement_timeout = {patience_ms}; SET lock_timeout = {lock_ms};"
                f"SET idle_in_transaction_session_timeout = {2 * patience_ms};"
                f"SET default_transaction_read_only = {'on' if read_only else 'DEFAULT'}".encode()
            )
        except psycopg.Error:
            driver.close()
            raise
        return driver


class _Bounded(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits for no answer longer than `patience_s`."""

    patience_s: float | None = BUSY_TIMEOUT_S

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Run the driver's exchange with the server; OperationalError when it takes too long."""
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()  # the answer may still come, to a question that nobody remembers
            raise psycopg.OperationalError(f"no answer within {self.patience_s} s") from error


class PostgresConnection:
    """A Connection to a server."""

    __slots__ = ("_cursor", "_driver")

    def __init__(self, driver: _Bounded) -> None:
        self._driver = driver
        self._cursor = driver.cursor()

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Cursor:
        """Run one statement."""
        cursor = self._cursor
        try:
            try:
                cursor.execute(_placed(statement), values or None)
            except psycopg.DataError:
                if not _has_nul(values):
                    raise
                cursor.execute(_placed(statement), _without_nul(values))
            return Cursor(cursor.fetchall() if cursor.description is not None else [], cursor.rowcount)
        except psycopg.Error as error:
            raise _told(error) from error
        except (UnicodeError, OverflowError) as error:
            raise BadValueError(str(error)) from error

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> None:
        """Run one statement for each of `rows`, without waiting for each answer."""
        if any(map(_has_nul, rows)):
            rows = [_without_nul(row) for row in rows]
        try:
            self._cursor.executemany(_placed(statement), rows)
        except psycopg.Error as error:
            raise _told(error) from error
        except (UnicodeError, OverflowError) as error:
            raise BadValueError(str(error)) from error

    def begin(self) -> None:
        """BEGIN, with what others commit meanwhile visible to the next statement."""
        self.execute("BEGIN")

    def commit(self) -> None:
        """COMMIT. The server takes one after a failed statement for a ROLLBACK; here that is an error."""
        if self._driver.info.transaction_status == TransactionStatus.INERROR:
            raise DatabaseError("the transaction has failed before its end")
        self.execute("COMMIT")

    def rollback(self) -> None:
        """ROLLBACK; a connection that cannot do it is closed."""
        try:
            self._driver.rollback()
        except psycopg.Error:
            self._driver.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._driver.close()


def _has_nul(values: Sequence[object]) -> bool:
    return any(isinstance(value, str) and "\0" in value for value in values)


def _without_nul(values: Sequence[object]) -> list[object]:
    return [value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value for value in values]


@lru_cache(maxsize=1024)
def _placed(statement: str) -> bytes:
    """The statement with the driver's placeholders."""
    return statement.replace("?", "%s").encode()


@lru_cache(maxsize=8)
def _parts_of(url: str) -> dict[str, Any]:
    """The URL's parts. The driver's complaint about a URL may quote its password, so it is not passed on."""
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error:
        raise DatabaseError("this is no URL of a PostgreSQL database") from None


class _NumericLoader(Loader):
    """A sum of whole numbers is a whole number, and a mean a float, as in SQLite."""

    def load(self, data: Buffer) -> int | float:
        """The number."""
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


@lru_cache(maxsize=1)
def _adapters() -> AdaptersMap:
    """How values travel: every int as 64 bits, whatever its size, so that a statement is prepared once."""
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_loader("numeric", _NumericLoader)
    return adapters


def _told(error: psycopg.Error) -> DatabaseError:
    """The driver's error in our classes, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.IntegrityError):
        return ConstraintError(text)
    if isinstance(error, psycopg.DataError):
        return BadValueError(text)
    return DatabaseError(text)
