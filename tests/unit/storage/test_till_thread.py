"""The till's thread: its connection, and batches that go there and come back."""

import asyncio
import logging

import pytest

from anykey.storage.charges import Opened
from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.till_batch import ToOpen
from anykey.storage.till_thread import Durability, Job, TillThread, Waiting
from tests.fakes.charges import NOON_MS, ask, ending, opening, purse, states


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_power_loss_is_a_setting(file: SqliteDatabase, durability: Durability, level: int) -> None:
    connection = TillThread(file, "p", durability, lambda: NOON_MS).connected()
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    connection.close()


def test_the_process_is_known_before_its_first_charge(database: Database) -> None:
    thread = TillThread(database, "p", "power", lambda: NOON_MS)
    connection = thread.connected()
    assert thread.connected() is connection
    assert ask(database, "SELECT id, beat_ms FROM processes") == [("p", NOON_MS)]
    connection.close()


def test_a_file_that_was_replaced_is_another_database(file: SqliteDatabase) -> None:
    thread = TillThread(file, "p", "process", lambda: NOON_MS)
    first = thread.connected()
    copy = file.path.with_name("copy.db")
    first.execute("VACUUM INTO ?", (str(copy),))
    copy.replace(file.path)
    assert thread.connected() is not first
    file.path.unlink()
    with pytest.raises(DatabaseError):
        thread.connected()


async def test_a_job_comes_back_with_its_answers_or_its_error(
    file: SqliteDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    back: asyncio.Queue[Job] = asyncio.Queue()
    thread = TillThread(file, "p", "process", lambda: NOON_MS)
    thread.start(loop, back.put_nowait)
    good, twice = ToOpen(opening("a", purse(), 0)), ToOpen(opening("a", purse(), 0))
    thread.give(Job([Waiting(good, loop.create_future())], []))
    assert (await back.get()).failed is None
    assert good.answer == Opened((), None)
    with caplog.at_level(logging.CRITICAL):
        thread.give(
            Job([Waiting(twice, loop.create_future())], [ending("a")])
        )  # an id that exists breaks its own opening only
        assert (await back.get()).failed is None
    assert twice.answer is None
    assert states(file) == {"a": "settled"}
    away = file.path.with_name("away.db")
    file.path.rename(away)
    thread.give(Job([], [ending("a")]))
    assert isinstance((await back.get()).failed, DatabaseError)
    await asyncio.to_thread(thread.stop)
