"""Reading a response: chunks, waits, limits, decoding, back pressure and every way to break off."""

import asyncio
import gc
import gzip
import socket
import time
import tracemalloc
import zlib

import pytest
import zstandard

from anykey.providers.configured import Timeouts
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import (
    BodyTooLarge,
    ConnectionLost,
    FirstByteTimeout,
    FramingBroken,
    HeadersTooLarge,
    IdleTimeout,
    UpstreamError,
)
from anykey.upstream.records import Call
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer, reply_json

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = b"hello" * 99


def _raw(*pieces: bytes, end: str = "") -> Script:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        for piece in pieces:
            await connection.write(piece)
            await connection.sleep(0.02)
        if end:
            getattr(connection, end)()
        else:
            await connection.client_gone(5)

    return script


def _call(server: WireServer, method: str = "POST", *, decode: bool = False, **settings: float) -> Call:
    return Call(method, server.url, (), b"", Timeouts(**settings), decode)


async def test_chunks_come_as_they_arrive_and_together_if_nobody_waits(client: UpstreamClient) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse("data: 1\n\n")
        await connection.sleep(0.05)
        await connection.sse("data: 2\n\n", "data: 3\n\n")
        await connection.sse_end()

    async with WireServer(script) as server:
        reply = await client.send(_call(server))
        assert await reply.next_chunk() == b"data: 1\n\n"
        await asyncio.sleep(0.15)
        assert await reply.next_chunk() == b"data: 2\n\ndata: 3\n\n"
        assert await reply.next_chunk() == b""
        assert await reply.next_chunk() == b""


async def test_a_wait_ends_and_the_call_goes_on(client: UpstreamClient) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sleep(0.3)
        await connection.sse("data: 1\n\n")
        await connection.sse_end()

    async with WireServer(script) as server:
        reply = await client.send(_call(server))
        started = time.monotonic()
        assert await reply.next_chunk(0.1) is None
        assert 0.08 < time.monotonic() - started < 0.25
        assert await reply.next_chunk(0.02) is None
        assert await reply.next_chunk(5.0) == b"data: 1\n\n"
        assert await reply.next_chunk(5.0) == b""
        assert client.idle_count == 1


async def test_first_byte_timeout(client: UpstreamClient) -> None:
    async with WireServer(_raw()) as server:
        started = time.monotonic()
        with pytest.raises(FirstByteTimeout, match=r"silent for 0\.1 s") as caught:
            await client.send(_call(server, first_byte_s=0.1))
        assert 0.08 < time.monotonic() - started < 0.5
        assert not caught.value.response_started
        assert client.open_count == 0


async def test_a_head_that_drips_is_bounded_by_the_first_byte_limit(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK, *[b"x: y\r\n"] * 30)) as server:
        with pytest.raises(FirstByteTimeout) as caught:
            await client.send(_call(server, first_byte_s=0.15))
        assert caught.value.response_started


async def test_idle_timeout_after_what_came(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"content-length: 9\r\n\r\n", b"abc")) as server:
        reply = await client.send(_call(server, idle_s=0.1))
        assert await reply.next_chunk() == b"abc"
        started = time.monotonic()
        with pytest.raises(IdleTimeout) as caught:
            await reply.next_chunk()
        assert time.monotonic() - started < 0.5
        assert caught.value.response_started
        assert client.open_count == 0


async def test_body_bytes_keep_the_idle_limit_away(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"content-length: 9\r\n\r\n", *[b"a"] * 9)) as server:
        reply = await client.send(_call(server, idle_s=0.08))
        assert await reply.read(9) == b"a" * 9


async def test_an_upstream_that_does_not_take_the_request(client: UpstreamClient) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(IdleTimeout):
        await client.send(Call("POST", url, (), bytes(40_000_000), Timeouts(idle_s=0.2)))
    assert client.open_count == 0
    listener.close()


@pytest.mark.parametrize(
    ("pieces", "end", "kind"),
    [
        ((OK + b"content-length: 9\r\n\r\n", b"abc"), "close", ConnectionLost),
        ((OK + b"content-length: 9\r\n\r\n", b"abc"), "reset", ConnectionLost),
        ((OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",), "close", ConnectionLost),
        ((OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", b"zz\r\n"), "", FramingBroken),
        ((OK + b"\r\n", b"abc"), "reset", ConnectionLost),
    ],
)
async def test_a_body_that_breaks_off_is_never_a_clean_end(
    client: UpstreamClient, pieces: tuple[bytes, ...], end: str, kind: type[UpstreamError]
) -> None:
    async with WireServer(_raw(*pieces, end=end)) as server:
        reply = await client.send(_call(server))
        assert await reply.next_chunk() == b"abc"
        with pytest.raises(kind) as caught:
            await reply.next_chunk()
        assert caught.value.response_started
        with pytest.raises(kind):
            await reply.next_chunk()
        assert client.open_count == 0


async def test_what_came_before_a_fault_is_given_out_first(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"content-length: 9\r\n\r\nabc", end="close")) as server:
        reply = await client.send(_call(server))
        await asyncio.sleep(0.1)
        assert await reply.next_chunk() == b"abc"
        with pytest.raises(ConnectionLost):
            await reply.next_chunk()


async def test_a_body_that_the_close_ends(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"\r\nabc", b"def", end="close")) as server:
        reply = await client.send(_call(server))
        assert await reply.read(6) == b"abcdef"
        assert client.idle_count == 0


@pytest.mark.parametrize(
    ("method", "head"),
    [("POST", b"HTTP/1.1 204 No Content\r\n\r\n"), ("HEAD", OK + b"content-length: 5\r\n\r\n")],
)
async def test_no_body(client: UpstreamClient, method: str, head: bytes) -> None:
    async with WireServer(_raw(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", head)) as server:
        reply = await client.send(_call(server, method))
        assert reply.header(b"link") is None
        assert await reply.next_chunk() == b""


async def test_a_head_without_measure(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"x: y\r\n" * 10_000 + b"\r\n")) as server:
        with pytest.raises(HeadersTooLarge):
            await client.send(_call(server))
        assert client.open_count == 0


async def test_read_has_a_limit(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"content-length: 20\r\n\r\n", b"x" * 11)) as server:
        reply = await client.send(_call(server))
        with pytest.raises(BodyTooLarge, match="over 10 bytes"):
            await reply.read(10)
        assert client.open_count == 0


async def test_a_reader_that_stops_stops_the_upstream(client: UpstreamClient) -> None:
    sent = 0

    async def flood(_: RecordedCall, connection: WireConnection) -> None:
        nonlocal sent
        await connection.sse_start()
        for _number in range(1000):
            await connection.sse(b"x" * 65_536)
            sent += 65_536
        await connection.sse_end()

    async with WireServer(flood) as server:
        reply = await client.send(_call(server, idle_s=0.3))
        await asyncio.sleep(0.7)  # longer than idle_s: it is not the upstream that is silent
        assert sent < 32 << 20  # what the sockets of the system hold, and 256 KiB
        largest = size = 0
        while chunk := await reply.next_chunk():
            largest, size = max(largest, len(chunk)), size + len(chunk)
        assert size == sent == 1000 * 65_536
        assert largest < 1 << 20
        assert client.idle_count == 1
        server.script = reply_json({})
        assert await (await client.send(_call(server))).read(10) == b"{}"


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello" * 99)),
        ("deflate", zlib.compress(b"hello" * 99)),
        ("zstd", zstandard.compress(b"hello" * 99)),
    ],
)
async def test_decoded_asked_for_or_not(client: UpstreamClient, coding: str, body: bytes, decode: bool) -> None:
    head = OK + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (coding.encode(), len(body))
    async with WireServer(_raw(head, body[:9], body[9:])) as server:
        reply = await client.send(_call(server, decode=decode))
        assert reply.header(b"content-encoding") is None
        assert reply.header(b"content-length") is None
        assert await reply.read(1000) == HELLO
        assert client.idle_count == 1
    assert server.calls[0].header("accept-encoding") == ("gzip, deflate, br, zstd" if decode else "identity")


async def test_an_encoded_stream_is_given_out_as_it_comes(client: UpstreamClient) -> None:
    stream = zlib.compressobj(wbits=31)
    first = stream.compress(b"data: 1\n\n") + stream.flush(zlib.Z_SYNC_FLUSH)
    second = stream.compress(b"data: 2\n\n") + stream.flush()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start([("content-encoding", "gzip")])
        await connection.sse(first)
        await connection.sleep(0.05)
        await connection.sse(second)
        await connection.sse_end()

    async with WireServer(script) as server:
        reply = await client.send(_call(server))
        assert await reply.next_chunk() == b"data: 1\n\n"
        assert await reply.next_chunk() == b"data: 2\n\n"
        assert await reply.next_chunk() == b""


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(HELLO)[:-4]])
async def test_an_encoding_that_is_broken_or_cut(client: UpstreamClient, body: bytes) -> None:
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with WireServer(_raw(head, body)) as server:
        reply = await client.send(_call(server))
        with pytest.raises(FramingBroken, match=r"encoding|corrupt"):
            await reply.read(1000)


async def test_an_encoding_nobody_knows(client: UpstreamClient) -> None:
    async with WireServer(_raw(OK + b"content-encoding: rot13\r\ncontent-length: 1\r\n\r\nx")) as server:
        with pytest.raises(FramingBroken, match="nobody asked for"):
            await client.send(_call(server))


async def test_a_gzip_bomb_is_cut_at_the_decoded_limit() -> None:
    client = UpstreamClient(decoded_limit=1 << 20)
    bomb = gzip.compress(bytes(200 << 20), 6)
    async with WireServer(
        _raw(OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb)
    ) as server:
        reply = await client.send(_call(server))
        sizes: list[int] = []

        async def read() -> None:
            while chunk := await reply.next_chunk():
                sizes.append(len(chunk))

        with pytest.raises(BodyTooLarge, match="when decoded"):
            await read()
        assert sum(sizes) <= 1 << 20
        with pytest.raises(BodyTooLarge):
            await reply.next_chunk()
    await client.aclose()


async def test_a_body_that_failed_is_not_left_to_the_collector() -> None:
    bomb = gzip.compress(bytes(40 << 20), 6)
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    client = UpstreamClient(decoded_limit=32 << 20)
    async with WireServer(_raw(head + bomb)) as server:
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            with pytest.raises(BodyTooLarge):
                await (await client.send(_call(server, decode=True))).read(1 << 30)
            left, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    await client.aclose()
    assert left < 8 << 20
