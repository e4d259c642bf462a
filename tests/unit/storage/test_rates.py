"""Rates that several processes share through the database: as exact as in one process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from anykey.accounts.purse import Rate, RateUnit
from anykey.accounts.rates import SLICE_MS, Exceeded, RatesUnavailable, Taken
from anykey.storage.database import Database
from anykey.storage.rate_gate import RateGate
from anykey.storage.rates import DatabaseRates
from anykey.storage.sqlite_database import SqliteDatabase

PATIENCE_S = 10.0


def rate(unit: RateUnit, limit: int, owner: str = "k") -> Rate:
    return Rate(f"key:{owner}:{unit}", "key", owner, unit, limit)


@asynccontextmanager
async def gates(database: Database, count: int) -> AsyncGenerator[list[RateGate]]:
    """So many processes' gates to one database."""
    made = [RateGate(DatabaseRates(database, f"process{number}"), PATIENCE_S) for number in range(count)]
    try:
        yield made
    finally:
        for gate in made:
            await gate.aclose()


def execute(database: Database, statement: str) -> list[tuple[object, ...]]:
    connection = database.connect()
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


async def test_of_many_calls_at_once_exactly_as_many_as_fit_are_let_in(database: Database) -> None:
    async with gates(database, 3) as made:
        rates = (rate("requests", 50), rate("tokens", 10_000))
        found = await asyncio.gather(*(made[number % 3].take(rates, 10) for number in range(200)))
        taken = [one for one in found if isinstance(one, Taken)]
        refused = [one for one in found if isinstance(one, Exceeded)]
        assert (len(taken), len(refused)) == (50, 150)
        assert all(one.shared for one in taken)
        assert {one.rate.unit for one in refused} == {"requests"}
        assert all(0 < one.wait_ms <= 60_000 + SLICE_MS for one in refused)
        assert max(one.states[0].used for one in taken) == 50
    assert execute(database, "SELECT SUM(used) FROM rate_windows WHERE id = 'key:k:tokens'")[0][0] == 500


async def test_tokens_are_put_right_for_everybody(database: Database) -> None:
    async with gates(database, 2) as (one, other):
        rates = (rate("tokens", 1000),)
        first = await one.take(rates, 900)
        assert isinstance(first, Taken)
        assert isinstance(await other.take(rates, 200), Exceeded)
        one.leave(first, 100)
        while isinstance(found := await other.take(rates, 200), Exceeded):
            await asyncio.sleep(0.01)
        assert found.states[0].used == 300


async def test_calls_at_the_same_time_count_over_all_processes(database: Database) -> None:
    async with gates(database, 2) as (one, other):
        rates = (rate("concurrency", 3),)
        held = [await one.take(rates, 0), await one.take(rates, 0), await other.take(rates, 0)]
        assert all(isinstance(call, Taken) for call in held)
        assert isinstance(await other.take(rates, 0), Exceeded)
        assert isinstance(held[0], Taken)
        one.leave(held[0], 0)
        while isinstance(await other.take(rates, 0), Exceeded):
            await asyncio.sleep(0.01)
        assert isinstance(await one.take(rates, 0), Exceeded)
    assert execute(database, "SELECT id FROM rate_leases WHERE held > 0") == []


async def test_the_leases_of_a_process_that_died_end(database: Database) -> None:
    async with gates(database, 2) as (dead, alive):
        rates = (rate("concurrency", 1),)
        assert isinstance(await dead.take(rates, 0), Taken)
        assert isinstance(await alive.take(rates, 0), Exceeded)
        execute(database, "UPDATE rate_leases SET until_ms = until_ms - 60000 RETURNING id")
        assert isinstance(await alive.take(rates, 0), Taken)


async def test_a_minute_later_all_is_free_and_the_old_rows_are_gone(database: Database) -> None:
    async with gates(database, 1) as (gate,):
        rates = (rate("requests", 1),)
        assert isinstance(await gate.take(rates, 0), Taken)
        assert isinstance(await gate.take(rates, 0), Exceeded)
        execute(
            database, f"UPDATE rate_windows SET slice_ms = slice_ms - {14 * SLICE_MS} WHERE slice_ms > 0 RETURNING id"
        )
        assert isinstance(await gate.take(rates, 0), Taken)
    assert len(execute(database, "SELECT id FROM rate_windows WHERE slice_ms > 0")) == 1


async def test_what_was_counted_before_the_clock_was_put_back_does_not_lock_out(database: Database) -> None:
    async with gates(database, 2) as (one, other):
        rates = (rate("requests", 1), rate("concurrency", 1))
        assert isinstance(await one.take(rates, 0), Taken)
        assert isinstance(await other.take(rates, 0), Exceeded)
        execute(database, "UPDATE rate_windows SET slice_ms = slice_ms + 86400000 WHERE slice_ms > 0 RETURNING id")
        execute(database, "UPDATE rate_leases SET until_ms = until_ms + 86400000 RETURNING id")
        assert isinstance(await other.take(rates, 0), Taken)
        assert len(execute(database, "SELECT id FROM rate_windows WHERE slice_ms > 0")) == 1


async def test_a_database_that_is_not_there_is_said_to_be(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with gates(SqliteDatabase(tmp_path_factory.mktemp("none") / "missing.db"), 1) as (gate,):
        with pytest.raises(RatesUnavailable):
            await gate.take((rate("requests", 1),), 0)
        with pytest.raises(RatesUnavailable):
            await gate.take((), 0)


async def test_a_call_without_rates_only_asks_who_answers(database: Database) -> None:
    async with gates(database, 1) as (gate,):
        assert await gate.take((), 0) == Taken((), 0, 0, (), shared=True)
