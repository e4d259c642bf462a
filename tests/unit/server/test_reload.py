"""When the configuration is read again, what becomes of it, and what is said about it."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from anykey.exchange.gateway import Gateway
from anykey.routing.building import build_snapshot
from anykey.routing.snapshot import Snapshot
from anykey.server import reload as module
from anykey.server.reload import ChangeWatch, Reloader, Sources
from anykey.settings import Settings, load_settings
from anykey.storage.engine import transaction
from anykey.storage.generation import next_generation
from anykey.storage.migrate import open_database
from anykey.storage.sqlite_database import SqliteDatabase

pytestmark = pytest.mark.usefixtures("brisk")


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)


class Taken:
    """Stands for the gateway: keeps what it was given."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def adopt(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)

    def names(self) -> list[str]:
        return [provider.name for provider in self.snapshots[-1].providers]


class Bench:
    """A configuration file beside a database, and a reloader at work on them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "anykey.toml"
        self.file.write_text("[providers.openai]\napi_key = { env = 'K' }\n")
        self.database = open_database(folder)
        self.taken = Taken()
        self.loads = 0
        self.failure: Exception | None = None
        self.threads: set[str] = set()
        self.wait_s = 0.0
        self.started = self.load()
        self.reloader = Reloader(
            cast("Gateway", self.taken), self.started, Sources(self.load, self.complete, build_snapshot), self.database
        )

    def load(self) -> Settings:
        self.loads += 1
        self.threads.add(threading.current_thread().name)
        time.sleep(self.wait_s)
        if self.failure is not None:
            raise self.failure
        return load_settings({"ANYKEY_HOME": str(self.file.parent), "K": "k"}, self.file)

    async def complete(self, settings: Settings) -> Settings:
        return settings

    async def until(self, found: Callable[[], Any]) -> None:
        async with asyncio.timeout(3):
            while not found():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def working(folder: Path) -> AsyncGenerator[Bench]:
    bench = Bench(folder)
    task = asyncio.create_task(bench.reloader.run())
    try:
        await bench.until(lambda: bench.taken.snapshots)
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_first_look_reads_once_more_and_then_nothing_does(tmp_path: Path) -> None:
    async with working(tmp_path) as bench:
        await asyncio.sleep(0.1)
        assert (bench.loads, len(bench.taken.snapshots)) == (2, 1)


async def test_a_changed_file_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with working(tmp_path) as bench:
        bench.file.write_text("[providers.xai]\napi_key = { env = 'K' }\n")
        await bench.until(lambda: bench.taken.names() == ["xai"])
        assert bench.threads == {"MainThread", "anykey-reload_0"}
    assert caplog.text == ""


async def test_a_change_of_what_is_stored_is_read(tmp_path: Path) -> None:
    async with working(tmp_path) as bench:
        with transaction(bench.database) as connection:
            next_generation(connection)
        await bench.until(lambda: bench.loads == 3)


async def test_who_asks_is_heard_though_nothing_changed(tmp_path: Path) -> None:
    async with working(tmp_path) as bench:
        bench.reloader.ask()
        await bench.until(lambda: bench.loads == 3)


async def test_one_reload_at_a_time_and_one_after_it(tmp_path: Path) -> None:
    async with working(tmp_path) as bench:
        bench.wait_s = 0.1
        bench.reloader.ask()
        await bench.until(lambda: bench.loads == 3)
        for _ in range(10):
            bench.reloader.ask()
            await asyncio.sleep(0.002)  # the loop is free meanwhile
        assert bench.loads == 3
        await bench.until(lambda: bench.loads == 4)
        await asyncio.sleep(0.3)
        assert bench.loads == 4


async def test_a_bad_file_changes_nothing_and_each_problem_is_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(tmp_path) as bench:
        bench.file.write_text("[server]\nprot = 1\nport = 'x'\n")
        await bench.until(lambda: bench.loads == 3)
        await asyncio.sleep(0.05)
        assert bench.loads == 3
        assert len(bench.taken.snapshots) == 1
        told = [record.getMessage() for record in caplog.records]
        assert [line.split(str(bench.file))[1].split(":")[1:3] for line in told] == [
            ["2", " server.prot"],
            ["3", " server.port"],
        ]
        assert all("what was in force stays" in line for line in told)
        bench.file.write_text("[providers.xai]\napi_key = { env = 'K' }\n")
        await bench.until(lambda: bench.taken.names() == ["xai"])


async def test_whatever_fails_is_said_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with working(tmp_path) as bench:
        bench.failure = OSError("the disk is away")
        bench.reloader.ask()
        await bench.until(lambda: bench.loads > 5)
        assert len(bench.taken.snapshots) == 1
        bench.failure = None
        await bench.until(lambda: len(bench.taken.snapshots) == 2)
        loads = bench.loads
        await asyncio.sleep(0.05)
        assert bench.loads == loads
    (line,) = [record.getMessage() for record in caplog.records]
    assert "the disk is away" in line


async def test_what_counts_from_the_next_start_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with working(tmp_path) as bench:
        text = bench.file.read_text()
        bench.file.write_text(f"[server]\nport = 1\n[responses]\nttl_days = 2\n[ledger]\nevery_call = true\n{text}")
        await bench.until(lambda: len(bench.taken.snapshots) == 2)
        bench.file.write_text(
            f"[server]\nport = 1\n[responses]\nttl_days = 2\n[ledger]\nevery_call = true\n{text}# more\n"
        )
        await bench.until(lambda: len(bench.taken.snapshots) == 3)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "configuration: server.port has changed: it counts from the next start",
        "configuration: responses.ttl_days has changed: it counts from the next start",
        "configuration: ledger.every_call has changed: it counts from the next start",
    ]


async def test_warnings_are_said_when_they_are_new_and_without_the_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(tmp_path) as bench:
        bench.file.write_text("[providers.xai]\napi_key = 'sk-canary-0123456789'\n")
        await bench.until(lambda: bench.taken.names() == ["xai"])
    (line,) = [record.getMessage() for record in caplog.records]
    assert "providers.xai.api_key" in line
    assert "canary" not in line


def test_a_file_is_watched_by_time_size_and_identity(tmp_path: Path) -> None:
    file = tmp_path / "anykey.toml"
    watch = ChangeWatch(file, open_database(tmp_path))
    assert not watch.changed()
    file.write_text("a")
    assert watch.changed()
    assert not watch.changed()
    os.utime(file, ns=(1, 1))
    assert watch.changed()
    other = tmp_path / "other"
    other.write_text("b")
    os.utime(other, ns=(1, 1))
    other.replace(file)
    assert watch.changed()
    file.unlink()
    assert watch.changed()
    watch.close()


def test_a_database_that_fails_has_not_changed(tmp_path: Path) -> None:
    watch = ChangeWatch(tmp_path / "anykey.toml", SqliteDatabase(tmp_path / "gone.db"))
    assert not watch.changed()
    assert not watch.changed()
    watch.close()
