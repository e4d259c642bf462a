"""What must be done once, whatever the number of processes: one of them is on duty, until it ends.

In PostgreSQL it is the one whose session holds an advisory lock, which the server takes from a process that dies. A database in a
file has one process. Asking costs one small query; whoever has work asks again before each piece of it.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError

_log = logging.getLogger(__name__)

ASK_EVERY_S = 10.0
"""How often a process that is not on duty should ask whether it is now."""
_TAKE = "SELECT pg_try_advisory_lock(hashtextextended(? || current_schema(), 0))"


class Duty:
    """One duty of one process. `mine` is for the event loop; ended with `aclose`. Nothing here raises."""

    def __init__(self, database: Database, name: str = "jobs") -> None:
        self._database = database
        self._name = f"anykey {name} "
        self._connection: Connection | None = None  # the thread's alone
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anykey-duty")

    async def mine(self) -> bool:
        """Whether this process is on duty; it takes a duty that nobody has. A database that fails gives none."""
        if self._database.dialect == "sqlite":
            return True
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask)

    async def until_mine(self) -> None:
        """Wait until this process is on duty."""
        while not await self.mine():  # noqa: ASYNC110 - it is another process that lets go
            await asyncio.sleep(ASK_EVERY_S)

    async def aclose(self) -> None:
        """Leave it to another."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _ask(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return True
            connection = self._database.connect()
            if not connection.execute(_TAKE, (self._name,)).fetchone()[0]:
                connection.close()
                return False
        except DatabaseError as error:
            _log.debug("whose duty it is cannot be asked: %s", error)
            self._disconnect()
            return False
        self._connection = connection
        return True

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
