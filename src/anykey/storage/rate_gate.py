"""How fast keys call, counted in one place for all processes: calls that come while that place is asked are decided together.

Law: one question is under way at a time; whoever comes meanwhile goes into the next one, so a busy process asks no more often
than the place answers. Whoever does not want to wait any longer may go: what is let in for him later is given back. Calls at the
same time are held by leases, which this process renews and which end with it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple, Protocol

from anykey.accounts.purse import Rate
from anykey.accounts.rates import Exceeded, RatesUnavailable, Taken, correction_of

LEASE_MS = 6_000
"""So long after a process was last heard of, the calls it let in count no more."""
RENEW_S = 2.0
MOST_ASKS = 256


class Ask(NamedTuple):
    """A call that wants to be let in. One without rates only asks whether anybody answers."""

    rates: tuple[Rate, ...]
    tokens: int


class Batch(NamedTuple):
    """What is asked at once. ``corrections``: (rate id, slice) → change of its tokens. ``leases``: rate id → calls of this
    process under way before the asks; of those the asks are about, those that changed, and those to be renewed."""

    asks: list[Ask]
    corrections: dict[tuple[str, int], int]
    leases: dict[str, int]


class Counter(Protocol):
    """The place that counts."""

    async def settle(self, batch: Batch) -> list[Taken | Exceeded]:
        """Put right what changed, then decide each ask in order. RatesUnavailable: it may have been done or not."""
        ...

    async def aclose(self) -> None: ...


class RateGate:
    """Lets calls in as ``counter`` says, for ``exchange.limiting``. ``patience_s``: how long a call waits for the answer."""

    def __init__(self, counter: Counter, patience_s: float) -> None:
        self._counter = counter
        self._patience_s = patience_s
        self._asks: list[tuple[Ask, asyncio.Future[Taken | Exceeded]]] = []
        self._corrections: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._held: dict[str, int] = {}
        self._changed: set[str] = set()
        self._doubtful: set[str] = set()
        self._work: asyncio.Task[None] | None = None
        self._renewal: asyncio.TimerHandle | None = None

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded:
        """Let a call in. RatesUnavailable: nobody can say in time whether it may."""
        future: asyncio.Future[Taken | Exceeded] = asyncio.get_running_loop().create_future()
        self._asks.append((Ask(rates, tokens), future))
        self._wake()
        try:
            async with asyncio.timeout(self._patience_s):
                return await future
        except TimeoutError:
            raise RatesUnavailable(f"no answer within {self._patience_s:g} s") from None

    def leave(self, taken: Taken, tokens: int) -> None:
        """A call is over. Never waits."""
        for rate in taken.rates:
            if rate.unit == "concurrency":
                self._hold(rate.id, -1)
                self._changed.add(rate.id)
            elif rate.unit == "tokens" and (change := correction_of(rate, taken, tokens)):
                self._corrections[rate.id, taken.at_slice] += change
        if self._changed or self._corrections:
            self._wake()

    async def aclose(self) -> None:
        """Give back what is held, if anybody listens."""
        if self._renewal is not None:
            self._renewal.cancel()
        if self._work is not None:
            await asyncio.wait((self._work,), timeout=self._patience_s)
            self._work.cancel()
            await asyncio.wait((self._work,))
        leases = dict.fromkeys(self._held.keys() | self._changed | self._doubtful, 0)
        if leases or self._corrections:
            with suppress(RatesUnavailable, TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    await self._counter.settle(Batch([], self._corrections, leases))
        await self._counter.aclose()

    def _wake(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        """Until there is nothing left to ask."""
        while self._asks or self._changed or self._corrections:
            some, self._asks = self._asks[:MOST_ASKS], self._asks[MOST_ASKS:]
            asks = [(ask, future) for ask, future in some if not future.done()]
            leased = {rate.id for ask, _ in asks for rate in ask.rates if rate.unit == "concurrency"} | self._changed
            batch = Batch([ask for ask, _ in asks], self._corrections, {one: self._held.get(one, 0) for one in leased})
            self._changed, self._corrections = set(), defaultdict(int)
            try:
                answers = await self._counter.settle(batch)
            except RatesUnavailable as error:
                self._doubtful |= leased
                for _, future in asks:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(asks, answers, strict=True):
                    self._answer(future, answer)
            self._renew_later()
        self._work = None

    def _answer(self, future: asyncio.Future[Taken | Exceeded], answer: Taken | Exceeded) -> None:
        if isinstance(answer, Taken):
            for rate in answer.rates:
                if rate.unit == "concurrency":
                    self._hold(rate.id, 1)
            if future.done():
                self.leave(answer, 0)
        if not future.done():
            future.set_result(answer)

    def _hold(self, rate_id: str, change: int) -> None:
        held = self._held.get(rate_id, 0) + change
        if held > 0:
            self._held[rate_id] = held
        else:
            self._held.pop(rate_id, None)

    def _renew_later(self) -> None:
        if self._renewal is None and (self._held or self._doubtful):
            self._renewal = asyncio.get_running_loop().call_later(RENEW_S, self._renew)

    def _renew(self) -> None:
        self._renewal = None
        self._changed |= self._held.keys() | self._doubtful
        self._doubtful = set()
        self._wake()
