"""Who waits for an answer knows whether anybody may have heard the question."""

import asyncio

import pytest

from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import ConnectFailed
from anykey.upstream.records import Call
from tests.fakes.wire import RecordedCall, WireConnection, WireServer


class _Caller:
    """Hears when its call is written."""

    def __init__(self) -> None:
        self.asking = False


async def test_a_caller_hears_when_its_call_is_written(client: UpstreamClient) -> None:
    caller = _Caller()

    async def silent(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    async with WireServer(silent) as server:
        sending = asyncio.create_task(client.send(Call("POST", server.url, (), b"{}"), caller))
        await asyncio.sleep(0)
        assert not caller.asking
        while not server.calls:
            await asyncio.sleep(0.005)
        assert caller.asking
        sending.cancel()
        await asyncio.wait((sending,))
    assert caller.asking


async def test_what_a_dead_connection_was_told_is_not_written(client: UpstreamClient) -> None:
    """The call goes out again, and nobody may be there any more."""
    caller = _Caller()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        if len(server.calls) > 1:
            connection.close()
            return
        await connection.json(200, {})

    async with WireServer(script) as server:
        reply = await client.send(Call("POST", server.url, (), b"{}"))
        await reply.read(100)
        call = Call("POST", server.url, (), b"{}")
        server.stop_listening()
        with pytest.raises(ConnectFailed):
            await client.send(call, caller)
        assert len(server.calls) == 2
    assert not caller.asking
