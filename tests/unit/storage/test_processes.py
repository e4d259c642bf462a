"""Processes that die leave charges behind; others find them, and only theirs."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from anykey.storage.database import Database
from anykey.storage.exchanges import find_exchange
from anykey.storage.processes import SILENT_S, Watch, enter, give_up, this_host
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, ask, budget, ending, keep, opening, purse, states, used

_DIES = """
import asyncio, os, sys
from pathlib import Path
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.till import Till
from tests.fakes.charges import budget, ending, opening, purse

async def main():
    till = Till(SqliteDatabase(Path(sys.argv[1])))
    for name in ("a", "b", "c"):
        await till.open(opening(name, purse(budget(100)), 10))
    till.close(ending("a", 4))
    await till.open(opening("d", purse(budget(100)), 10))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_what_a_killed_process_left_open_is_unknown_a_moment_after_the_next_start(file: SqliteDatabase) -> None:
    limit = budget(100)
    keep(file, limit)
    done = subprocess.run([sys.executable, "-c", _DIES, file.path], check=False)
    assert done.returncode == -9
    began = time.monotonic()
    till = Till(file)
    till.begin()
    while "open" in states(file).values():
        await asyncio.sleep(0.05)
        assert time.monotonic() - began < 5
    assert states(file) == {"a": "settled", "b": "unknown", "c": "unknown", "d": "unknown"}
    assert used(file, limit) == (4, 30)
    row = find_exchange(file, "b")
    assert row is not None
    assert (row.status, row.failure, row.cost_basis, row.cost_nano) == (0, "unknown_outcome", "unknown", None)
    assert (row.key_id, row.model_asked, row.client) == ("k", "m", "curl")
    till.close(ending("b", 7))  # it was known after all
    await till.aclose()
    assert used(file, limit) == (11, 20)
    late = find_exchange(file, "b")
    assert late is not None
    assert (late.status, late.failure, late.cost_nano) == (200, None, 7)
    assert ask(file, "SELECT id FROM processes") == []


async def test_one_that_lives_keeps_its_charges(database: Database) -> None:
    first, second = Till(database), Till(database)
    await first.open(opening("a", purse(), 0))
    await second.open(opening("b", purse(), 0))
    await asyncio.sleep(SILENT_S + 1.5)
    assert set(states(database).values()) == {"open"}
    for till, name in ((first, "a"), (second, "b")):
        till.close(ending(name))
        await till.aclose()
    assert set(states(database).values()) == {"settled"}


async def test_silence_counts_by_the_watchers_clock(database: Database) -> None:
    till = Till(database, clock_ms=lambda: NOON_MS, watched=False)
    await till.open(opening("a", purse(), 0))
    clock = [100.0]
    with closing(database.connect()) as connection:
        connection.execute("UPDATE processes SET host = 'another machine', beat_ms = 1")
        watch = Watch("other", lambda: clock[0])

        def looked(*waits_s: float) -> int:
            found = watch.look(connection)
            for wait_s in waits_s:
                clock[0] += wait_s
                found += watch.look(connection)
            return found

        assert looked(1, 1, 1) == 0
        connection.execute("UPDATE processes SET beat_ms = 2")
        assert looked(0.5, 1, 1) == 0  # it gave a sign meanwhile
        assert looked(4, 1, 1, 1) == 0  # nobody could look: then perhaps nobody could give a sign either
        assert looked(0.1) == 1
        assert looked(0.1) == 0
    assert states(database) == {"a": "unknown"}
    await till.aclose()


def test_a_process_that_is_no_more_is_known_at_once(database: Database) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with closing(database.connect()) as connection:
        for name, pid in (("gone", gone.pid), ("here", os.getpid())):
            connection.execute(
                "INSERT INTO processes (id, host, pid, started_ms, beat_ms) VALUES (?, ?, ?, ?, ?)",
                (name, this_host(), pid, 0, 0),
            )
        Watch("me").look(connection)
        assert connection.execute("SELECT id FROM processes").fetchall() == [("here",)]


def test_giving_up_twice_is_giving_up_once(database: Database) -> None:
    with closing(database.connect()) as connection:
        enter(connection, "me", 1)
        enter(connection, "me", 2)
        assert connection.execute("SELECT started_ms, beat_ms FROM processes").fetchall() == [(1, 2)]
        assert give_up(connection, "me") == 0
        assert give_up(connection, "me") == 0
        assert connection.execute("SELECT COUNT(*) FROM processes").fetchone() == (0,)


def test_a_host_is_named_with_its_namespace() -> None:
    assert this_host() == this_host()
    if Path("/proc/self/ns/pid").exists():
        assert "pid:[" in this_host()
