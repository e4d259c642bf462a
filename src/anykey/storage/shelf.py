"""What is kept of conversations is read and written in a thread of its own, so that the event loop never waits for the disk.

Everything goes through one thread in the order it was asked for: who asks after a change sees the change. A database file that
was taken away or replaced is opened anew, as everywhere in this folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from anykey.storage.database import BUSY_TIMEOUT_S, Connection, Database, whole
from anykey.storage.errors import DatabaseError

P = ParamSpec("P")
T = TypeVar("T")

HASTE_S = 0.1
"""How long a locked database is waited for after one wait was in vain: the calls behind it would each wait as long again."""


class Shelf:
    """Runs functions on the database: ``read`` as they are, ``change`` inside one transaction. Closed with ``aclose``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anykey-state")
        self._connection: Connection | None = None  # the thread's alone, as is the next
        self._file: object | None = None
        self._patience_s = BUSY_TIMEOUT_S

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``function(connection, …)`` returns. DatabaseError: the database failed."""
        return await self._run(lambda: function(self._open(), *args, **kwargs))

    async def change(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same inside BEGIN … COMMIT, rolled back on any exception. Done even if the caller stops waiting for it."""
        return await self._run(lambda: self._transact(lambda connection: function(connection, *args, **kwargs)))

    async def aclose(self) -> None:
        """Wait for what was asked and let go of the database."""
        await self._run(self._disconnect)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)
        done.add_done_callback(_heard)
        return await asyncio.shield(done)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except DatabaseError:
            self._disconnect()
            self._patience_s = HASTE_S
            raise

    def _transact(self, work: Callable[[Connection], T]) -> T:
        connection = self._open()
        with whole(connection):
            value = work(connection)
        if self._patience_s != BUSY_TIMEOUT_S:
            self._patience_s = BUSY_TIMEOUT_S
            self._disconnect()  # the next is opened with the patience it deserves
        return value

    def _open(self) -> Connection:
        file = self._database.identity()
        if self._connection is None or file != self._file:
            self._disconnect()
            self._connection = self._database.connect(busy_timeout_s=self._patience_s)
            self._file = file
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _heard(done: asyncio.Future[T]) -> None:
    """An error that nobody waits for any more is no event of its own."""
    if not done.cancelled():
        done.exception()
