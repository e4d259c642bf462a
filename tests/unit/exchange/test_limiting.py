"""Who counts, and what becomes of it when the place that counts for all does not answer."""

import asyncio
import logging

import pytest

from anykey.accounts.purse import Rate
from anykey.accounts.rates import Exceeded, RatesUnavailable, Taken
from anykey.exchange import limiting
from anykey.exchange.limiting import GuardedLimiter, MemoryLimiter

RATES = (Rate("key:k:requests", "key", "k", "requests", 10),)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Place(MemoryLimiter):
    """A shared place that can be down, and takes its time to say so."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.asked = 0
        self.failing_s: float | None = None

    async def take(self, rates: tuple[Rate, ...], tokens: int) -> Taken | Exceeded:
        self.asked += 1
        if self.failing_s is not None:
            self.clock.now += self.failing_s
            raise RatesUnavailable("the place is down")
        found = await super().take(rates, tokens)
        return found._replace(shared=True) if isinstance(found, Taken) else found


async def test_in_memory_the_minute_slides() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    for _ in range(10):
        assert isinstance(await limiter.take(RATES, 0), Taken)
    refused = await limiter.take(RATES, 0)
    assert isinstance(refused, Exceeded)
    clock.now += refused.wait_ms / 1000
    assert isinstance(await limiter.take(RATES, 0), Taken)
    await limiter.aclose()


@pytest.mark.parametrize(("failing_s", "asked"), [(0.0, 5), (0.2, 5), (0.3, 4), (2.0, 1)])
async def test_after_a_few_failures_it_is_not_asked_any_more(failing_s: float, asked: int) -> None:
    clock = Clock()
    place = Place(clock)
    limiter = GuardedLimiter(place, lambda: 3, clock)
    place.failing_s = failing_s
    found = [await limiter.take(RATES, 0) for _ in range(20)]
    assert place.asked == asked
    assert limiter.apart
    assert sum(isinstance(one, Taken) for one in found) == 3  # a third of ten
    assert not any(one.shared for one in found if isinstance(one, Taken))
    await limiter.aclose()


async def test_it_is_asked_again_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limiting, "LOOK_AGAIN_S", 0.01)
    clock = Clock()
    place = Place(clock)
    limiter = GuardedLimiter(place, lambda: 1, clock)
    place.failing_s = 0.0
    with caplog.at_level(logging.WARNING):
        own = [await limiter.take(RATES, 0) for _ in range(6)][-1]
        clock.now += 5
        place.failing_s = None
        while limiter.apart:
            await asyncio.sleep(0.01)
    shared = await limiter.take(RATES, 0)
    assert isinstance(own, Taken)
    assert isinstance(shared, Taken)
    assert (own.shared, shared.shared, shared.states[0].used) == (False, True, 1)
    limiter.leave(own, 0)  # each goes back to where it was counted
    limiter.leave(shared, 0)
    assert [record.message for record in caplog.records] == [
        "rate limits are counted by each process for itself: the place is down",
        "rate limits are counted for all processes together again",
    ]
    await limiter.aclose()


async def test_one_failure_is_forgotten_by_an_answer() -> None:
    clock = Clock()
    place = Place(clock)
    limiter = GuardedLimiter(place, lambda: 1, clock)
    for _ in range(10):
        place.failing_s = 0.0
        await limiter.take(RATES, 0)
        place.failing_s = None
        await limiter.take(RATES, 0)
        clock.now += 100
    assert not limiter.apart
    await limiter.aclose()


async def test_who_only_looks_takes_nothing() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    assert [(one.used, one.reset_ms) for one in limiter.look(RATES)] == [(0, 0)]
    await limiter.take(RATES, 0)
    seen = limiter.look(RATES)
    assert [one.used for one in seen] == [one.used for one in limiter.look(RATES)] == [1]
    clock.now += seen[0].reset_ms / 1000
    assert [(one.used, one.reset_ms) for one in limiter.look(RATES)] == [(0, 0)]


async def test_what_the_shared_place_said_last_is_told_without_asking_it() -> None:
    clock = Clock()
    place = Place(clock)
    limiter = GuardedLimiter(place, lambda: 2, clock)
    rates = (*RATES, Rate("key:k:concurrency", "key", "k", "concurrency", 3))
    assert [one.used for one in limiter.look(rates)] == [0]
    taken = await limiter.take(rates, 0)
    clock.now += 1
    (seen,) = limiter.look(rates)
    assert (seen.used, place.asked) == (1, 1)
    assert seen.reset_ms == taken.states[0].reset_ms - 1000
    clock.now += 120
    assert [(one.used, one.reset_ms) for one in limiter.look(rates)] == [(0, 0)]
    place.failing_s = 2.0
    await limiter.take(RATES, 0)
    assert [(one.used, one.rate.limit) for one in limiter.look(RATES)] == [(1, 5)]  # its own half
    await limiter.aclose()
