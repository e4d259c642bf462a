"""The job beside a gateway: it deletes what is over, ends when told, and leaves it to another where it is not on duty."""

import asyncio
import logging
import time
from contextlib import closing
from pathlib import Path

import pytest

from anykey.jobs.retention import Retention
from anykey.settings.records import RetentionSettings
from anykey.storage.database import Database
from anykey.storage.duty import Duty
from anykey.storage.migrate import locate_database, open_database, open_server
from anykey.storage.sqlite_database import SqliteDatabase
from tests.fakes.charges import ask
from tests.services.postgres import PostgresServer

SETTINGS = RetentionSettings()


def add(database: Database, *names: str) -> None:
    statement = "INSERT INTO deliveries (id, webhook_id, event, body, at) VALUES (?, 'w', 'e', '{}', 0)"
    with closing(database.connect()) as connection:
        connection.executemany(statement, [(name,) for name in names])


async def test_it_deletes_and_stops_when_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "anykey.jobs.retention")
    database = open_database(tmp_path)
    add(database, "a", "b")
    retention = Retention(database, pause_s=0)
    retention.start(lambda: SETTINGS, first_after_s=0)
    async with asyncio.timeout(5):
        while "deleted what was over: deliveries 2" not in caplog.text:
            await asyncio.sleep(0.02)
    began = time.monotonic()
    await retention.aclose()
    assert time.monotonic() - began < 1
    assert ask(database, "SELECT 1 FROM deliveries") == []


async def test_one_process_does_it(postgres: PostgresServer, tmp_path: Path) -> None:
    database = locate_database(tmp_path, postgres.migrated(open_server))
    first, second = Duty(database), Duty(database)
    assert await first.mine()
    add(database, "a")
    idle = Retention(database, second, pause_s=0)
    assert await idle.look(SETTINGS) == {}
    assert await Retention(database, first, pause_s=0).look(SETTINGS) == {"deliveries": 1}
    await idle.aclose()
    await asyncio.gather(first.aclose(), second.aclose())


async def test_a_database_that_fails_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    retention = Retention(SqliteDatabase(tmp_path / "none"))
    retention.start(lambda: SETTINGS, first_after_s=0)
    async with asyncio.timeout(5):
        while "what is over could not be deleted" not in caplog.text:
            await asyncio.sleep(0.02)
    await retention.aclose()


async def test_it_may_end_before_it_began(tmp_path: Path) -> None:
    retention = Retention(open_database(tmp_path))
    retention.start(lambda: SETTINGS)
    await retention.aclose()
