"""Rates that several processes share through a real Valkey or Redis."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from valkey import Valkey

from anykey.accounts.purse import Rate, RateUnit
from anykey.accounts.rates import SLICE_MS, SLICES, Exceeded, RatesUnavailable, Taken
from anykey.exchange.limiting import GuardedLimiter
from anykey.storage import valkey_rates
from anykey.storage.rate_gate import LEASE_MS, RateGate
from anykey.storage.valkey_rates import PREFIX, ValkeyRates
from tests.fakes.loading_valkey import loading_valkey
from tests.services.valkey import ValkeyServer, own_valkey


@pytest.fixture
def owner() -> str:
    """Keys of this test alone: the server is everybody's."""
    return secrets.token_hex(6)


def rate(unit: RateUnit, limit: int, owner: str) -> Rate:
    return Rate(f"key:{owner}:{unit}", "key", owner, unit, limit)


def connected(server: ValkeyServer) -> Any:
    """The driver's own client; its types are partial."""
    return Valkey.from_url(server.url.replace("redis://", "valkey://"))  # pyright: ignore[reportUnknownMemberType]


@asynccontextmanager
async def gates(url: str, count: int, patience_s: float = 5.0) -> AsyncGenerator[list[RateGate]]:
    made = [RateGate(ValkeyRates(url, f"process{number}"), patience_s) for number in range(count)]
    try:
        yield made
    finally:
        for gate in made:
            await gate.aclose()


async def test_of_many_calls_at_once_exactly_as_many_as_fit_are_let_in(valkey: ValkeyServer, owner: str) -> None:
    async with gates(valkey.url, 3) as made:
        rates = (rate("requests", 50, owner), rate("tokens", 10_000, owner))
        found = await asyncio.gather(*(made[number % 3].take(rates, 10) for number in range(200)))
        taken = [one for one in found if isinstance(one, Taken)]
        refused = [one for one in found if isinstance(one, Exceeded)]
        assert (len(taken), len(refused)) == (50, 150)
        assert all(one.shared for one in taken)
        assert all(0 < one.wait_ms <= 60_000 + SLICE_MS for one in refused)
        assert max(one.states[0].used for one in taken) == 50
        assert max(one.states[1].used for one in taken) == 500


async def test_tokens_are_put_right_for_everybody(valkey: ValkeyServer, owner: str) -> None:
    async with gates(valkey.url, 2) as (one, other):
        rates = (rate("tokens", 1000, owner),)
        first = await one.take(rates, 900)
        assert isinstance(first, Taken)
        assert isinstance(await other.take(rates, 200), Exceeded)
        one.leave(first, 100)
        while isinstance(found := await other.take(rates, 200), Exceeded):
            await asyncio.sleep(0.01)
        assert found.states[0].used == 300


async def test_calls_at_the_same_time_and_a_process_that_died(valkey: ValkeyServer, owner: str) -> None:
    async with gates(valkey.url, 2) as (one, other):
        rates = (rate("concurrency", 2, owner),)
        held = [await one.take(rates, 0), await other.take(rates, 0)]
        assert isinstance(held[0], Taken)
        assert isinstance(await other.take(rates, 0), Exceeded)
        one.leave(held[0], 0)
        while isinstance(await other.take(rates, 0), Exceeded):
            await asyncio.sleep(0.01)
        client = connected(valkey)
        key = PREFIX + rates[0].id
        client.hset(key, "dead", f"1:{int(time.time() * 1000) - 1}")
        assert isinstance(await one.take(rates, 0), Exceeded)
        client.hset(key, "process1", f"2:{int(time.time() * 1000) - LEASE_MS}")
        assert isinstance(await one.take(rates, 0), Taken)
        assert not client.hexists(key, "dead")
        client.close()


async def test_old_slices_are_forgotten(valkey: ValkeyServer, owner: str) -> None:
    client = connected(valkey)
    rates = (rate("requests", 2, owner),)
    key, now = PREFIX + rates[0].id, int(time.time() * 1000) // SLICE_MS
    client.hset(key, str(now - SLICES - 2), 7)
    client.hset(key, str(now - SLICES + 1), 1)
    async with gates(valkey.url, 1) as (gate,):
        found = await gate.take(rates, 0)
        assert isinstance(found, Taken)
        assert found.states[0].used == 2
        refused = await gate.take(rates, 0)
    assert isinstance(refused, Exceeded)
    assert refused.wait_ms <= 2 * SLICE_MS
    assert not client.hexists(key, str(now - SLICES - 2))
    assert 0 < client.pttl(key) <= (SLICES + 2) * SLICE_MS
    client.close()


async def test_what_was_counted_before_the_clock_was_put_back_does_not_lock_out(
    valkey: ValkeyServer, owner: str
) -> None:
    client, day_ms = connected(valkey), 86_400_000
    rates = (rate("requests", 1, owner), rate("concurrency", 1, owner))
    now_ms = int(time.time() * 1000)
    client.hset(PREFIX + rates[0].id, str((now_ms + day_ms) // SLICE_MS), 1)
    client.hset(PREFIX + rates[1].id, "dead", f"1:{now_ms + day_ms}")
    async with gates(valkey.url, 1) as (gate,):
        assert isinstance(await gate.take(rates, 0), Taken)
        assert isinstance(await gate.take(rates, 0), Exceeded)
    assert not client.hexists(PREFIX + rates[1].id, "dead")
    client.close()


async def test_a_server_that_is_killed_frozen_and_back(owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faults of a limiter in front of it: never open, never slow for more than a moment, and back by itself."""
    monkeypatch.setattr("anykey.exchange.limiting.LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(valkey_rates, "TIMEOUT_S", 0.5)
    with own_valkey() as server:
        limiter = GuardedLimiter(RateGate(ValkeyRates(server.url, "one"), 0.2), lambda: 2)
        try:
            rates = (rate("requests", 100, owner),)
            assert _shared(await limiter.take(rates, 0))
            for stop, start in ((server.kill, server.start), (server.freeze, server.thaw)):
                rates = (rate("requests", 100, owner + stop.__name__),)
                stop()
                began, asked = time.monotonic(), 0
                while not limiter.apart:
                    assert isinstance(await limiter.take(rates, 0), Taken)
                    asked += 1
                assert asked <= 5
                assert time.monotonic() - began < 1.3
                began = time.monotonic()
                found = [await limiter.take(rates, 0) for _ in range(100)]
                assert (time.monotonic() - began) / 100 < 0.005
                assert any(isinstance(one, Exceeded) for one in found)  # 50 of 100 are its part
                assert not any(_shared(one) for one in found)
                start()
                deadline = time.monotonic() + 5
                while limiter.apart:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
                assert _shared(await limiter.take(rates, 0))
        finally:
            await limiter.aclose()


async def test_a_server_that_only_reads_does_not_count(owner: str) -> None:
    with own_valkey() as server:
        client = connected(server)
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        client.close()
        async with gates(server.url, 1) as (gate,):
            with pytest.raises(RatesUnavailable):
                await gate.take((rate("requests", 1, owner),), 0)


async def test_a_server_that_still_loads_does_not_count(owner: str) -> None:
    with loading_valkey() as url:
        async with gates(url, 1) as (gate,):
            with pytest.raises(RatesUnavailable, match="loading"):
                await gate.take((rate("requests", 1, owner),), 0)


async def test_no_password_is_told(owner: str) -> None:
    async with gates("valkey://user:secret-word@127.0.0.1:1/0", 1) as (gate,):
        with pytest.raises(RatesUnavailable) as told:
            await gate.take((rate("requests", 1, owner),), 0)
    assert "secret-word" not in str(told.value)


def _shared(found: Taken | Exceeded) -> bool:
    return isinstance(found, Taken) and found.shared
