"""Usage rows are written in groups, beside the requests that made them.

`record` only appends to a list. The first row of a burst starts a task that waits a moment for company, then hands the
group to a thread of its own: one transaction, many rows a statement. sqlite3 gives the interpreter lock away for every
statement it runs, and getting it back from a busy event loop costs more (30 us) than writing the row, so rows are not
written one by one. Rows that a failing database refuses are kept and tried again, up to a bound; an idle gateway has no
timer running.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import cast

import msgspec

from anykey.storage.database import BUSY_TIMEOUT_S, Connection, Database, whole
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError
from anykey.storage.key_uses import KeyUses
from anykey.storage.loss_details import pack
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_late import note_late

_log = logging.getLogger(__name__)

GROUP_ROWS = 1024
STATEMENT_ROWS = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
GROUP_WAIT_S = 0.05
KEPT_ROWS_MAX = 100_000
RETRY_FIRST_S = 0.1
RETRY_LAST_S = 2.0
LOG_EVERY_S = 1.0
CLOSE_TRIES = 3
CLOSE_PATIENCE_S = 2.0

_FIELDS = ExchangeRow.__struct_fields__
_AT, _LOSSES, _DETAILS = _FIELDS.index("at"), _FIELDS.index("losses"), _FIELDS.index("loss_details")
_ONE_ROW = f"({', '.join('?' * len(_FIELDS))})"


def _insert_of(rows: int) -> str:
    """The statement that writes so many rows. A row whose id is there already was committed by a try whose answer we did
    not get."""
    values = ", ".join([_ONE_ROW] * rows)
    return f"INSERT INTO exchanges ({', '.join(_FIELDS)}) VALUES {values} ON CONFLICT (id) DO NOTHING"  # noqa: S608 our own names


_INSERTS = {rows: _insert_of(rows) for rows in STATEMENT_ROWS}
_INSERT = _INSERTS[1]
# What a row itself can be wrong about, however often it is tried.
_BAD_ROW = (BadValueError, ConstraintError)


class ExchangeWriter:
    """Writes usage rows; used on one event loop, closed with `aclose`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: list[ExchangeRow] = []
        self._flushing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._closing = False
        self._retry_s = 0.0
        self._logged_at = float("-inf")
        self._lost = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anykey-usage")
        self._uses = KeyUses()  # the thread's alone, as are the next two
        self._connection: Connection | None = None
        self._file: object | None = None

    def record(self, row: ExchangeRow) -> None:
        """Keep `row`; it is in the database a moment later. Never fails and never waits."""
        if self._closing or len(self._rows) >= KEPT_ROWS_MAX:
            self._lost += 1
            return
        self._rows.append(row)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush())
        elif len(self._rows) == GROUP_ROWS and not self._retry_s:
            self._hurry.set()

    async def aclose(self) -> None:
        """Write what is kept and let go of the database. Rows that cannot be written after a few tries are counted in
        the log and given up."""
        self._closing = True
        self._hurry.set()
        if self._flushing is not None:
            await self._flushing
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()
        if self._lost:
            _log.error("%d usage rows were not written", self._lost)

    async def _flush(self) -> None:
        tries_left = CLOSE_TRIES
        while self._rows:
            await self._wait()
            group, self._rows = self._rows, []
            try:
                bad = await asyncio.get_running_loop().run_in_executor(self._thread, self._write, group)
            except DatabaseError as error:
                self._rows = group + self._rows
                self._back_off(error)
                tries_left -= self._closing
                if not tries_left:
                    self._lost += len(self._rows)
                    self._rows = []
            else:
                self._lost += bad
                self._retry_s = 0.0
        self._flushing = None

    async def _wait(self) -> None:
        """Until the group is due: company has come or its time is over; sooner when closing."""
        if self._closing and self._retry_s:
            await asyncio.sleep(RETRY_FIRST_S)
            return
        try:
            async with asyncio.timeout(self._retry_s or GROUP_WAIT_S):
                await self._hurry.wait()
        except TimeoutError:
            pass
        if not self._closing:
            self._hurry.clear()

    def _back_off(self, error: DatabaseError) -> None:
        self._retry_s = min(max(self._retry_s * 2, RETRY_FIRST_S), RETRY_LAST_S)
        now = time.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            _log.error("usage cannot be written, %d rows are kept: %s", len(self._rows), error)

    def _write(self, group: list[ExchangeRow]) -> int:
        """Commit the group, in the writer's thread. Returns how many rows were impossible and left out."""
        file = self._database.identity()
        if file != self._file:
            self._disconnect()  # the file was taken away or replaced
        if self._connection is None:
            patience_s = CLOSE_PATIENCE_S if self._closing else BUSY_TIMEOUT_S
            self._connection = self._database.connect(busy_timeout_s=patience_s)
            self._file = file
        rows = [_values(row) for row in group]
        try:
            bad = self._insert(self._connection, rows)
            self._note_uses(self._connection, group)
        except DatabaseError:
            self._disconnect()
            raise
        return bad

    def _note_uses(self, connection: Connection, group: list[ExchangeRow]) -> None:
        """Write when keys were last used, where that is due; after the rows, so that it can never keep them out."""
        due = self._uses.due(group)
        if due:
            with whole(connection):
                self._uses.write(connection, due)
            self._uses.written(due)

    def _insert(self, connection: Connection, rows: list[tuple[object, ...]]) -> int:
        bad = 0
        try:
            with whole(connection):
                _insert_all(connection, rows)
        except _BAD_ROW:
            with whole(connection):
                bad = sum([not _insert_one(connection, row) for row in rows])
        return bad

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def insert_rows(connection: Connection, rows: Iterable[ExchangeRow]) -> None:
    """Write rows inside the caller's transaction (the till's), as the writer does; those that are there already stay."""
    _insert_all(connection, [_values(row) for row in rows])


def _insert_all(connection: Connection, rows: list[tuple[object, ...]]) -> None:
    """Write the rows in as few statements as the sizes in STATEMENT_ROWS allow."""
    note_late(connection, [cast("int", row[_AT]) for row in rows])
    done = 0
    for size in STATEMENT_ROWS:
        while len(rows) - done >= size:
            connection.execute(_INSERTS[size], list(chain.from_iterable(rows[done : done + size])))
            done += size


def _insert_one(connection: Connection, row: tuple[object, ...]) -> bool:
    connection.execute("SAVEPOINT one_row")
    try:
        connection.execute(_INSERT, row)
        note_late(connection, [cast("int", row[_AT])])
    except _BAD_ROW as error:
        connection.execute("ROLLBACK TO SAVEPOINT one_row")
        _log.error("a usage row cannot be kept: %s", error)
        return False
    connection.execute("RELEASE SAVEPOINT one_row")
    return True


def _values(row: ExchangeRow) -> tuple[object, ...]:
    """The row in the order of _FIELDS; losses and their details become JSON text."""
    values = msgspec.structs.astuple(row)
    if not row.losses:
        return (*values[:_LOSSES], "[]", *values[_LOSSES + 1 :])
    losses = msgspec.json.encode(row.losses).decode()
    details = pack(row.loss_details) if row.loss_details else None
    return (*values[:_LOSSES], losses, *values[_LOSSES + 1 : _DETAILS], details, *values[_DETAILS + 1 :])
