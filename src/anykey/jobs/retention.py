"""Deletes what is over: some minutes after the start, then every hour. Of several processes one does it.

Law: never in the way of a call. Each batch is small and has its own transaction; a failure is one line in the log, and the next
hour is another try.
"""

import asyncio
import logging
import threading
from collections.abc import Callable

from anykey.administration.retention import days_of
from anykey.settings.records import RetentionSettings
from anykey.storage.database import Database
from anykey.storage.duty import Duty
from anykey.storage.errors import StorageError
from anykey.storage.retention import PAUSE_S, RULES, sweep_table

_log = logging.getLogger(__name__)

FIRST_AFTER_S = 180.0
EVERY_S = 3600.0


class Retention:
    """Runs on the serving process's loop; ended with `aclose`."""

    def __init__(self, database: Database, duty: Duty | None = None, *, pause_s: float = PAUSE_S) -> None:
        self._database = database
        self._duty = duty or Duty(database)
        self._pause_s = pause_s
        self._ended = threading.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, settings: Callable[[], RetentionSettings], first_after_s: float = FIRST_AFTER_S) -> None:
        """Begin, with the settings there are at each round."""
        self._task = asyncio.get_running_loop().create_task(self._run(settings, first_after_s), name="retention")

    async def aclose(self) -> None:
        """Stop; a batch under way is brought to its end."""
        self._ended.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self, settings: RetentionSettings) -> dict[str, int]:
        """One round. Returns how many rows went, by table. Raises StorageError."""
        gone: dict[str, int] = {}
        for table in RULES:
            if not await self._duty.mine():
                break
            days = days_of(table, settings) or 0
            count = await asyncio.to_thread(self._sweep, table, days)
            if count:
                gone[table] = count
        return gone

    def _sweep(self, table: str, days: int) -> int:
        return sweep_table(
            self._database, table, days, may_go_on=lambda: not self._ended.is_set(), pause_s=self._pause_s
        )

    async def _run(self, settings: Callable[[], RetentionSettings], first_after_s: float) -> None:
        await asyncio.sleep(first_after_s)
        while True:
            await self._duty.until_mine()
            try:
                gone = await self.look(settings())
            except StorageError as error:
                _log.warning("what is over could not be deleted: %s", error)
            else:
                if gone:
                    _log.info("deleted what was over: %s", ", ".join(f"{table} {n}" for table, n in gone.items()))
            await asyncio.sleep(EVERY_S)
