"""One thread, in order: a change is seen by who asks after it, is whole or not at all, and outlives who asked for it."""

import asyncio
import gc
import threading
import time
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from anykey.storage import shelf as module
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError
from anykey.storage.migrate import open_database
from anykey.storage.shelf import Shelf


def insert(connection: Connection, number: int) -> None:
    connection.execute("INSERT INTO conversations VALUES ('k', ?, 0, 0, '{}')", (f"c{number}",))


def insert_and_fail(connection: Connection) -> None:
    insert(connection, 99)
    raise ValueError("changed my mind")


def count(connection: Connection) -> int:
    return connection.execute("SELECT count(*) FROM conversations").fetchone()[0]


async def test_a_change_is_seen_at_once_and_the_loop_never_works(database: Database) -> None:
    shelf = Shelf(database)
    work = [shelf.change(insert, number) for number in range(3)]
    assert (await asyncio.gather(*work, shelf.read(count)))[-1] == 3
    assert await shelf.read(lambda _: threading.current_thread() is threading.main_thread()) is False
    await shelf.aclose()


async def test_a_change_that_fails_leaves_nothing(database: Database) -> None:
    shelf = Shelf(database)
    with pytest.raises(ValueError, match="changed my mind"):
        await shelf.change(insert_and_fail)
    assert await shelf.read(count) == 0
    await shelf.aclose()


async def test_a_change_outlives_who_asked_for_it(database: Database) -> None:
    shelf = Shelf(database)
    asking = asyncio.create_task(shelf.change(insert, 1))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await shelf.read(count) == 1
    await shelf.aclose()


async def test_a_file_put_in_the_place_of_the_old_one_is_used(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    shelf = Shelf(database)
    await shelf.change(insert, 1)
    for name in ("anykey.db", "anykey.db-wal", "anykey.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(DatabaseError):
        await shelf.read(count)
    open_database(tmp_path)
    assert await shelf.read(count) == 0
    await shelf.aclose()


async def test_a_lock_is_waited_for_once_until_it_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.5)
    monkeypatch.setattr(module, "HASTE_S", 0.01)
    database = open_database(tmp_path)
    shelf = Shelf(database)
    waits_s: list[float] = []
    with closing(database.connect()) as other:
        for locked in (True, True, False, True):
            if locked:
                other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with nullcontext() if not locked else pytest.raises(DatabaseError, match="locked"):
                await shelf.change(insert, len(waits_s))
            waits_s.append(time.monotonic() - began)
            if locked:
                other.execute("ROLLBACK")
    assert [wait_s > 0.4 for wait_s in waits_s] == [True, False, False, True]
    await shelf.aclose()


async def test_an_error_that_nobody_waits_for_is_not_told_by_the_loop(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(database)
    waiting = asyncio.create_task(shelf.read(slow_and_failing))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await shelf.aclose()
    gc.collect()
    assert caplog.records == []


def slow_and_failing(connection: Connection) -> None:
    time.sleep(0.1)
    raise DatabaseError("nobody hears this")
