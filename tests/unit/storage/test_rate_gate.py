"""Calls that wait for one answer together, leave early, or are held while they run."""

import asyncio

import pytest

from anykey.accounts.purse import Rate
from anykey.accounts.rates import Book, Exceeded, RatesUnavailable, Taken
from anykey.storage import rate_gate
from anykey.storage.rate_gate import Batch, RateGate

CONCURRENCY = (Rate("key:k:concurrency", "key", "k", "concurrency", 2),)
REQUESTS = (Rate("key:k:requests", "key", "k", "requests", 100),)
LEASE = CONCURRENCY[0].id


class Place:
    """A counter in memory that can be slow or fail, and remembers what it was asked."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failing = False
        self.book = Book()

    async def settle(self, batch: Batch) -> list[Taken | Exceeded]:
        self.batches.append(batch)
        await self.open.wait()
        if self.failing:
            raise RatesUnavailable("gone")
        self.book.held = dict(batch.leases)
        return [self.book.take(ask.rates, ask.tokens, 0) for ask in batch.asks]

    async def aclose(self) -> None:
        """There is nothing to close."""


async def test_who_comes_meanwhile_is_decided_together() -> None:
    place = Place()
    gate = RateGate(place, 5)
    place.open.clear()
    first = asyncio.create_task(gate.take(REQUESTS, 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    more = [asyncio.create_task(gate.take(REQUESTS, 0)) for _ in range(20)]
    await asyncio.sleep(0.01)
    place.open.set()
    assert isinstance(await first, Taken)
    await asyncio.gather(*more)
    assert [len(batch.asks) for batch in place.batches] == [1, 20]


async def test_who_left_before_the_answer_holds_nothing() -> None:
    place = Place()
    gate = RateGate(place, 0.05)
    place.open.clear()
    with pytest.raises(RatesUnavailable, match="no answer within"):
        await gate.take(CONCURRENCY, 0)
    gone = asyncio.create_task(gate.take(CONCURRENCY, 0))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.wait((gone,))
    place.open.set()
    await asyncio.sleep(0.01)
    assert place.batches[-1].leases == {LEASE: 0}
    assert sum(len(batch.asks) for batch in place.batches) == 1  # who left before he was asked about is not asked about


async def test_leases_are_renewed_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_gate, "RENEW_S", 0.02)
    place = Place()
    gate = RateGate(place, 5)
    found = await gate.take(CONCURRENCY, 0)
    assert isinstance(found, Taken)
    await asyncio.sleep(0.1)
    renewals = [batch for batch in place.batches if not batch.asks]
    assert len(renewals) >= 2
    assert all(batch.leases == {LEASE: 1} for batch in renewals)
    gate.leave(found, 0)
    await asyncio.sleep(0.05)
    assert place.batches[-1].leases == {LEASE: 0}
    told = len(place.batches)
    await asyncio.sleep(0.05)
    assert len(place.batches) == told


async def test_after_a_failure_the_leases_are_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_gate, "RENEW_S", 0.02)
    place = Place()
    gate = RateGate(place, 5)
    place.failing = True
    with pytest.raises(RatesUnavailable, match="gone"):
        await gate.take(CONCURRENCY, 0)
    place.failing = False
    await asyncio.sleep(0.05)
    assert (place.batches[-1].asks, place.batches[-1].leases) == ([], {LEASE: 0})


async def test_the_end_gives_everything_back() -> None:
    place = Place()
    gate = RateGate(place, 5)
    await gate.take(CONCURRENCY, 0)
    await gate.aclose()
    assert place.batches[-1].leases == {LEASE: 0}
