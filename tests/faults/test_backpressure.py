"""A client that does not read stops the upstream; a slow one gets everything (F40)."""

import asyncio
import resource
import socket
from pathlib import Path
from typing import cast

import pytest

from tests.fakes.answers import (
    CHAT,
    PAIRS,
    PATHS,
    chat_chunk,
    ended_normally,
    messages_event,
    pieces,
    request,
    told_text,
    wired,
)
from tests.fakes.gateway import RunningGateway, read_reply
from tests.fakes.wire import RecordedCall, WireConnection

WORD = "x" * 8_000
OFFERED = 64_000_000
HELD = 12_000_000  # the sockets' own buffers on both sides are most of it


def word(upstream: str) -> bytes:
    """One event with WORD in it."""
    if upstream == CHAT:
        return chat_chunk([{"index": 0, "delta": {"content": WORD}, "finish_reason": None}]).encode()
    return messages_event("content_block_delta", index=0, delta={"type": "text_delta", "text": WORD}).encode()


def rss_bytes() -> int:
    """Resident memory of this process, gateway and upstream included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


class Teller:
    """Tells `total` bytes of words; `told` counts what the gateway has taken."""

    def __init__(self, upstream: str, total: int) -> None:
        self._upstream = upstream
        self._total = total
        self.told = 0

    async def __call__(self, _: RecordedCall, connection: WireConnection) -> None:
        said, event = pieces(self._upstream), word(self._upstream)
        await connection.sse_start()
        await connection.sse(*said.lifecycle)
        while self.told < self._total:
            await connection.sse(event)
            self.told += len(event)
        await connection.sse(*said.end)
        await connection.sse_end()


def connect_small(gateway: RunningGateway) -> socket.socket:
    """A connection whose client has hardly any room to receive."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect((gateway.address.host, gateway.address.port))
    line.setblocking(False)
    return line


async def standing_still(teller: Teller) -> int:
    """How much was told when nothing more is taken."""
    before = -1
    async with asyncio.timeout(10):
        while teller.told != before or before == 0:
            before = teller.told
            await asyncio.sleep(0.25)
    return before


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_client_that_does_not_read(tmp_path: Path, client: str, upstream: str) -> None:
    teller = Teller(upstream, OFFERED)
    async with wired(tmp_path, upstream, teller) as (gateway, server):
        _, writer = await asyncio.open_connection(sock=connect_small(gateway), limit=1024)
        before = rss_bytes()
        body = b'{"model":"test-model","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
        head = f"POST {PATHS[client]} HTTP/1.1\r\nhost: a\r\nx-api-key: {gateway.key}\r\ncontent-length: {len(body)}\r\n\r\n"
        cast("asyncio.Transport", writer.transport).pause_reading()
        writer.write(head.encode() + body)
        told = await standing_still(teller)
        assert told < HELD
        assert rss_bytes() - before < 2 * HELD
        writer.transport.abort()
        async with asyncio.timeout(2):
            while server.calls[-1].closed_at is None:
                await asyncio.sleep(0.01)
        rows = await gateway.rows()
    assert rows[0].failure == "client_gone"


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_a_slow_client_gets_everything(tmp_path: Path, client: str, upstream: str) -> None:
    teller = Teller(upstream, 3_000_000)
    async with wired(tmp_path, upstream, teller) as (gateway, _):
        async with gateway.sent("POST", PATHS[client], request(client, stream=True)) as (reader, _):
            head = await reader.readuntil(b"\r\n\r\n")
            for _pause in range(10):
                await asyncio.sleep(0.02)
                head += await reader.read(50_000)
            slow = asyncio.StreamReader()
            slow.feed_data(head)
            while not head.endswith(b"0\r\n\r\n"):
                piece = await reader.read(1_000_000)
                assert piece
                slow.feed_data(piece)
                head = (head + piece)[-5:]
            reply = await read_reply(slow)
        row = (await gateway.rows())[0]
    assert len(told_text(client, reply)) == teller.told // len(word(upstream)) * len(WORD)
    assert ended_normally(client, reply.body)
    assert (row.failure, row.output_tokens) == (None, 3)
