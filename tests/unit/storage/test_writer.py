"""Rows arrive in groups, survive a failing database, and never hold up who records them."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

import anykey.storage.writer as module
from anykey.storage.database import Database
from anykey.storage.exchanges import UsageFilter, recent_exchanges
from anykey.storage.migrate import open_database
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import GROUP_ROWS, ExchangeWriter

ROW = ExchangeRow(
    id="r",
    at=1,
    key_id="k",
    client="c",
    client_protocol="openai_chat",
    model_asked="m",
    stream=False,
    attempts=1,
    status=200,
    losses=("a", "b"),
    total_ms=1,
)


def numbered(count: int) -> list[ExchangeRow]:
    return [msgspec.structs.replace(ROW, id=f"r{number}", at=number) for number in range(count)]


def kept(database: Database) -> list[ExchangeRow]:
    return recent_exchanges(database, 10_000, UsageFilter())[::-1]


async def until(condition: str, database: Database, count: int) -> None:
    for _ in range(200):
        if len(kept(database)) == count:
            return
        await asyncio.sleep(0.02)
    pytest.fail(condition)


async def test_a_row_is_there_a_moment_later_without_closing(database: Database) -> None:
    writer = ExchangeWriter(database)
    writer.record(ROW)
    await until("the row was not written", database, 1)
    assert kept(database) == [ROW]
    await writer.aclose()


async def test_a_burst_is_one_transaction(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    writer = ExchangeWriter(database)
    with closing(database.connect()) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()
        for row in numbered(100):
            writer.record(row)
        assert watcher.execute("PRAGMA data_version").fetchone() == before
        await writer.aclose()
        version = watcher.execute("PRAGMA data_version").fetchone()[0]
    assert version == before[0] + 1
    assert len(kept(database)) == 100


async def test_a_full_group_does_not_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_WAIT_S", 60.0)
    writer = ExchangeWriter(database)
    for row in numbered(GROUP_ROWS):
        await asyncio.sleep(0)
        writer.record(row)
    await until("the full group was not written", database, GROUP_ROWS)
    await writer.aclose()


async def test_closing_writes_what_is_kept_and_closes_the_file(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    writer = ExchangeWriter(database)
    rows = numbered(1000)
    for row in rows:
        writer.record(row)
    await writer.aclose()
    assert kept(database) == rows
    assert not (tmp_path / "anykey.db-wal").exists()


async def test_closing_without_rows_is_quiet(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await ExchangeWriter(database).aclose()
    assert caplog.records == []


async def test_rows_wait_for_a_failing_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = open_database(tmp_path)
    away = tmp_path / "away.db"
    database.path.rename(away)
    writer = ExchangeWriter(database)
    rows = numbered(300)
    for row in rows[:200]:
        writer.record(row)
    await asyncio.sleep(0.3)
    for row in rows[200:]:
        writer.record(row)
    assert [record.getMessage() for record in caplog.records] == [
        "usage cannot be written, 200 rows are kept: unable to open database file"
    ]
    away.rename(database.path)
    await until("the kept rows were not written", database, 300)
    assert kept(database) == rows
    await writer.aclose()


async def test_a_lock_held_by_another_is_waited_for(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    writer = ExchangeWriter(database)
    with closing(database.connect()) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.record(ROW)
        await asyncio.sleep(0.2)
        other.execute("COMMIT")
    await writer.aclose()
    assert kept(database) == [ROW]


async def test_closing_gives_up_and_counts_what_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = open_database(tmp_path)
    database.path.unlink()
    writer = ExchangeWriter(database)
    for row in numbered(3):
        writer.record(row)
    await asyncio.wait_for(writer.aclose(), timeout=5)
    writer.record(ROW)
    assert caplog.records[-1].getMessage() == "3 usage rows were not written"


async def test_no_more_rows_are_kept_than_the_bound(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "KEPT_ROWS_MAX", 5)
    writer = ExchangeWriter(database)
    for row in numbered(8):
        writer.record(row)
    await writer.aclose()
    assert len(kept(database)) == 5
    assert caplog.records[-1].getMessage() == "3 usage rows were not written"


@pytest.mark.parametrize("bad", [{"input_tokens": 2**63}, {"model_asked": "\ud800"}, {"status": None}])
async def test_an_impossible_row_does_not_take_the_others_with_it(
    database: Database, caplog: pytest.LogCaptureFixture, bad: dict[str, int | str | None]
) -> None:
    writer = ExchangeWriter(database)
    good = numbered(3)
    for row in (good[0], msgspec.structs.replace(ROW, **bad), *good[1:]):
        writer.record(row)
    await writer.aclose()
    assert kept(database) == good
    assert caplog.records[-1].getMessage() == "1 usage rows were not written"


async def test_the_same_exchange_is_kept_once(database: Database) -> None:
    writer = ExchangeWriter(database)
    writer.record(ROW)
    writer.record(ROW)
    await writer.aclose()
    assert kept(database) == [ROW]


async def test_losses_are_kept_as_json_text(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    writer = ExchangeWriter(database)
    writer.record(ROW)
    await writer.aclose()
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("SELECT losses FROM exchanges").fetchall() == [('["a","b"]',)]


async def test_rows_go_to_the_database_that_is_there_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = open_database(tmp_path)
    writer = ExchangeWriter(database)
    writer.record(ROW)
    await until("the row was not written", database, 1)
    for file in tmp_path.glob("anykey.db*"):
        file.unlink()
    rows = numbered(3)
    for row in rows:
        writer.record(row)
    await asyncio.sleep(0.2)
    assert "3 rows are kept" in caplog.text
    open_database(tmp_path)
    await until("the kept rows were not written", database, 3)
    assert kept(database) == rows
    await writer.aclose()
