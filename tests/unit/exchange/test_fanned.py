"""Several answers from an upstream that gives one a call."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from anykey.administration.requests import attempts_of
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    answering,
    ask,
    error_told,
    messages_event,
    pieces,
    records,
    whole,
    wired,
)
from tests.fakes.wire import RecordedCall, WireConnection, WireServer


def numbered(server_of: list[WireServer]) -> Any:
    """A Messages upstream whose answers say which call they are to; all wait until three calls are there."""
    together = asyncio.Barrier(3)

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        number = server_of[0].calls.index(call)
        await together.wait()
        if not call.json().get("stream"):
            await connection.json(200, {**whole(MESSAGES), "content": [{"type": "text", "text": f"answer {number}"}]})
            return
        told = pieces(MESSAGES)
        await connection.sse_start()
        await connection.sse(*told.lifecycle)
        for word in ("answer", f" {number}"):
            await connection.sse(
                messages_event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
            )
            await connection.sleep(0.01)
        await connection.sse(*told.end)
        await connection.sse_end()

    return script


def texts(body: bytes, stream: bool) -> dict[int, str]:
    """What each choice says."""
    found: dict[int, str] = {}
    if not stream:
        return {choice["index"]: choice["message"]["content"] for choice in json.loads(body)["choices"]}
    for record in records(body):
        for choice in record.fields.get("choices", []):
            found[choice["index"]] = found.get(choice["index"], "") + (choice["delta"].get("content") or "")
    return found


@pytest.mark.parametrize("stream", [False, True])
async def test_n_answers_are_n_calls_at_once(tmp_path: Path, stream: bool) -> None:
    servers: list[WireServer] = []
    async with wired(tmp_path, MESSAGES, numbered(servers)) as (gateway, server):
        servers.append(server)
        reply = await ask(
            gateway, CHAT, n=3, stream=stream, **({"stream_options": {"include_usage": True}} if stream else {})
        )
        row = (await gateway.rows())[0]
    assert (reply.status, len(server.calls)) == (200, 3)
    assert all("n" not in call.json() for call in server.calls)
    told = texts(reply.body, stream)
    assert sorted(told) == [0, 1, 2]
    assert sorted(told.values()) == ["answer 0", "answer 1", "answer 2"]
    assert (row.input_tokens, row.output_tokens, row.attempts, row.finish) == (21, 9, 1, "stop")
    if stream:
        said = [record.fields for record in records(reply.body)]
        finishes = [choice["index"] for data in said for choice in data.get("choices", []) if choice["finish_reason"]]
        assert sorted(finishes) == [0, 1, 2]
        assert [data["usage"]["total_tokens"] for data in said if data.get("usage")] == [30]
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert len({data["id"] for data in said if data}) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_one_that_fails_fails_all_before_content(tmp_path: Path, stream: bool) -> None:
    count = 0

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        nonlocal count
        count += 1
        if count == 2:
            error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
            await connection.json(529, error)
            return
        await connection.sleep(0.05)
        await answering(MESSAGES)(call, connection)

    async with wired(tmp_path, MESSAGES, script) as (gateway, _):
        reply = await ask(gateway, CHAT, n=3, stream=stream)
        row = (await gateway.rows())[0]
    assert reply.status in (503, 529)
    assert "choices" not in reply.json()
    assert row.failure == "overloaded"


async def test_one_that_breaks_after_content_is_told_in_band(tmp_path: Path) -> None:
    count = 0

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        nonlocal count
        count += 1
        if count == 2:
            told = pieces(MESSAGES)
            await connection.sse_start()
            await connection.sse(*told.lifecycle, *told.content)
            await connection.sleep(0.05)
            connection.reset()
            return
        await answering(MESSAGES)(call, connection)

    async with wired(tmp_path, MESSAGES, script) as (gateway, _):
        reply = await ask(gateway, CHAT, n=2, stream=True)
    assert reply.status == 200
    assert error_told(CHAT, reply.body) is not None


async def test_more_than_eight_are_refused(tmp_path: Path) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, server):
        reply = await ask(gateway, CHAT, n=9)
        assert (await ask(gateway, CHAT, n=1)).status == 200
    assert (reply.status, len(server.calls)) == (400, 1)
    assert "9 answers" in reply.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_stop_sequences_are_kept_in_each(tmp_path: Path, stream: bool) -> None:
    async with wired(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, server):
        reply = await ask(gateway, CHAT, n=2, stop=[" "], stream=stream)
    assert len(server.calls) == 2
    assert texts(reply.body, stream) == {0: "Hello", 1: "Hello"}


async def test_an_upstream_that_answers_a_stream_whole(tmp_path: Path) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, whole(MESSAGES))

    async with wired(tmp_path, MESSAGES, script) as (gateway, _):
        reply = await ask(gateway, CHAT, n=2, stream=True)
    assert texts(reply.body, stream=True) == {0: "Hello world", 1: "Hello world"}


async def test_a_connection_that_died_as_it_was_used_again_is_written_down(tmp_path: Path) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if [one.connection for one in server.calls].count(call.connection) > 1:
            connection.close()
        else:
            await answering(MESSAGES)(call, connection)

    async with wired(tmp_path, MESSAGES, script) as (gateway, server):
        replies = [await ask(gateway, CHAT, n=2) for _ in range(2)]
        rows = await gateway.rows(2)
    assert [texts(reply.body, stream=False) for reply in replies] == [{0: "Hello world", 1: "Hello world"}] * 2
    assert [[(one.number, one.reconnected) for one in attempts_of(row)] for row in rows] == [[(1, True)], [(1, False)]]
