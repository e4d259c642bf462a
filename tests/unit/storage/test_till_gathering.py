"""Under load the till lets asks gather; in a quiet moment nobody waits for company."""

import asyncio
import time

import pytest

import anykey.storage.till as module
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, ask, opening, purse

GATHER_S = 0.3


async def calls(till: Till, name: str, count: int) -> float:
    """Ask so many at once; returns how long the last waited."""
    began = time.monotonic()
    await asyncio.gather(*(till.open(opening(f"{name}{n}", purse(), 0)) for n in range(count)))
    return time.monotonic() - began


async def test_many_at_once_gather_and_few_wait_for_nobody(
    file: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATHER_S", GATHER_S)
    till = Till(file, clock_ms=lambda: NOON_MS)
    try:
        await calls(till, "first", 1)
        few = module.CROWD  # the first of them goes alone, so the others are one too few
        assert min([await calls(till, f"few {n} ", few) for n in range(3)]) < GATHER_S
        await calls(till, "crowd", module.CROWD + 1)
        assert await calls(till, "next", 5) > GATHER_S / 2
        assert await calls(till, "quiet", 1) < GATHER_S
        await calls(till, "crowd again", module.CROWD + 1)
        waiting = asyncio.create_task(calls(till, "last", 1))
        await asyncio.sleep(GATHER_S / 10)
        began = time.monotonic()
    finally:
        await till.aclose()
    assert time.monotonic() - began < GATHER_S  # the end gathers nobody
    await waiting
    assert ask(file, "SELECT COUNT(*) FROM charges WHERE id = 'last0'") == [(1,)]
