"""SIGTERM, and a terminal that is closed: what is under way ends, what is too long is told so, every row is written."""

import asyncio
import os
import pty
import signal
from pathlib import Path

import pytest

from anykey.administration.home import prepare_home
from anykey.administration.usage import recent, usage_filter
from anykey.server import process as module
from tests.fakes.answers import (
    CHAT,
    PAIRS,
    PATHS,
    PROTOCOLS,
    TEXT,
    config,
    ended_normally,
    error_told,
    pieces,
    request,
    rows_left,
    told_text,
    wired,
)
from tests.fakes.gateway import read_reply
from tests.fakes.program import program
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer


def taking(upstream: str, seconds: float) -> Script:
    """An answer with a pause after its first word."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.sleep(seconds)
        await connection.sse(told.content[1], *told.end)
        await connection.sse_end()

    return script


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_stream_under_way_ends_and_its_row_is_written(tmp_path: Path, number: signal.Signals) -> None:
    terminal, stdin = pty.openpty()
    async with (
        WireServer(taking(CHAT, 0.6)) as server,
        program(tmp_path, config((CHAT, server.url)), stdin) as (process, port, key),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"model":"test-model","stream":true,"messages":[{"role":"user","content":"hi"}]}'
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        begun = await reader.readuntil(b"Hello")
        process.send_signal(number)
        await asyncio.sleep(0.3)
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)
        whole = asyncio.StreamReader()
        whole.feed_data(begun + await reader.read())
        whole.feed_eof()
        reply = await read_reply(whole)
        writer.close()
        async with asyncio.timeout(5):
            assert await process.wait() == 0
    os.close(terminal)
    os.close(stdin)
    assert (told_text(CHAT, reply), reply.complete) == (TEXT, True)
    assert ended_normally(CHAT, reply.body)
    home = prepare_home(tmp_path / "home")
    (row,) = recent(home, 10, usage_filter(home, "all"))
    assert (row.status, row.failure, row.output_tokens) == (200, None, 3)


async def test_nohup_keeps_it_running(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with program(tmp_path, config((CHAT, "http://127.0.0.1:9"))) as (process, port, _):
            process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.3)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            assert process.returncode is None
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_stream_longer_than_the_grace_period_is_told(
    tmp_path: Path, client: str, upstream: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.2)
    async with wired(tmp_path, upstream, taking(upstream, 5)) as (gateway, server):
        async with gateway.sent("POST", PATHS[client], request(client, stream=True)) as (reader, _):
            begun = await reader.readuntil(b"Hello")
            stopping = asyncio.create_task(gateway.stop())
            whole = asyncio.StreamReader()
            async with asyncio.timeout(3):
                whole.feed_data(begun + await reader.read())
                whole.feed_eof()
                reply = await read_reply(whole)
                await stopping
        (row,) = await rows_left(gateway)
        assert server.calls[0].closed_at is not None
    assert error_told(client, reply.body)
    assert not ended_normally(client, reply.body)
    assert (row.status, row.failure) == (200, "unavailable")


@pytest.mark.parametrize("client", PROTOCOLS)
async def test_a_call_without_a_byte_of_answer_gets_a_status(
    tmp_path: Path, client: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.2)

    async def silent(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    async with wired(tmp_path, client, silent) as (gateway, server):
        async with gateway.sent("POST", PATHS[client], request(client)) as (reader, _):
            async with asyncio.timeout(3):
                while not server.calls:
                    await asyncio.sleep(0.01)
                stopping = asyncio.create_task(gateway.stop())
                reply = await read_reply(reader)
                await stopping
        (row,) = await rows_left(gateway)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert (row.status, row.failure) == (503, "unavailable")


async def test_a_client_that_does_not_read_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.2)

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(CHAT)
        await connection.sse_start()
        while True:
            await connection.sse(*told.content * 100)

    async with wired(tmp_path, CHAT, script) as (gateway, _):
        async with gateway.sent("POST", PATHS[CHAT], request(CHAT, stream=True)) as (reader, _):
            await reader.readuntil(b"Hello")
            await asyncio.sleep(0.3)
            async with asyncio.timeout(3):
                await gateway.stop()
        (row,) = await rows_left(gateway)
    assert row.failure is not None
