"""A background run: its events numbered without a gap, told from any place, live or later; whose it is, and how it breaks off.

What its upstream, its client and the gateway do to it is in tests/faults/test_background_responses.py.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.ports import Headers
from anykey.exchange.responses import background as module
from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.background import BackgroundRun, begin_background, replayed, running
from anykey.exchange.responses.frames import FrameCutter, data_of, event, kind_of, raw
from anykey.exchange.responses.keeper import Keeper
from anykey.protocols.catalog import CODECS
from anykey.storage.responses import find_response
from tests.unit.exchange.responses.remembering import MINE, gateway_with, remembering

QUEUED: dict[str, Any] = {"id": "resp_1", "status": "queued", "output": []}
PROGRESS = event(b"response.in_progress", 1, b'{"id":"resp_1","status":"in_progress"}')
DELTA = b'event: response.output_text.delta\ndata: {"delta":"hi","sequence_number":2}\n\n'


def begun() -> BackgroundRun:
    return BackgroundRun("resp_1", MINE.id, {name: raw(value) for name, value in QUEUED.items()})


def exchange() -> Exchange:
    return Exchange("req_1", Inbound(CODECS["openai_responses"], (), b'{"model":"m"}', "test"), 0.0, 0)


class Client:
    """A client that takes what it is told."""

    def __init__(self) -> None:
        self.started = False
        self.gone = False
        self.told = b""
        self.ended = asyncio.Event()

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True

    async def write(self, data: bytes) -> None:
        self.told += data

    async def end(self) -> None:
        self.ended.set()

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.told = body

    def numbers(self) -> list[int]:
        frames = [frame for frame in FrameCutter().feed(self.told) if kind_of(frame)]
        return [json.loads(data_of(frame))["sequence_number"] for frame in frames]


async def test_events_are_numbered_without_a_gap_from_the_queue_on() -> None:
    run = begun()
    created = event(b"response.created", 0, b'{"id":"resp_1"}')
    await run.reply.write(created + PROGRESS[:9])
    await run.reply.write(PROGRESS[9:] + b": beat\n\n" + DELTA)
    kinds = [kind_of(frame).decode().removeprefix("response.") for frame in run.frames]
    assert kinds == ["created", "queued", "in_progress", "output_text.delta"]
    assert [json.loads(data_of(frame))["sequence_number"] for frame in run.frames] == [0, 1, 2, 3]
    assert json.loads(run.response)["status"] == "in_progress"


async def test_followers_get_the_past_and_the_future_from_where_they_ask() -> None:
    run, early, late = begun(), Client(), Client()
    following = asyncio.create_task(run.follow(exchange(), early, -1, 0.01))
    await asyncio.sleep(0.05)
    assert (early.numbers(), early.ended.is_set()) == ([0, 1], False)
    assert len(early.told) > len(b"".join(run.frames)), "a sign of life while nothing happens"
    run.tell(PROGRESS)
    behind = asyncio.create_task(run.follow(exchange(), late, 1, 10))
    await asyncio.sleep(0)
    run.tell(DELTA)
    run.finish()
    await asyncio.gather(following, behind)
    assert (early.numbers(), late.numbers()) == ([0, 1, 2, 3], [2, 3])
    assert replayed(b"".join(run.frames), 1) == b"".join(run.frames[2:])


async def test_a_run_is_found_by_its_own_key_only(tmp_path: Path) -> None:
    async with remembering(tmp_path) as memory:
        memory.runs["resp_1"] = run = begun()
        assert running(memory, MINE.id, "resp_1") is run
        assert running(memory, "k2", "resp_1") is None
        assert running(memory, MINE.id, "resp_2") is None


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"code":"hot","message":"too hot"},"request_id":"r"}', {"code": "hot", "message": "too hot"}),
        (b'{"error":{"code":null,"message":"no"}}', {"code": "server_error", "message": "no"}),
        (b"<html>", module.BROKEN_OFF),
    ],
)
async def test_a_refusal_is_the_error_of_the_response(body: bytes, error: dict[str, str]) -> None:
    run = begun()
    await run.reply.whole(400, (), body)
    assert (run.error, run.reply.started) == (error, True)


async def test_a_client_that_leaves_before_it_begins_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows the id, and nothing runs: a row would stay queued until the next restart."""
    async with remembering(tmp_path) as memory:
        call = exchange()
        call.key, call.answer_id = MINE, "resp_1"
        call.body = b'{"model":"m","input":"hi"}'
        keeper = Keeper(memory, MINE.id, Asked(background=True), [])
        begin = begin_background(call, keeper, Client(), gateway_with(memory), stream=False)
        starting = asyncio.create_task(begin)
        await asyncio.sleep(0)
        assert list(memory.runs) == ["resp_1"]
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert memory.runs == {}
        assert await memory.shelf.read(find_response, MINE.id, "resp_1", 0) is None


async def test_too_many_at_once_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 1)
    async with remembering(tmp_path) as memory:
        memory.runs["resp_1"] = begun()
        call = exchange()
        call.key = MINE
        keeper = Keeper(memory, MINE.id, Asked(background=True), [])
        with pytest.raises(FailureError) as refused:
            await begin_background(call, keeper, Client(), gateway_with(memory), stream=False)
    assert refused.value.failure.retryable
