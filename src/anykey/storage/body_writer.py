"""Bodies of calls are sealed and written beside the loop that answers calls, in threads of their own.

Law: never in the way. `keep` only appends to a list that is bounded in bytes; what comes while it is full is not kept, and
counted. A database that fails is tried again as long as there is room and time.
"""

from __future__ import annotations

import asyncio
import logging

from anykey.storage.database import Database
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError
from anykey.storage.exchange_bodies import ExchangeBodies, put_bodies, sealed
from anykey.storage.shelf import Shelf

_log = logging.getLogger(__name__)

MOST_BYTES = 1_048_576
"""Of each side of a call, where no setting says otherwise."""
WAITING_MOST_BYTES = 64 * 1024 * 1024
GROUP_BYTES = 4 * 1024 * 1024
RETRY_S = 1.0
_BAD_ROW = (BadValueError, ConstraintError)


class BodyWriter:
    """Writes bodies; used on one event loop, closed with `aclose`. `most_bytes`: of each side, the rest is cut."""

    def __init__(self, database: Database, pepper: bytes, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._pepper = pepper
        self._shelf = Shelf(database)
        self._waiting: list[ExchangeBodies] = []
        self._size = 0
        self._lost = 0
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def keep(self, bodies: ExchangeBodies) -> None:
        """Take them; they are in the database a moment later. Never fails and never waits."""
        size = _size(bodies)
        if self._closing.is_set() or self._size + size > WAITING_MOST_BYTES:
            self._lost += 1
            return
        self._waiting.append(bodies)
        self._size += size
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="bodies")

    async def aclose(self) -> None:
        """Write what waits and let go of the database. What it does not take is counted in the log."""
        self._closing.set()
        if self._writing is not None:
            await self._writing
        await self._shelf.aclose()
        if self._lost:
            _log.error("the bodies of %d calls were not kept", self._lost)

    async def _write(self) -> None:
        while self._waiting:
            group = self._next()
            await self._put(await asyncio.to_thread(self._sealed, group))
            self._size -= sum(map(_size, group))
        self._writing = None

    def _sealed(self, group: list[ExchangeBodies]) -> list[ExchangeBodies]:
        return [sealed(bodies, self._pepper) for bodies in group]

    def _next(self) -> list[ExchangeBodies]:
        """Take some of those that wait, the first in any case."""
        count, size = 0, 0
        while count < len(self._waiting) and (count == 0 or size < GROUP_BYTES):
            size += _size(self._waiting[count])
            count += 1
        group = self._waiting[:count]
        del self._waiting[:count]
        return group

    async def _put(self, rows: list[ExchangeBodies]) -> None:
        told = False
        while True:
            try:
                await self._shelf.change(put_bodies, rows)
            except DatabaseError as error:
                if not told:
                    told = True
                    _log.error("bodies of calls cannot be written: %s", error)
                if self._closing.is_set() or isinstance(error, _BAD_ROW):
                    self._lost += len(rows)
                    return
            else:
                return
            try:
                async with asyncio.timeout(RETRY_S):
                    await self._closing.wait()
            except TimeoutError:
                pass


def _size(bodies: ExchangeBodies) -> int:
    return len(bodies.request) + len(bodies.answer)
