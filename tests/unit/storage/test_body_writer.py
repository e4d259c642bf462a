"""Bodies are written beside the loop: all that fit, in groups, and again after a failure."""

import asyncio
import logging
from contextlib import closing

import pytest

from anykey.storage import body_writer
from anykey.storage.body_writer import BodyWriter
from anykey.storage.database import Database
from anykey.storage.exchange_bodies import find_bodies, opened
from anykey.storage.sqlite_database import SqliteDatabase
from tests.fakes.bodies import bodies_of

PEPPER = b"p" * 32


def kept(database: Database) -> set[str]:
    with closing(database.connect(read_only=True)) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM exchange_bodies")}


async def test_what_is_kept_is_sealed_in_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_writer, "GROUP_BYTES", 100)  # several groups
    writer = BodyWriter(database, PEPPER)
    for number in range(5):
        writer.keep(bodies_of(id=f"req_{number}"))
    await writer.aclose()
    assert kept(database) == {f"req_{number}" for number in range(5)}
    with closing(database.connect(read_only=True)) as connection:
        found = find_bodies(connection, "req_3", 0)
    assert found is not None
    assert opened(found, PEPPER).request == bodies_of().request


async def test_they_are_there_without_being_asked_for(database: Database) -> None:
    writer = BodyWriter(database, PEPPER)
    writer.keep(bodies_of(id="first"))
    async with asyncio.timeout(5):
        while kept(database) != {"first"}:
            await asyncio.sleep(0.01)
    writer.keep(bodies_of(id="second"))
    await writer.aclose()
    assert kept(database) == {"first", "second"}


async def test_what_there_is_no_room_for_is_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(body_writer, "WAITING_MOST_BYTES", 100)
    writer = BodyWriter(database, PEPPER)
    for number in range(3):
        writer.keep(bodies_of(id=f"req_{number}", request=b"x" * 60, answer=b""))
    await writer.aclose()
    writer.keep(bodies_of(id="late"))
    assert kept(database) == {"req_0"}
    assert "the bodies of 2 calls were not kept" in caplog.text


async def test_a_database_that_is_away_is_tried_again(
    file: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(body_writer, "RETRY_S", 0.01)
    away = file.path.with_suffix(".away")
    file.path.rename(away)
    writer = BodyWriter(file, PEPPER)
    with caplog.at_level(logging.ERROR):
        writer.keep(bodies_of())
        async with asyncio.timeout(5):
            while not caplog.records:
                await asyncio.sleep(0.01)
        away.rename(file.path)
        async with asyncio.timeout(5):
            while not kept(file):
                await asyncio.sleep(0.01)
    await writer.aclose()
    assert kept(file) == {"req_1"}
    assert len(caplog.records) == 1


async def test_an_end_does_not_wait_for_a_database_that_is_away(
    file: SqliteDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.unlink()
    writer = BodyWriter(file, PEPPER)
    writer.keep(bodies_of())
    async with asyncio.timeout(5):
        await writer.aclose()
    assert "the bodies of 1 calls were not kept" in caplog.text


async def test_a_row_that_cannot_be_kept_does_not_hold_up_the_next(database: Database) -> None:
    writer = BodyWriter(database, PEPPER)
    writer.keep(bodies_of(id="bad", at=2**70))
    await asyncio.sleep(0.05)
    writer.keep(bodies_of(id="good"))
    async with asyncio.timeout(5):
        while kept(database) != {"good"}:
            await asyncio.sleep(0.01)
    await writer.aclose()
