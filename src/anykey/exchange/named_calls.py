"""The calls under way that were given a name (``Idempotency-Key``): who may make one, what is kept of it, and its signs of life.

All of it is in the database, so that one name means one call in every process (``storage.idempotency``).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from anykey.exchange.ports import WallClock
from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError
from anykey.storage.idempotency import (
    Claim,
    Kept,
    Name,
    claim,
    find_answer,
    finish,
    give_signs,
    release,
    sweep_idempotency,
)
from anykey.storage.shelf import Shelf

log = logging.getLogger(__name__)

SIGN_EVERY_S = 3.0
SWEEP_EVERY_MS = 3_600_000
GRACE_S = 5.0
"""When the gateway stops, calls whose clients are gone may take this long to end."""


class NamedCalls:
    """Those of one process. ``aclose`` after the last call."""

    def __init__(self, database: Database, wall_clock: WallClock = time.time) -> None:
        self._shelf = Shelf(database)
        self._wall_clock = wall_clock
        self._process = secrets.token_hex(8)
        self._running: dict[Name, Claim] = {}
        self._signing: asyncio.Task[None] | None = None
        self._sweep_at = 0
        self.alone: set[asyncio.Task[None]] = set()
        """Calls under way whose clients are gone."""

    async def begin(self, name: Name, digest: bytes, request_id: str) -> Claim | Kept:
        """The claim of a call that is to be made, or how the first call of that name stands. DatabaseError."""
        now = self._now()
        known = await self._shelf.read(find_answer, name, now)
        if known is not None:
            return known
        wanted = Claim(name, digest, self._process, request_id)
        found = await self._shelf.change(claim, wanted, now)
        if found is not None:
            return found
        self._running[name] = wanted
        if self._signing is None:
            self._signing = asyncio.get_running_loop().create_task(self._give_signs())
        return wanted

    async def finish(self, claimed: Claim, answer: Kept) -> None:
        """Keep the answer. Where the database fails it is not kept, and unknown to who asks again."""
        await self._end(claimed, lambda: self._shelf.change(finish, claimed, answer, self._now()))

    async def release(self, claimed: Claim) -> None:
        """Forget the call."""
        await self._end(claimed, lambda: self._shelf.change(release, claimed))

    async def aclose(self) -> None:
        """Let the calls without clients end, cancel what does not, let go of the database."""
        if self.alone:
            await asyncio.wait(self.alone, timeout=GRACE_S)
        tasks = [*self.alone, *([self._signing] if self._signing is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._shelf.aclose()

    async def _end(self, claimed: Claim, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except DatabaseError as error:
            log.error("the answer to %s is not kept for its name: %s", claimed.request_id, error)  # noqa: TRY400 - the reason is all there is
        finally:
            self._running.pop(claimed.name, None)

    async def _give_signs(self) -> None:
        """As long as a named call runs, say so."""
        while self._running:
            await asyncio.sleep(SIGN_EVERY_S)
            with suppress(DatabaseError):
                await self._shelf.change(give_signs, list(self._running.values()), self._now())
                if self._now() >= self._sweep_at:
                    self._sweep_at = self._now() + SWEEP_EVERY_MS
                    while await self._shelf.change(sweep_idempotency, self._now() // 1000):
                        pass
        self._signing = None

    def _now(self) -> int:
        return int(self._wall_clock() * 1000)
