"""Clients of the WebSocket that mean no good, or are merely odd."""

import asyncio
import json
import logging
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.fakes.answers import CHAT, TEXT, answering, wired
from tests.fakes.gateway import RunningGateway

PATH = "/v1/responses"
CREATE = {"type": "response.create", "model": "test-model", "input": "hi", "store": False}
TEXT_FRAME, PING = 1, 9
MASK = bytes(4)


def frame(opcode: int, data: bytes, *, last: bool = True) -> bytes:
    """A client's frame; a mask of zeros changes nothing."""
    length = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return bytes((opcode | (0x80 if last else 0),)) + length + MASK + data


@asynccontextmanager
async def bare(gateway: RunningGateway) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket without a library: nothing is read or answered that the test does not read or answer."""
    reader, writer = await asyncio.open_connection(gateway.address.host, gateway.address.port)
    lines = [f"GET {PATH} HTTP/1.1", "host: gateway", "upgrade: websocket", "connection: upgrade"]
    lines += ["sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="]
    lines += [f"authorization: Bearer {gateway.key}", "", ""]
    writer.write("\r\n".join(lines).encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_an_empty_message_is_refused_and_the_connection_stays(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        url, headers = gateway.url.replace("http", "ws") + PATH, {"authorization": f"Bearer {gateway.key}"}
        async with asyncio.timeout(5), connect(url, additional_headers=headers, proxy=None) as socket:
            for nothing in ("", b""):
                await socket.send(nothing)
                told = json.loads(await socket.recv())
                assert (told["type"], told["status"]) == ("error", 400)
            await socket.send(json.dumps(CREATE))
            assert json.loads(await socket.recv())["type"] == "response.created"


async def test_pings_stop_being_read_when_the_pongs_are_not(tmp_path: Path) -> None:
    """What is sent before the line is full stays within what the sockets hold, far below what the client would send."""
    most, flood = 12_000_000, frame(PING, b"p" * 125) * 500
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _), bare(gateway) as (reader, writer):
        line = writer.transport
        assert isinstance(line, asyncio.ReadTransport)
        line.pause_reading()
        sent = 0
        while sent < 3 * most:
            writer.write(flood)
            sent += len(flood)
            try:
                async with asyncio.timeout(0.5):
                    await writer.drain()
            except TimeoutError:
                break
        assert sent < most
        line.resume_reading()  # who reads again is served again
        drained = asyncio.create_task(writer.drain())
        async with asyncio.timeout(5):
            assert await reader.readexactly(127) == b"\x8a\x7d" + b"p" * 125
            while not drained.done():
                await reader.read(65_536)
            await drained


async def test_a_message_in_the_smallest_fragments_arrives_whole(tmp_path: Path) -> None:
    message = json.dumps(CREATE).encode()
    parts = [frame(TEXT_FRAME, message[:1], last=False)]
    parts += [frame(0, bytes((byte,)), last=False) for byte in message[1:]]
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _), bare(gateway) as (reader, writer):
        writer.write(b"".join([*parts, frame(0, b"")]))
        async with asyncio.timeout(5):
            told = await reader.readuntil(b'"type":"response.completed"')
    assert told.index(b"response.created") < told.index(TEXT.encode())


@pytest.mark.parametrize("field", ["content-length: 5", "transfer-encoding: chunked"])
async def test_a_handshake_that_promises_a_body_is_not_waited_for(tmp_path: Path, field: str) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        reader, writer = await asyncio.open_connection(gateway.address.host, gateway.address.port)
        lines = [f"GET {PATH} HTTP/1.1", "host: gateway", "upgrade: websocket", "connection: upgrade", field]
        lines += ["sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]
        writer.write("\r\n".join(lines).encode())
        async with asyncio.timeout(2):
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_a_refused_handshake_is_no_error_of_ours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        with caplog.at_level(logging.WARNING), pytest.raises(InvalidStatus, match="401"):
            await connect(gateway.url.replace("http", "ws") + PATH, proxy=None)
    assert caplog.records == []
