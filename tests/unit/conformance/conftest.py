"""The demo model behind a whole gateway, and a way to it that may be spoiled."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from anykey.conformance.line import Line
from anykey.demo.serve import DemoServer
from anykey.upstream.client import UpstreamClient
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

Spoil = Callable[[RecordedCall, WireReply], WireReply]
"""What a bad gateway makes of a good one's answer."""

_UNFRAMED = {"transfer-encoding", "content-length", "connection", "date"}


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[RunningGateway]:
    monkeypatch.setattr("anykey.server.built_in.DemoServer", partial(DemoServer, word_delay_s=0))
    async with RunningGateway(tmp_path) as running:
        yield running


@asynccontextmanager
async def line_to(url: str, key: str, timeout_s: float = 20) -> AsyncGenerator[Line]:
    client = UpstreamClient()
    try:
        yield Line(client, url, key, timeout_s)
    finally:
        await client.aclose()


@asynccontextmanager
async def spoiled(
    gateway: RunningGateway, spoil: Spoil, forget: Callable[[RecordedCall], RecordedCall] = lambda call: call
) -> AsyncGenerator[WireServer]:
    """A gateway that asks and answers as the good one does, but for what ``forget`` and ``spoil`` change."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        call = forget(call)
        sent = {name: value for name, value in call.headers if name not in ("content-length", "host")}
        reply = spoil(call, await gateway.request(call.method, call.target, call.body, sent))
        kept = [(name, value) for name, value in reply.headers.items() if name not in _UNFRAMED]
        await connection.head(reply.status, [*kept, ("content-length", str(len(reply.body)))])
        await connection.write(reply.body)

    async with asyncio.timeout(60), WireServer(script) as server:
        yield server
