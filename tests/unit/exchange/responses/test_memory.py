"""The memory: what is kept outlives a restart, what was under way does not, and everything ends in time."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.memory import CUT_OFF, ResponseMemory
from anykey.storage.conversations import StoredConversation, find_conversation, put_conversation
from anykey.storage.errors import DatabaseError
from anykey.storage.responses import StoredResponse, find_response, put_response
from tests.unit.exchange.responses.remembering import DAY_S, MINE, NOW, Clock, final, keep, remembering, said


async def find(memory: ResponseMemory, name: str) -> StoredResponse | None:
    return await memory.shelf.read(find_response, MINE.id, name, memory.now())


async def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        assert await keep(memory, Asked(), "hi", final("r1", said("hello")))
    async with remembering(tmp_path) as memory:
        stored = await find(memory, "r1")
    assert stored is not None
    assert json.loads(stored.response)["output"] == [said("hello")]


async def test_what_a_restart_cut_off_has_failed(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        for status in ("queued", "in_progress", "completed"):
            await keep(memory, Asked(background=True), "hi", final(status, status=status))
    async with remembering(tmp_path) as memory:
        for status in ("queued", "in_progress"):
            stored = await find(memory, status)
            assert stored is not None
            told = json.loads(stored.response)
            assert (stored.status, told["status"], told["error"], told["id"]) == ("failed", "failed", CUT_OFF, status)
        done = await find(memory, "completed")
        assert done is not None
        assert done.status == "completed"


async def test_things_are_forgotten_after_their_time(tmp_path: Path) -> None:
    clock = Clock()
    async with remembering(tmp_path, clock, ttl_days=2) as memory:
        await keep(memory, Asked(), "hi", final("r1"))
        conversation = StoredConversation(id="c", key_id=MINE.id, created_at=0, expires_at=memory.expiry())
        await memory.shelf.change(put_conversation, conversation)
        for days, there in ((1.9, True), (2.0, False)):
            clock.now = NOW + days * DAY_S
            await memory.sweep()
            assert (await find(memory, "r1") is not None) is there
            found = await memory.shelf.read(find_conversation, MINE.id, "c", memory.now())
            assert (found is not None) is there
        assert await memory.shelf.read(lambda c: c.execute("SELECT count(*) FROM responses").fetchone()) == (0,)


async def test_what_is_too_large_is_not_kept_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with remembering(tmp_path, max_stored_bytes=300) as memory:
        assert await keep(memory, Asked(), "hi", final("small"))
        assert not await keep(memory, Asked(), "hi", final("large", said("x" * 300)))
        assert await find(memory, "large") is None
    assert "is not stored: the limit is 300" in caplog.text


async def test_a_database_that_fails_fails_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with remembering(tmp_path) as memory:
        await memory.shelf.change(lambda connection: connection.execute("DROP TABLE responses"))
        assert not await keep(memory, Asked(), "hi", final("r1"))
        with pytest.raises(DatabaseError):
            await find(memory, "r1")
    assert "a response cannot be stored: no such table" in caplog.text


async def test_an_end_waits_for_the_calls_in_the_background(tmp_path: Path) -> None:
    ended: list[str] = []

    class Run:
        key_id = MINE.id
        task: asyncio.Task[None] | None = None

        async def work(self) -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                await memory.shelf.change(put_response, stored)
                ended.append("kept")

    async with remembering(tmp_path) as memory:
        stored = StoredResponse(id="r", key_id=MINE.id, created_at=0, expires_at=memory.expiry(), status="failed")
        stored = msgspec.structs.replace(stored, response=b"{}")
        run = Run()
        run.task = asyncio.create_task(run.work())
        memory.runs["r"] = run
        await asyncio.sleep(0)
    assert ended == ["kept"]
