"""Who counts how fast keys call, as the settings say: Valkey if there is one, else PostgreSQL, else this process for itself."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from anykey.exchange.limiting import GuardedLimiter, Limiter, MemoryLimiter
from anykey.providers.secret import Secret
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.rate_gate import RateGate
from anykey.storage.rates import DatabaseRates
from anykey.storage.shelf import Shelf

VALKEY_PATIENCE_S = 0.2
DATABASE_PATIENCE_S = 1.0
COUNT_EVERY_S = 5.0


class Crew:
    """How many processes there are, asked of the database now and then; the last known number while it does not say."""

    def __init__(self, database: Database) -> None:
        self._shelf = Shelf(database)
        self._task: asyncio.Task[None] | None = None
        self.count = 1

    def begin(self) -> None:
        """Start to count."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def aclose(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self._shelf.aclose()

    async def _watch(self) -> None:
        while True:
            with suppress(DatabaseError):
                self.count = max(await self._shelf.read(_processes), 1)
            await asyncio.sleep(COUNT_EVERY_S)


def shared_limiter(database: Database, valkey: Secret | None, crew: Crew) -> Limiter:
    """The limiter of one process. StorageError: a Valkey is configured, and its driver is not installed."""
    process = secrets.token_hex(8)
    if valkey is not None:
        try:
            from anykey.storage.valkey_rates import ValkeyRates  # noqa: PLC0415 - an extra, loaded where it is configured
        except ImportError as error:
            raise StorageError("storage.no_valkey", reason=error) from error
        gate = RateGate(ValkeyRates(valkey.reveal(), process), VALKEY_PATIENCE_S)
    elif database.dialect == "postgresql":
        gate = RateGate(DatabaseRates(database, process), DATABASE_PATIENCE_S)
    else:
        return MemoryLimiter()
    crew.begin()
    return GuardedLimiter(gate, lambda: crew.count)


def _processes(connection: Connection) -> int:
    return connection.execute("SELECT COUNT(*) FROM processes").fetchone()[0]
