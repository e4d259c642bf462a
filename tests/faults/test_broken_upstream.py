"""An upstream that breaks after it began: one in-band error of the client's protocol, never a normal end (F16 to F37)."""

import gzip
import json
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PAIRS,
    PROTOCOLS,
    TEXT,
    ask,
    chat_chunk,
    ended_normally,
    error_told,
    failure_event,
    messages_event,
    pieces,
    rows_left,
    told_text,
    whole,
    wired,
)
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, Script, WireConnection, reply_json, reply_sse

CROSSED = [pair for pair in PAIRS if pair[0] != pair[1]]
SAME = [(protocol, protocol) for protocol in PROTOCOLS]
LIMITS = {"idle_s": 0.2, "total_s": 0.6}


async def stall(connection: WireConnection, upstream: str) -> None:
    await connection.client_gone(3)


async def reset(connection: WireConnection, upstream: str) -> None:
    connection.reset()


async def close(connection: WireConnection, upstream: str) -> None:
    connection.close()


async def end_too_soon(connection: WireConnection, upstream: str) -> None:
    await connection.sse_end()


async def break_framing(connection: WireConnection, upstream: str) -> None:
    await connection.write(b"zz\r\nnot a chunk\r\n")
    await connection.client_gone(1)


async def tell_an_error(connection: WireConnection, upstream: str) -> None:
    await connection.sse(failure_event(upstream, "the model fell over"))
    await connection.sse_end()


async def trickle(connection: WireConnection, upstream: str) -> None:
    for _ in range(100):
        await connection.sse(": still here\n\n")
        await connection.sleep(0.05)


BREAKS = [stall, reset, close, end_too_soon, break_framing, tell_an_error, trickle]


def breaking(upstream: str, how: Any) -> Script:
    """A stream that says "Hello" and then breaks."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.sleep(0.03)  # until this much is relayed: before that, it is a failed attempt
        await how(connection, upstream)

    return script


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_stream_that_breaks_after_content(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, reply_sse(), **LIMITS) as (gateway, server):
        for how in BREAKS:
            server.script = breaking(upstream, how)
            reply = await ask(gateway, client, stream=True)
            assert (reply.status, reply.complete) == (200, True), how
            assert told_text(client, reply) == "Hello", how
            assert (error_told(client, reply.body) or {})["message"], how
            assert not ended_normally(client, reply.body), how
        rows = await rows_left(gateway)
        assert len(server.calls) == len(BREAKS)
    assert {(row.status, row.finish, row.attempts) for row in rows} == {(200, None, 1)}
    late = {stall, trickle}
    assert [row.failure for row in reversed(rows)] == [
        "upstream_timeout" if how in late else "upstream_error" for how in BREAKS
    ]


@pytest.mark.parametrize("how", [reset, end_too_soon])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_stream_that_breaks_inside_an_event(tmp_path: Path, client: str, upstream: str, how: Any) -> None:
    half = pieces(upstream).content[1][:60]

    async def cut(connection: WireConnection, upstream: str) -> None:
        await connection.sse(half)
        await connection.sleep(0.03)
        await how(connection, upstream)

    async with wired(tmp_path, upstream, breaking(upstream, cut)) as (gateway, _):
        reply = await ask(gateway, client, stream=True, stream_options={"include_usage": True})
    before, _, last = reply.body.removesuffix(b"\n\n").rpartition(b"\n\n")
    assert error_told(client, last)
    assert before.endswith(half.encode()) is (client == upstream)


@pytest.mark.parametrize("how", [reset, end_too_soon, tell_an_error])
@pytest.mark.parametrize("upstream", PROTOCOLS)
async def test_the_official_sdks_raise(tmp_path: Path, upstream: str, how: Any) -> None:
    async with wired(tmp_path, upstream, breaking(upstream, how)) as (gateway, _):
        assert await openai_hears(gateway) == "Hello"
        assert await anthropic_hears(gateway) == "Hello"


async def openai_hears(gateway: RunningGateway) -> str:
    """The text that came before the error."""
    heard = ""
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as sdk:
        stream = await sdk.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "hi"}], stream=True
        )

        async def listen() -> None:
            nonlocal heard
            async for chunk in stream:
                assert not any(choice.finish_reason for choice in chunk.choices)
                heard += "".join(choice.delta.content or "" for choice in chunk.choices)

        with pytest.raises(openai.APIError):
            await listen()
    return heard


async def anthropic_hears(gateway: RunningGateway) -> str:
    """The text that came before the error."""
    heard = ""
    async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0) as sdk:
        call = sdk.messages.stream(model="test-model", max_tokens=9, messages=[{"role": "user", "content": "hi"}])

        async def listen() -> None:
            nonlocal heard
            async with call as stream:
                async for text in stream.text_stream:
                    heard += text

        with pytest.raises(anthropic.APIError):
            await listen()
    return heard


def with_broken_event(upstream: str, event: bytes) -> Script:
    """A whole stream with one bad event in its middle."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.sleep(0.03)
        await connection.sse(event, told.content[1], *told.end)
        await connection.sse_end()

    return script


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_an_event_that_cannot_be_read_is_not_skipped(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, reply_sse()) as (gateway, server):
        for data in (b'{"choices": [{"index": 0, "delta": {"con', b'{"a": "\xff\xfe"}', b"hello"):
            server.script = with_broken_event(upstream, b"data: " + data + b"\n\n")
            reply = await ask(gateway, client, stream=True)
            assert told_text(client, reply) == "Hello", data
            assert error_told(client, reply.body), data
            assert not ended_normally(client, reply.body), data
        rows = await rows_left(gateway)
    assert [row.failure for row in rows] == ["upstream_error"] * 3


@pytest.mark.parametrize(("client", "upstream"), SAME)
async def test_verbatim_it_reaches_the_client_as_it_is(tmp_path: Path, client: str, upstream: str) -> None:
    bad = b'data: {"a": "\xff\xfe\n\n'
    async with wired(tmp_path, upstream, with_broken_event(upstream, bad)) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
    assert bad in reply.body


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_stream_cut_at_every_byte(tmp_path: Path, client: str, upstream: str) -> None:
    told = "".join(pieces(upstream).all()).replace("world", "wörld 😀").encode()
    async with wired(tmp_path, upstream, reply_sse(*(told[at : at + 1] for at in range(len(told))))) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
        row = (await gateway.rows())[0]
    assert told_text(client, reply) == "Hello wörld 😀"
    assert ended_normally(client, reply.body)
    assert (row.input_tokens, row.output_tokens, row.failure) == (7, 3, None)


def text_event(upstream: str, text: str) -> str:
    if upstream == CHAT:
        return chat_chunk([{"index": 0, "delta": {"content": text}, "finish_reason": None}])
    return messages_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_an_event_of_two_megabytes_passes(tmp_path: Path, client: str, upstream: str) -> None:
    told = pieces(upstream)
    large = text_event(upstream, "x" * 2_000_000)
    async with wired(tmp_path, upstream, reply_sse(*told.lifecycle, large, *told.end)) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
    assert told_text(client, reply) == "x" * 2_000_000
    assert ended_normally(client, reply.body)


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_an_event_without_end_is_cut_at_the_cap(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0], "data: ")
        for _i in range(20):
            await connection.sse(b"x" * 1_000_000)

    async with wired(tmp_path, upstream, script) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
    assert error_told(client, reply.body)
    assert not ended_normally(client, reply.body)
    assert len(reply.body) < 10_000


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_what_follows_the_end_is_dropped(tmp_path: Path, client: str, upstream: str) -> None:
    told = [*pieces(upstream).all(), text_event(upstream, " and more")]
    async with wired(tmp_path, upstream, reply_sse(*told)) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
    assert told_text(client, reply) == TEXT
    assert ended_normally(client, reply.body)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_numbers_of_tokens_without_sense(tmp_path: Path, client: str, upstream: str) -> None:
    names = ("prompt_tokens", "completion_tokens") if upstream == CHAT else ("input_tokens", "output_tokens")
    numbers: list[Any] = [-5, 10**30, "12", 1.5, None, []]
    async with wired(tmp_path, upstream, reply_sse()) as (gateway, server):
        for number in numbers:
            server.script = reply_json({**whole(upstream), "usage": dict.fromkeys(names, number)})
            reply = await ask(gateway, client)
            assert (reply.status, told_text(client, reply)) == (200, TEXT), number
            told = "".join(pieces(upstream).all())
            for name, value in zip(names, ("7", "3"), strict=True):
                told = told.replace(f'"{name}": {value}', f'"{name}": {json.dumps(number)}')
            server.script = reply_sse(told)
            reply = await ask(gateway, client, stream=True)
            assert (reply.status, told_text(client, reply)) == (200, TEXT), number
        rows = await rows_left(gateway)
    assert len(rows) == 2 * len(numbers)
    assert all(0 <= tokens < 2**63 for row in rows for tokens in (row.input_tokens, row.output_tokens))


@pytest.mark.parametrize("how", [reset, end_too_soon])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_tool_call_cut_in_its_arguments(tmp_path: Path, client: str, upstream: str, how: Any) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*tool_call_begun(upstream))
        await how(connection, upstream)

    async with wired(tmp_path, upstream, script) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
        row = (await gateway.rows())[0]
    assert error_told(client, reply.body)
    assert not ended_normally(client, reply.body)
    assert (row.failure, row.finish) == ("upstream_error", None)


def tool_call_begun(upstream: str) -> list[str]:
    """The call of a tool, its arguments not complete."""
    if upstream == CHAT:
        call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"path": "/a'}}
        return [chat_chunk([{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}])]
    block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}}
    return [
        pieces(MESSAGES).lifecycle[0],
        messages_event("content_block_start", index=0, content_block=block),
        messages_event(
            "content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"path": "/a'}
        ),
    ]


@pytest.mark.parametrize(("client", "upstream"), CROSSED)
async def test_a_body_that_grows_without_end_when_decoded(tmp_path: Path, client: str, upstream: str) -> None:
    bomb = gzip.compress(b" " * 80_000_000, 6)

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
        await connection.head(200, [*headers, ("content-length", str(len(bomb)))])
        await connection.write(bomb)

    async with wired(tmp_path, upstream, script) as (gateway, _):
        reply = await ask(gateway, client)
    assert (reply.status, "too large" in reply.json()["error"]["message"]) == (502, True)


@pytest.mark.parametrize("fields", [[("x-a", "b")] * 10_000, [("x-a", "b" * 1_000_000)]])
async def test_a_head_without_measure(tmp_path: Path, fields: list[tuple[str, str]]) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(200, fields)

    async with wired(tmp_path, CHAT, script) as (gateway, _):
        reply = await ask(gateway, CHAT)
    assert reply.status == 502
