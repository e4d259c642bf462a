"""Responses over a WebSocket when something breaks: the client, the upstream, the gateway's own end."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from anykey.server import process
from tests.fakes.answers import CHAT, PROTOCOLS, TEXT, answering, chat_chunk, pieces, rows_left, wired
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, Script, WireConnection

UPSTREAMS = pytest.mark.parametrize("upstream", PROTOCOLS)
WORD = "x" * 8_000
HELD = 12_000_000


@asynccontextmanager
async def opened(gateway: RunningGateway) -> AsyncGenerator[ClientConnection]:
    url = gateway.url.replace("http", "ws") + "/v1/responses"
    headers = {"authorization": f"Bearer {gateway.key}"}
    async with asyncio.timeout(10), connect(url, additional_headers=headers, proxy=None, max_size=None) as socket:
        yield socket


async def ask(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"type": "response.create", "model": "test-model", "input": "hi", "store": False}))


async def hear(socket: ClientConnection, *ends: str) -> list[dict[str, Any]]:
    """The events up to one of these types."""
    events: list[dict[str, Any]] = [json.loads(await socket.recv())]
    while events[-1]["type"] not in ends:
        events.append(json.loads(await socket.recv()))
    return events


def begun(upstream: str) -> Script:
    """Begins an answer, then stays silent until its client goes."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await connection.client_gone(5)

    return script


@UPSTREAMS
@pytest.mark.parametrize("abruptly", [False, True])
async def test_a_client_that_leaves_ends_the_upstream_call(tmp_path: Path, upstream: str, abruptly: bool) -> None:
    async with wired(tmp_path, upstream, begun(upstream)) as (gateway, server):
        async with opened(gateway) as socket:
            await ask(socket)
            await hear(socket, "response.output_text.delta")
            if abruptly:
                socket.transport.abort()
        async with asyncio.timeout(2):
            while server.calls[0].closed_at is None:
                await asyncio.sleep(0.005)
        (row,) = await rows_left(gateway)
    assert row.failure == "client_gone"


@UPSTREAMS
async def test_an_upstream_that_breaks_is_told_and_the_connection_stays(tmp_path: Path, upstream: str) -> None:
    async def script(call: RecordedCall, connection: WireConnection) -> None:
        told = pieces(upstream)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        connection.reset()

    async with wired(tmp_path, upstream, script) as (gateway, server), opened(gateway) as socket:
        await ask(socket)
        events = await hear(socket, "response.failed", "error", "response.completed")
        assert events[-1]["type"] == "response.failed"
        assert "lab0" in events[-1]["response"]["error"]["message"]
        server.script = answering(upstream)
        await ask(socket)
        done = (await hear(socket, "response.completed"))[-1]
    assert done["response"]["output"][0]["content"][0]["text"] == TEXT


@UPSTREAMS
async def test_an_answer_longer_than_the_grace_period_is_told(
    tmp_path: Path, upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.2)
    async with wired(tmp_path, upstream, begun(upstream)) as (gateway, _), opened(gateway) as socket:
        await ask(socket)
        await hear(socket, "response.output_text.delta")
        stopping = asyncio.create_task(gateway.stop())
        failed = (await hear(socket, "response.failed"))[-1]
        assert "stopping" in failed["response"]["error"]["message"]
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        await stopping
        (row,) = await gateway.rows()
    assert row.failure == "unavailable"


async def test_a_client_that_does_not_read_stops_the_upstream(tmp_path: Path) -> None:
    told = 0

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        nonlocal told
        event = chat_chunk([{"index": 0, "delta": {"content": WORD}, "finish_reason": None}]).encode()
        await connection.sse_start()
        for _number in range(8_000):
            await connection.sse(event)
            told += len(event)

    async with wired(tmp_path, CHAT, script) as (gateway, server):
        url = gateway.url.replace("http", "ws") + "/v1/responses"
        headers = {"authorization": f"Bearer {gateway.key}"}
        # Without compression: 64 MB of one letter would fit into what the sockets hold.
        async with connect(url, additional_headers=headers, proxy=None, compression=None) as socket:
            await ask(socket)
            before = -1
            async with asyncio.timeout(10):
                while told != before or not told:
                    before = told
                    await asyncio.sleep(0.25)
            assert told < HELD
            socket.transport.abort()
        async with asyncio.timeout(2):
            while server.calls[0].closed_at is None:
                await asyncio.sleep(0.01)
