"""Adds usage up: hours that are over, and days. It looks once a minute whether there are any; of several processes one does it.

Law: never in the way of a call. Each piece is a transaction of its own with a pause behind it; whatever fails is tried again at
the next look, and reports are right meanwhile, only slower.
"""

import asyncio
import logging
import time

from anykey.storage.database import Database
from anykey.storage.duty import Duty
from anykey.storage.errors import StorageError
from anykey.storage.usage_rollup import add_up_next

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
PAUSE_S = 0.1


class UsageRollup:
    """Runs on the serving process's loop; ended with `aclose`."""

    def __init__(self, database: Database, duty: Duty | None = None, *, pause_s: float = PAUSE_S) -> None:
        self._database = database
        self._duty = duty or Duty(database)
        self._pause_s = pause_s
        self._task: asyncio.Task[None] | None = None

    def start(self, first_after_s: float = LOOK_EVERY_S) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run(first_after_s), name="usage")

    async def aclose(self) -> None:
        """Stop; a piece under way is brought to its end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> int:
        """Add up what there is; returns in how many pieces. Raises StorageError."""
        pieces = 0
        while await self._duty.mine() and await asyncio.to_thread(self._next):
            pieces += 1
            await asyncio.sleep(self._pause_s)
        return pieces

    async def _run(self, first_after_s: float) -> None:
        await asyncio.sleep(first_after_s)
        while True:
            await self._duty.until_mine()
            try:
                await self.look()
            except StorageError as error:
                _log.debug("usage cannot be added up: %s", error)
            except Exception:  # noqa: BLE001 - logged whole; the next look may go well
                _log.exception("usage could not be added up")
            await asyncio.sleep(LOOK_EVERY_S)

    def _next(self) -> bool:
        return add_up_next(self._database, int(time.time() * 1000))
