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
from anykey.accounts.rates import MOST_KEPT, Book, Exceeded, RateState, RatesUnavailable, Taken, divided

log = logging.getLogger(__name__)

FAILURES_MOST = 5
FAILING_MOST_S = 1.0
"""The shared place is not asked any more after so many failures, or after failing for so long."""
LOOK_AGAIN_S = 1.0
LOG_EVERY_S = 1.0


class Gate(Protocol):
    """``take`` lets a call in or says why not; who was let in must ``leave``, which neither waits nor fails. ``tokens`` are an
    estimate going in and the truth going out."""

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded: ...
    def leave(self, taken: Taken, tokens: int) -> None: ...
    async def aclose(self) -> None: ...


class Limiter(Gate, Protocol):
    """``look``: how the rates stand as far as this process knows; nothing is taken, and nobody is asked."""

    def look(self, rates: tuple[Rate, ...]) -> tuple[RateState, ...]: ...


class MemoryLimiter:
    """Counts for this process alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._book = Book()

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded:
        return self._book.take(rates, tokens, int(self._monotonic() * 1000))

    def leave(self, taken: Taken, tokens: int) -> None:
        self._book.leave(taken, tokens)

    def look(self, rates: tuple[Rate, ...]) -> tuple[RateState, ...]:
        return self._book.look(rates, int(self._monotonic() * 1000))

    async def aclose(self) -> None:
        """There is nothing to let go of."""


class GuardedLimiter:
    """Counts in ``shared``, one place for all processes, as long as that answers. ``workers``: how many processes share it."""

    def __init__(
        self, shared: Gate, workers: Callable[[], int], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._own = MemoryLimiter(monotonic)
        self._workers = workers
        self._monotonic = monotonic
        self._failures = 0
        self._failing_since = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._logged_at = float("-inf")
        self._heard: dict[str, tuple[RateState, float]] = {}
        """How each rate of a minute stood when its last call came, and when that was."""

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
                self._hear(found.states)
                return found
        return await self._own.take(divided(rates, self._workers()), tokens)

    def leave(self, taken: Taken, tokens: int) -> None:
        (self._shared if taken.shared else self._own).leave(taken, tokens)

    def look(self, rates: tuple[Rate, ...]) -> tuple[RateState, ...]:
        """What the shared place said last; how many calls are under way elsewhere is soon another number, and is not said."""
        if self._looking is not None:
            return self._own.look(divided(rates, self._workers()))
        now = self._monotonic()
        return tuple(self._as_heard(rate, now) for rate in rates if rate.unit != "concurrency")

    def _hear(self, states: tuple[RateState, ...]) -> None:
        now = self._monotonic()
        if len(self._heard) >= MOST_KEPT:
            self._heard.clear()
        for state in states:
            self._heard[state.rate.id] = state, now

    def _as_heard(self, rate: Rate, now: float) -> RateState:
        state, at = self._heard.get(rate.id, (None, now))
        left_ms = 0 if state is None else state.reset_ms - int((now - at) * 1000)
        return RateState(rate, state.used if state is not None and left_ms > 0 else 0, max(left_ms, 0))

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
