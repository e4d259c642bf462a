"""Attacks on what is kept of Responses: bodies that nest too deeply, clients that vanish, a database that is locked."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from anykey.storage import shelf
from tests.fakes.answers import CHAT, MESSAGES, answering, wired

PATH = "/v1/responses"
ASKED = {"model": "test-model", "input": "hi"}
DEEP = b'{"items":' + b"[" * 100_000


@pytest.mark.parametrize("path", ["/v1/conversations", PATH, f"{PATH}/compact", f"{PATH}/input_tokens"])
async def test_a_body_that_nests_too_deeply_is_the_clients_fault(tmp_path: Path, path: str) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        told = await gateway.post(path, DEEP)
    assert told.status == 400
    assert server.calls == []


async def test_clients_that_vanish_leave_nothing_that_waits_for_ever(tmp_path: Path) -> None:
    """Wherever on its way a background call loses its client, what is kept of it comes to an end."""
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        for number in range(30):
            async with gateway.sent("POST", PATH, {**ASKED, "background": True}) as (_, writer):
                await asyncio.sleep(number * 0.0004)
                writer.transport.abort()
        await asyncio.sleep(0.3)
        with closing(sqlite3.connect(gateway.home.path / "anykey.db")) as connection:
            kept = {row[0] for row in connection.execute("SELECT status FROM responses")}
    assert kept <= {"completed"}


async def test_a_locked_database_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is kept goes through one thread, so one wait must not become a queue of waits."""
    monkeypatch.setattr(shelf, "BUSY_TIMEOUT_S", 1.0)
    monkeypatch.setattr(shelf, "HASTE_S", 0.01)
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        with closing(sqlite3.connect(gateway.home.path / "anykey.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            told = await asyncio.gather(*(gateway.post(PATH, ASKED) for _ in range(6)))
            waited_s = time.monotonic() - began
            other.execute("ROLLBACK")
        after = await gateway.post(PATH, ASKED)
    assert [(reply.status, reply.headers["x-anykey-state"]) for reply in told] == [(200, "not-stored")] * 6
    assert waited_s < 3
    assert "x-anykey-state" not in after.headers


async def test_a_body_full_of_unknown_fields_does_not_fill_the_database(tmp_path: Path) -> None:
    """Each is a loss that is told by its name, which may be as long as the body is allowed to be."""
    odd = {f"{'x' * 1000}{number}": 1 for number in range(2000)} | {f"y{number}": 1 for number in range(2000)}
    body = {"model": "test-model", "messages": [{"role": "user", "content": "hi"}]}
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, _):
        told = await gateway.post("/v1/chat/completions", {**body, **odd})
        (row,) = await gateway.rows()
    assert told.headers["x-anykey-losses"].startswith("4000; dropped:xxx")
    assert (len(row.losses), max(map(len, row.losses))) == (200, 200)
