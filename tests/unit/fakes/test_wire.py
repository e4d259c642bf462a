"""The fake server itself: what it records, and that each way of ending is really seen on the client's socket."""

import asyncio
import time

import pytest

from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json, reply_sse


async def _open(server: WireServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port)


async def test_records_requests_of_one_connection() -> None:
    async with WireServer(reply_json({"ok": True})) as server:
        reader, writer = await _open(server)
        for body in (b'{"n":1}', b'{"n":2}'):
            writer.write(b"POST /v1/x?q=1 HTTP/1.1\r\nHost: a\r\ncontent-length: 7\r\n\r\n" + body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert await reader.readexactly(12) == b'{"ok": true}'
        writer.close()
        await writer.wait_closed()
        assert await server.connections[0].client_gone(1.0) is not None
    assert [(call.method, call.target, call.json()["n"], call.connection) for call in server.calls] == [
        ("POST", "/v1/x?q=1", 1, 0),
        ("POST", "/v1/x?q=1", 2, 0),
    ]
    assert server.calls[0].header("host") == "a"
    assert server.calls[1].closed_at is not None
    assert server.calls[1].closed_at <= time.monotonic()


async def test_reads_a_chunked_request_body() -> None:
    async with WireServer(reply_json({})) as server:
        reader, writer = await _open(server)
        writer.write(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        await reader.readuntil(b"{}")
        writer.close()
    assert server.calls[0].body == b"abcde"


async def test_sse_is_chunked_as_given() -> None:
    async with WireServer(reply_sse("data: 1\n\n", b"data: 2")) as server:
        reader, writer = await _open(server)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readuntil(b"0\r\n\r\n") == b"9\r\ndata: 1\n\n\r\n7\r\ndata: 2\r\n0\r\n\r\n"
        writer.close()


async def test_reset_and_close_differ_on_the_wire() -> None:
    async def reset(_: RecordedCall, connection: WireConnection) -> None:
        connection.reset()

    async def close(_: RecordedCall, connection: WireConnection) -> None:
        connection.close()

    async with WireServer(reset) as server:
        reader, writer = await _open(server)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        server.script = close
        reader, writer = await _open(server)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert server.calls[0].closed_at is None


async def test_a_failing_script_fails_the_test() -> None:
    async def broken(_: RecordedCall, _connection: WireConnection) -> None:
        raise AssertionError("as the test meant")

    async def call() -> None:
        async with WireServer(broken) as server:
            reader, writer = await _open(server)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    with pytest.raises(AssertionError, match="as the test meant"):
        await call()
