"""What the gateway remembers for Responses clients: the shelf, the background calls under way, and how long things are kept."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from typing import Protocol

import msgspec

from anykey.exchange.ports import WallClock
from anykey.exchange.responses.frames import raw, read_fields
from anykey.settings.records import ResponsesSettings
from anykey.storage.conversations import Added, add_items, sweep_conversations
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError
from anykey.storage.responses import UNFINISHED, StoredResponse, find_unfinished, put_response, sweep_responses
from anykey.storage.shelf import Shelf

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
"""How soon a response is failed whose process died beside others."""
SWEEP_EVERY = 60
"""Looks from one sweep to the next."""
DAY_S = 86_400
CUT_OFF = {"code": "server_error", "message": "The gateway was restarted before this response was complete."}


class Run(Protocol):
    """A background call under way."""

    key_id: str
    task: asyncio.Task[None] | None


class ResponseMemory:
    """One per process; ``begin`` before the first call, ``aclose`` after the last. ``enabled``: the operator wants it."""

    def __init__(
        self,
        database: Database,
        settings: ResponsesSettings,
        wall_clock: WallClock = time.time,
        process_id: str | None = None,
    ) -> None:
        self.shelf = Shelf(database)
        self._process_id = process_id
        self._alone = database.dialect == "sqlite"
        self.enabled = settings.store
        self.runs: dict[str, Run] = {}
        """Background calls under way, by response id."""
        self._most_bytes = settings.max_stored_bytes
        self._ttl_s = settings.ttl_days * DAY_S
        self._wall_clock = wall_clock
        self._sweeper: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Bring to an end what a restart cut off, and start to delete what is too old."""
        try:
            await self.shelf.change(_fail_unfinished, abandoned=not self._alone)
        except DatabaseError as error:
            log.error("background responses cannot be looked through: %s", error)  # noqa: TRY400 - the reason is all there is
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever())

    async def aclose(self) -> None:
        """End the background calls as failed, write what is kept, let go of the database."""
        tasks = [run.task for run in self.runs.values() if run.task is not None]
        if self._sweeper is not None:
            tasks.append(self._sweeper)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.shelf.aclose()

    def now(self) -> int:
        """Unix seconds."""
        return int(self._wall_clock())

    def expiry(self) -> int:
        """When something that is kept now is forgotten, Unix seconds."""
        return self.now() + self._ttl_s

    async def keep(self, stored: StoredResponse | None, added: Added | None = None) -> bool:
        """Keep a response and its part of a conversation, both or neither. False: it is too large or the database fails."""
        size = len(stored.response) + len(stored.input) + len(stored.events) if stored is not None else 0
        size += sum(len(item.item) for item in added.items) if added is not None else 0
        if size > self._most_bytes:
            log.warning("a response of %d bytes is not stored: the limit is %d", size, self._most_bytes)
            return False
        if stored is not None and stored.status in UNFINISHED:
            stored = msgspec.structs.replace(stored, process=self._process_id)
        try:
            await self.shelf.change(_keep, stored, added)
        except DatabaseError as error:
            log.error("a response cannot be stored: %s", error)  # noqa: TRY400 - the reason is all there is
            return False
        return True

    async def _sweep_for_ever(self) -> None:
        for minute in itertools.count():
            try:
                if not self._alone:
                    await self.shelf.change(_fail_unfinished, abandoned=True)
                if minute % SWEEP_EVERY == 0:
                    await self.sweep()
            except DatabaseError as error:
                log.error("old responses cannot be looked through: %s", error)  # noqa: TRY400 - the reason is all there is
            await asyncio.sleep(LOOK_EVERY_S)

    async def sweep(self) -> None:
        """Delete all whose time is over, a few at a time."""
        for some in (sweep_responses, sweep_conversations):
            while await self.shelf.change(some, self.now()):
                pass


def _keep(connection: Connection, stored: StoredResponse | None, added: Added | None) -> None:
    if stored is not None:
        put_response(connection, stored)
    if added is not None:
        add_items(connection, added)


def _fail_unfinished(connection: Connection, *, abandoned: bool) -> None:
    """Nobody works any more on what a process that is gone left unfinished. Where there is no other process, that is all there
    is."""
    for stored in find_unfinished(connection, abandoned=abandoned):
        response = read_fields(stored.response) or {}
        text = msgspec.json.encode({**response, "status": raw("failed"), "error": raw(CUT_OFF)})
        put_response(connection, msgspec.structs.replace(stored, status="failed", response=text, process=None))
