"""The stream on its way: what is held, when it is promised, and how it breaks off."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from anykey.exchange import relay as module
from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PAIRS,
    PATHS,
    PROTOCOLS,
    TEXT,
    answering,
    ask,
    config,
    ended_normally,
    error_told,
    failing,
    failure_event,
    pieces,
    records,
    request,
    rows_left,
    told_text,
    wired,
)
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer, reply_sse

BEATS = {CHAT: rb": [^\n]*\n\n", MESSAGES: rb'event: ping\ndata: \{"type": ?"ping"\}\n\n'}


def told_slowly(protocol: str, pause_s: float, cut: int = 0) -> Script:
    """A stream with a silence after its first content, `cut` bytes into the next event."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(protocol)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        rest = "".join([told.content[1], *told.end])
        if cut:
            await connection.sse(rest[:cut])
        await connection.sleep(pause_s)
        await connection.sse(rest[cut:])
        await connection.sse_end()

    return script


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_an_upstream_silent_before_its_headers(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        await connection.sleep(0.35)
        await answering(upstream)(call, connection)

    async with wired(tmp_path, upstream, script, keepalive_s=0.1) as (gateway, _):
        began = time.monotonic()
        async with gateway.sent("POST", PATHS[client], request(client, stream=True)) as (reader, _):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"\r\n")
            beat = await reader.readuntil(b"\n\n")
            assert 0.08 < time.monotonic() - began < 0.3
        reply = await ask(gateway, client, stream=True)
        waited = await ask(gateway, client)
    assert head.startswith(b"HTTP/1.1 200")
    assert re.fullmatch(BEATS[client], beat)
    assert 2 <= len(re.findall(BEATS[client], reply.body.partition(b"Hello")[0])) <= 5
    assert told_text(client, reply) == TEXT
    assert ended_normally(client, reply.body)
    assert (waited.status, told_text(client, waited)) == (200, TEXT)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_an_upstream_silent_between_events(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, told_slowly(upstream, 0.35), keepalive_s=0.1) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
    between = reply.body.partition(b"Hello")[2].partition(b"world")[0]
    assert 2 <= len(re.findall(BEATS[client], between)) <= 4
    assert told_text(client, reply) == TEXT
    assert ended_normally(client, reply.body)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_no_keep_alive_inside_an_event(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, told_slowly(upstream, 0.25, cut=40), keepalive_s=0.1) as (gateway, _):
        options = {"stream_options": {"include_usage": True}} if client == CHAT else {}
        reply = await ask(gateway, client, stream=True, **options)
    assert told_text(client, reply) == TEXT
    if client == upstream:
        told = pieces(client)
        assert reply.body == "".join(told.all()).encode()
    else:
        assert ended_normally(client, reply.body)


def dying(upstream: str, stops: str) -> Script:
    """Lifecycle frames, and then one of four ends."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*pieces(upstream).lifecycle)
        if stops == "error":
            await connection.sse(failure_event(upstream, "overloaded"))
        if stops in {"end", "error"}:
            await connection.sse_end()
        else:
            getattr(connection, stops)()

    return script


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_what_dies_before_content_leaves_the_client_to_the_next(
    tmp_path: Path, client: str, upstream: str
) -> None:
    async with (
        WireServer(reply_sse()) as bad,
        WireServer(answering(upstream)) as good,
        RunningGateway(tmp_path, config((upstream, bad.url), (upstream, good.url))) as gateway,
    ):
        for stops in ("reset", "close", "end", "error"):
            bad.script = dying(upstream, stops)
            reply = await ask(gateway, client, stream=True)
            assert (reply.status, told_text(client, reply)) == (200, TEXT), stops
            assert reply.headers["x-anykey-deployment"] == "lab1/upstream-model"
            starts = [name for name, _ in records(reply.body) if name == "message_start"]
            assert len(starts) == (1 if client == MESSAGES else 0), stops
        rows = await rows_left(gateway)
    assert [(row.attempts, row.failure, row.status) for row in rows] == [(2, None, 200)] * 4


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_an_error_as_first_event_is_a_true_status(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, reply_sse(failure_event(upstream, "no room at all"))) as (gateway, server):
        replies = [await ask(gateway, client, stream=True)]
        for told in (pieces(upstream).lifecycle, []):
            server.script = reply_sse(*told)
            replies.append(await ask(gateway, client, stream=True))
        rows = await rows_left(gateway)
    assert "no room at all" in replies[0].json()["error"]["message"]
    for reply, row in zip(replies, reversed(rows), strict=True):
        assert 500 <= reply.status <= 529
        assert reply.headers["content-type"] == "application/json"
        assert reply.json()["error"]["message"]
        assert (row.status, row.failure is None) == (reply.status, False)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_after_content_there_is_no_other_try(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.sleep(0.05)
        connection.reset()

    async with (
        WireServer(script) as bad,
        WireServer(answering(upstream)) as good,
        RunningGateway(tmp_path, config((upstream, bad.url), (upstream, good.url))) as gateway,
    ):
        reply = await ask(gateway, client, stream=True)
        row = (await gateway.rows())[0]
    assert (len(bad.calls), len(good.calls)) == (1, 0)
    assert (reply.status, reply.complete, told_text(client, reply)) == (200, True, "Hello")
    assert error_told(client, reply.body)
    assert not ended_normally(client, reply.body)
    assert (row.status, row.failure, row.attempts, row.finish) == (200, "upstream_error", 1, None)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_failure_after_a_keep_alive_is_told_in_band(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        await connection.sleep(0.2)
        await failing(503, {"error": {"message": "try later", "type": "x"}})(call, connection)

    async with wired(tmp_path, upstream, script, keepalive_s=0.1) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
        row = (await gateway.rows())[0]
    assert reply.status == 200
    assert error_told(client, reply.body)
    assert not ended_normally(client, reply.body)
    assert (row.status, row.failure) == (200, "unavailable")


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_another_deployment_may_answer_after_a_keep_alive(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sleep(0.2)
        connection.reset()

    async with WireServer(script) as bad, WireServer(answering(upstream)) as good:
        two = config((upstream, bad.url), (upstream, good.url), keepalive_s=0.1)
        async with RunningGateway(tmp_path, two) as gateway:
            reply = await ask(gateway, client, stream=True)
    assert (reply.status, told_text(client, reply)) == (200, TEXT)
    assert ended_normally(client, reply.body)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_connection_that_breaks_after_the_end_is_no_failure(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*pieces(upstream).all())
        await connection.sleep(0.05)
        connection.reset()

    async with wired(tmp_path, upstream, script) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
        row = (await gateway.rows())[0]
    assert (told_text(client, reply), reply.complete) == (TEXT, True)
    assert ended_normally(client, reply.body)
    assert not error_told(client, reply.body)
    assert (row.failure, row.input_tokens, row.output_tokens) == (None, 7, 3)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_lifecycle_without_end_is_relayed_at_last(
    tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD_LIMIT", 2000)

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(protocol)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, *[": waiting in line\n\n"] * 200)
        await connection.client_gone(3)
        connection.reset()

    async with (
        wired(tmp_path, protocol, script) as (gateway, _),
        gateway.sent("POST", PATHS[protocol], request(protocol, stream=True)) as (reader, _),
        asyncio.timeout(2),
    ):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readuntil(b"waiting")


async def test_the_reply_says_that_it_is_a_stream(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        reply = await ask(gateway, CHAT, stream=True)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (reply.headers["cache-control"], reply.headers["x-accel-buffering"]) == ("no-cache", "no")
    assert "content-length" not in reply.headers


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_an_upstream_that_lingers_after_a_whole_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str, upstream: str
) -> None:
    monkeypatch.setattr(module, "TAIL_WAIT_S", 0.1)

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, *told.content, *told.end)
        await connection.client_gone(5)

    began = time.monotonic()
    async with wired(tmp_path, upstream, script) as (gateway, _server):
        reply = await ask(gateway, client, stream=True)
        assert time.monotonic() - began < 3
        assert reply.complete
        assert ended_normally(client, reply.body)
        (row,) = await rows_left(gateway)
    assert row.failure is None
    assert row.output_tokens > 0


@pytest.mark.parametrize(
    ("head", "events"),
    [
        (b"", True),
        (b"\r\n", True),
        (b"data: {", True),
        (b": ping\n\n", True),
        (b"\xef\xbb\xbfevent: x", True),
        (b"\x01data: {", True),
        (b"[{", True),
        (b"upstream connect error", False),
        (b"<html>", False),
    ],
)
def test_who_speaks_is_told_by_the_first_words(head: bytes, events: bool) -> None:
    assert module.may_be_events(head) is events
