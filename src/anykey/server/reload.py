"""The configuration is read again while the gateway serves: when its file or what is stored changes, and when an operator asks.

Law: all or nothing. What is read anew is put to use only if all of it is right; else each problem is a log line and the snapshot
in force stays. A swap touches nothing that is under way. Reading happens in a thread, and one reload at a time: whoever asks
while one is under way gets another after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from anykey.exchange.gateway import Gateway
from anykey.routing.snapshot import Snapshot
from anykey.settings import Settings, SettingsError
from anykey.settings.load import FILE_NAME
from anykey.storage.configuration import GenerationWatch
from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError

_log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY_S = 1.0


class Sources(NamedTuple):
    """How a configuration becomes a snapshot. ``load`` and ``build`` run in a thread; ``complete``, on the event loop between
    them, starts what a configuration needs to run."""

    load: Callable[[], Settings]
    complete: Callable[[Settings], Awaitable[Settings]]
    build: Callable[[Settings], Snapshot]


class ChangeWatch:
    """Says whether the configuration file, or what is stored, changed since it was last asked. For one thread at a time."""

    def __init__(self, file: Path, database: Database) -> None:
        self._file = file
        self._generation = GenerationWatch(database)
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether it did. A database that fails has not changed."""
        before, self._seen = self._seen, _identity(self._file)
        try:
            moved = self._generation.changed()
        except DatabaseError:
            moved = False
        return moved or before != self._seen

    def moving(self) -> bool:
        """Whether the file is another one by now than when `changed` looked: somebody is just writing it."""
        return _identity(self._file) != self._seen

    def close(self) -> None:
        """Let go of the database."""
        self._generation.close()


class Reloader:
    """Keeps ``gateway`` true to its configuration; ``started`` is the one it was started with. ``run`` until cancelled."""

    def __init__(self, gateway: Gateway, started: Settings, sources: Sources, database: Database) -> None:
        self._gateway = gateway
        self._started = started
        self._sources = sources
        self._watch = ChangeWatch(started.config or started.home / FILE_NAME, database)
        self._asked = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anykey-reload")
        self._again = True
        """The start-up read before anyone watched, so the first look reads once more; and so does a look after a failed one."""
        self._told = {str(warning) for warning in started.warnings}

    def ask(self) -> None:
        """Read the configuration now, whether or not something changed."""
        self._asked.set()

    async def run(self) -> None:
        """Look once a second. Never raises."""
        try:
            while True:
                asked = self._asked.is_set()
                self._asked.clear()
                if await self._in_thread(self._watch.changed) or asked or self._again:
                    await self._reload()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._asked.wait()
        finally:
            self._thread.submit(self._watch.close)
            self._thread.shutdown(wait=False)

    async def _reload(self) -> None:
        try:
            settings = await self._in_thread(self._sources.load)
            ready = await self._sources.complete(settings)
            snapshot = await self._in_thread(lambda: self._sources.build(ready))
            if await self._in_thread(self._watch.moving):
                self._again = True  # half a file may be a good one, with half of the providers
                return
        except SettingsError as error:
            self._again = False  # until the file changes there is no use in reading it
            self._tell([f"not reloaded, what was in force stays: {problem}" for problem in error.problems])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new one, the old one goes on serving
            self._again = True
            self._tell([f"not reloaded, what was in force stays: {error or type(error).__name__}"])
        else:
            self._again = False
            self._gateway.adopt(snapshot)
            self._tell([*map(str, settings.warnings), *self._for_the_next_start(settings)])
            _log.info("configuration in force: %d providers, %d models", len(settings.providers), len(settings.models))

    def _for_the_next_start(self, settings: Settings) -> list[str]:
        """What has changed but is only read when the process starts."""
        was, now = self._started, settings
        changed = [
            f"{section}.{name}"
            for section, before, after in (
                ("server", was.server, now.server),
                ("responses", was.responses, now.responses),
                ("ledger", was.ledger, now.ledger),
            )
            for name in before.__struct_fields__
            if name != "environment_providers" and getattr(before, name) != getattr(after, name)
        ]
        if was.upstream.ca_file != now.upstream.ca_file:
            changed.append("upstream.ca_file")
        if was.valkey != now.valkey:
            changed.append("valkey.url")
        if was.database != now.database:
            changed.append("database.url")
        return [f"{key} has changed: it counts from the next start" for key in changed]

    def _tell(self, lines: list[str]) -> None:
        """Log what was not said the last time."""
        for line in lines:
            if line not in self._told:
                _log.warning("configuration: %s", line)
        self._told = set(lines)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _identity(file: Path) -> tuple[int, int, int] | None:
    """When it was written, its size, and which file it is; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
