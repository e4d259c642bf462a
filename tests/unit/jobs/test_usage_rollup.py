"""Hours that are over are added up beside whatever else goes on."""

import asyncio
import logging
from pathlib import Path

import pytest

from anykey.jobs.usage_rollup import UsageRollup
from anykey.storage.database import Database
from anykey.storage.migrate import open_database
from tests.unit.storage.test_usage_report import ROWS
from tests.unit.storage.usage_calls import write


def hours_of(database: Database) -> int:
    return database.connect(read_only=True).execute("SELECT count(DISTINCT at) FROM usage_hours").fetchone()[0]


async def test_what_is_over_is_added_up(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    write(database, ROWS)
    rollup = UsageRollup(database, pause_s=0)
    rollup.start(0)
    async with asyncio.timeout(10):
        while hours_of(database) < len({row.at // 3_600_000 for row in ROWS}):
            await asyncio.sleep(0.01)
    await rollup.aclose()


async def test_a_look_that_fails_is_not_the_last(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = open_database(tmp_path)
    write(database, ROWS)
    rollup = UsageRollup(database, pause_s=0)
    database.path.rename(tmp_path / "away")
    with caplog.at_level(logging.DEBUG):
        rollup.start(0)
        async with asyncio.timeout(10):
            while "usage cannot be added up" not in caplog.text:
                await asyncio.sleep(0.01)
    await rollup.aclose()
    (tmp_path / "away").rename(database.path)
    assert await UsageRollup(database, pause_s=0).look() > 5
