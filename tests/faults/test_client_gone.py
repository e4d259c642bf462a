"""A client that leaves: the upstream call ends at once, nothing stays open, and the row says what was relayed (F38, F39)."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from anykey.server import process
from anykey.upstream.client import UpstreamClient
from tests.fakes.answers import PAIRS, PATHS, PROTOCOLS, answering, ask, config, pieces, request, rows_left, wired
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

LEAVES = ("fin", "rst", "half")
CLOSED_WITHIN_S = 0.2


@pytest_asyncio.fixture
async def clients(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[UpstreamClient]]:
    """The upstream clients that gateways make in this test."""
    made: list[UpstreamClient] = []

    def make(**settings: Any) -> UpstreamClient:
        made.append(UpstreamClient(**settings))
        return made[-1]

    monkeypatch.setattr(process, "UpstreamClient", make)
    yield made


def leave(writer: asyncio.StreamWriter, how: str) -> float:
    """Close in one of three ways; the time of it."""
    if how == "half":
        writer.write_eof()
    elif how == "rst":
        line: socket.socket = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()
    return time.monotonic()


def silent(_: str) -> Script:
    """Takes a call and never answers it."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    return script


def begun(upstream: str) -> Script:
    """Begins an answer and then says no more."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.client_gone(5)

    return script


def talking(upstream: str) -> Script:
    """Says one word after the other without end."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle)
        while True:
            await connection.sse(told.content[0])
            await connection.sleep(0.002)

    return script


async def closed_after(server: WireServer, since: float) -> float:
    """How many seconds after `since` the upstream saw its newest call closed."""
    call = server.calls[-1]
    async with asyncio.timeout(3):
        while call.closed_at is None:
            await asyncio.sleep(0.005)
    return call.closed_at - since


async def until_called(server: WireServer, times: int = 1) -> None:
    async with asyncio.timeout(3):
        while len(server.calls) < times:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_before_the_first_byte(tmp_path: Path, client: str, upstream: str, clients: list[UpstreamClient]) -> None:
    ways = [(how, stream) for how in LEAVES for stream in (True, False)]
    async with wired(tmp_path, upstream, silent(upstream)) as (gateway, server):
        for number, (how, stream) in enumerate(ways, 1):
            body = request(client, stream=stream)
            async with gateway.sent("POST", PATHS[client], body) as (_, writer):
                await until_called(server, number)
                assert await closed_after(server, leave(writer, how)) < CLOSED_WITHIN_S, how
            assert clients[0].open_count == 0
        rows = await rows_left(gateway)
    assert len(rows) == len(ways)
    seen = {(row.failure, row.status, row.attempts, row.usage_source, row.first_token_ms) for row in rows}
    assert seen == {("client_gone", 499, 1, "none", None)}


@pytest.mark.parametrize("script", [begun, talking])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_in_the_middle_of_a_stream(
    tmp_path: Path, client: str, upstream: str, script: Any, clients: list[UpstreamClient]
) -> None:
    async with wired(tmp_path, upstream, script(upstream)) as (gateway, server):
        for how in LEAVES:
            async with gateway.sent("POST", PATHS[client], request(client, stream=True)) as (reader, writer):
                await reader.readuntil(b"Hello")
                assert await closed_after(server, leave(writer, how)) < CLOSED_WITHIN_S, how
            assert clients[0].open_count == 0
        rows = await rows_left(gateway)
    assert len(rows) == len(LEAVES)
    for row in rows:
        assert (row.failure, row.status, row.finish, row.attempts) == ("client_gone", 200, None, 1)
        assert (row.first_token_ms is None, row.model_answered) == (False, "upstream-model")
        if upstream == "anthropic_messages":  # it had told what the prompt cost
            assert (row.usage_source, row.input_tokens) == ("estimated", 7)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_in_the_middle_of_a_whole_answer(tmp_path: Path, protocol: str, clients: list[UpstreamClient]) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(200, [("content-type", "application/json"), ("content-length", "1000")])
        await connection.write(b'{"id":')
        await connection.client_gone(5)

    async with wired(tmp_path, protocol, script) as (gateway, server):
        async with gateway.sent("POST", PATHS[protocol], request(protocol)) as (_, writer):
            await until_called(server)
            await asyncio.sleep(0.05)
            assert await closed_after(server, leave(writer, "fin")) < CLOSED_WITHIN_S
        row = (await gateway.rows())[0]
        assert clients[0].open_count == 0
    assert (row.failure, row.status) == ("client_gone", 499)


async def test_no_other_deployment_is_tried_for_nobody(tmp_path: Path) -> None:
    protocol = PROTOCOLS[0]
    async with WireServer(silent(protocol)) as first, WireServer(answering(protocol)) as second:
        two = config((protocol, first.url), (protocol, second.url))
        async with RunningGateway(tmp_path, two) as gateway:
            async with gateway.sent("POST", PATHS[protocol], request(protocol)) as (_, writer):
                await until_called(first)
                await closed_after(first, leave(writer, "rst"))
            row = (await gateway.rows())[0]
    assert (row.failure, row.attempts, len(second.calls)) == ("client_gone", 1, 0)


@pytest.mark.parametrize("how", LEAVES)
async def test_while_it_hears_keep_alives(tmp_path: Path, how: str, clients: list[UpstreamClient]) -> None:
    protocol = PROTOCOLS[0]
    async with wired(tmp_path, protocol, silent(protocol), keepalive_s=0.1) as (gateway, server):
        async with gateway.sent("POST", PATHS[protocol], request(protocol, stream=True)) as (reader, writer):
            await reader.readuntil(b"\n\n")
            assert await closed_after(server, leave(writer, how)) < CLOSED_WITHIN_S
        row = (await gateway.rows())[0]
        assert clients[0].open_count == 0
    assert (row.failure, row.status) == ("client_gone", 200)


async def test_before_its_request_is_complete(tmp_path: Path) -> None:
    async with wired(tmp_path, PROTOCOLS[0], answering(PROTOCOLS[0])) as (gateway, server):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.address.port)
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-api-key: {gateway.key}\r\ncontent-length: 900\r\n\r\n"
        )
        writer.write(head.encode() + b"{")
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.05)
        assert (await ask(gateway, PROTOCOLS[0])).status == 200
    assert len(server.calls) == 1


async def test_many_that_leave_hold_nothing(tmp_path: Path, clients: list[UpstreamClient]) -> None:
    protocol = PROTOCOLS[0]
    async with wired(tmp_path, protocol, talking(protocol)) as (gateway, server):

        async def call(number: int) -> None:
            async with gateway.sent("POST", PATHS[protocol], request(protocol, stream=True)) as (reader, writer):
                if number % 4:
                    await reader.readuntil(b"Hello")
                leave(writer, LEAVES[number % 3])
                await asyncio.sleep(0.3)

        before = len(asyncio.all_tasks())
        await asyncio.gather(*(call(number) for number in range(60)))
        rows = await gateway.rows(60)
        async with asyncio.timeout(2):
            while clients[0].open_count:
                await asyncio.sleep(0.01)
        assert server.open_connections == 0
        assert len(asyncio.all_tasks()) <= before + 1
        server.script = answering(protocol)
        assert (await ask(gateway, protocol)).status == 200
    assert {row.failure for row in rows} == {"client_gone"}
