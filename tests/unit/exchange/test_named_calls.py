"""Named calls of one process: their claims, their signs of life, their end."""

import asyncio
from pathlib import Path

import pytest

from anykey.exchange import named_calls
from anykey.exchange.named_calls import NamedCalls
from anykey.storage.database import Database
from anykey.storage.idempotency import Claim, Kept, Name
from anykey.storage.migrate import open_database

NAME = Name("key1", "one")


def rows(database: Database) -> list[tuple[str, int]]:
    connection = database.connect()
    try:
        return connection.execute("SELECT state, at FROM idempotency").fetchall()
    finally:
        connection.close()


async def test_a_call_that_runs_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_calls, "SIGN_EVERY_S", 0.01)
    now = [1000.0]
    database = open_database(tmp_path)
    calls = NamedCalls(database, lambda: now[0])
    claimed = await calls.begin(NAME, b"d", "req_1")
    assert isinstance(claimed, Claim)
    assert rows(database) == [("running", 1_000_000)]
    now[0] = 1003.0
    while rows(database) != [("running", 1_003_000)]:
        await asyncio.sleep(0.01)
    assert await calls.begin(NAME, b"d", "req_2") == Kept("running", b"d")
    await calls.finish(claimed, Kept("whole", b"d", 200, (), b"x"))
    now[0] = 1009.0
    await asyncio.sleep(0.05)
    assert rows(database) == [("whole", 1_003_000)]
    assert await calls.begin(NAME, b"d", "req_3") == Kept("whole", b"d", 200, (), b"x")
    await calls.aclose()


async def test_what_is_over_a_day_old_is_swept_by_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_calls, "SIGN_EVERY_S", 0.01)
    now = [1000.0]
    database = open_database(tmp_path)
    calls = NamedCalls(database, lambda: now[0])
    old = await calls.begin(NAME, b"d", "req_1")
    assert isinstance(old, Claim)
    await calls.finish(old, Kept("too_large", b"d"))
    now[0] += 2 * 86_400
    await calls.begin(Name("key1", "two"), b"d", "req_2")
    while len(rows(database)) > 1:
        await asyncio.sleep(0.01)
    await calls.aclose()


async def test_at_the_end_calls_without_clients_may_end_or_are_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_calls, "GRACE_S", 0.05)
    calls = NamedCalls(open_database(tmp_path))
    quick, slow = asyncio.create_task(asyncio.sleep(0.01)), asyncio.create_task(asyncio.sleep(60))
    calls.alone |= {quick, slow}
    await calls.aclose()
    assert (quick.cancelled(), slow.cancelled()) == (False, True)
