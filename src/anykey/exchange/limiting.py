"""Who counts how fast keys call: this process alone, or one place for all of them.

Law: a limit never opens because whoever counts it is gone. Where the shared place does not answer, each process counts for itself
with its part of every limit, until the place is back. That place is asked no more after a few failures, so that its silence
costs nobody more than a moment; whether it is back is found out beside the calls.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from anykey.accounts.purse import Rate
from anykey.accounts.rates import Book, Exceeded, RatesUnavailable, Taken, divided

log = logging.getLogger(__name__)

FAILURES_MOST = 5
FAILING_MOST_S = 1.0
"""The shared place is not asked any more after so many failures, or after failing for so long."""
LOOK_AGAIN_S = 1.0
LOG_EVERY_S = 1.0


class Limiter(Protocol):
    """``take`` lets a call in or says why not; who was let in must ``leave``, which neither waits nor fails. ``tokens`` are an
    estimate going in and the truth going out."""

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded: ...
    def leave(self, taken: Taken, tokens: int) -> None: ...
    async def aclose(self) -> None: ...


class MemoryLimiter:
    """Counts for this process alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._book = Book()

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded:
        return self._book.take(rates, tokens, int(self._monotonic() * 1000))

    def leave(self, taken: Taken, tokens: int) -> None:
        self._book.leave(taken, tokens)

    async def aclose(self) -> None:
        """There is nothing to let go of."""


class GuardedLimiter:
    """Counts in ``shared``, one place for all processes, as long as that answers. ``workers``: how many processes share it."""

    def __init__(
        self, shared: Limiter, workers: Callable[[], int], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._own = MemoryLimiter(monotonic)
        self._workers = workers
        self._monotonic = monotonic
        self._failures = 0
        self._failing_since = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._logged_at = float("-inf")

    @property
    def apart(self) -> bool:
        """The shared place is not asked at the moment."""
        return self._looking is not None

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded:
        if self._looking is None:
            asked_at = self._monotonic()
            try:
                found = await self._shared.take(rates, tokens)
            except RatesUnavailable as error:
                self._failed(error, asked_at)
            else:
                self._failures = 0
                return found
        return await self._own.take(divided(rates, self._workers()), tokens)

    def leave(self, taken: Taken, tokens: int) -> None:
        (self._shared if taken.shared else self._own).leave(taken, tokens)

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        await self._shared.aclose()

    def _failed(self, error: RatesUnavailable, asked_at: float) -> None:
        if not self._failures:
            self._failing_since = asked_at
        self._failures += 1
        lasting = self._failures >= FAILURES_MOST or self._monotonic() - self._failing_since >= FAILING_MOST_S
        if lasting and self._looking is None:
            self._log(f"rate limits are counted by each process for itself: {error}")
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        """Ask now and then until the shared place answers."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await self._shared.take((), 0)
            except RatesUnavailable:
                continue
            break
        self._failures = 0
        self._looking = None
        self._log("rate limits are counted for all processes together again")

    def _log(self, line: str) -> None:
        now = self._monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            log.warning("%s", line)
