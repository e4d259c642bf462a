"""A client connection on a real socket: bounded heads, and word of a client that is gone."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
import uvicorn

from anykey.server import connection as module
from anykey.server.client_socket import ClientSocket
from anykey.server.connection import CONNECTION_KEY, ClientConnection
from anykey.server.process import bind
from tests.fakes.gateway import read_reply

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Callable[[], Awaitable[dict[str, Any]]], Send], Awaitable[None]]
HEAD = b"GET / HTTP/1.1\r\nhost: a\r\n"


async def hello(scope: Scope, receive: object, send: Send) -> None:
    """Answers every call with the number of header bytes it got."""
    size = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(app: App, ws: type[ClientSocket] | Literal["none"] = "none") -> AsyncGenerator[int]:
    """A port where `app` is served over ClientConnection."""
    config = uvicorn.Config(app, http=ClientConnection, ws=ws, lifespan="off", log_config=None)  # pyright: ignore[reportArgumentType] - a plain ASGI callable
    server = uvicorn.Server(config)
    with bind("127.0.0.1", 0) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


@asynccontextmanager
async def connected(
    app: App, ws: type[ClientSocket] | Literal["none"] = "none"
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with serving(app, ws) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def error_on(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The status and error type that were told, after which the connection must be closed."""
    async with asyncio.timeout(2):
        reply = await read_reply(reader)
        assert await reader.read() == b""
    assert reply.headers["connection"] == "close"
    body = json.loads(reply.body)
    assert body["type"] == "error"
    return reply.status, body["error"]["type"]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_TIMEOUT_S", 0.1)


@pytest.mark.usefixtures("soon")
async def test_a_head_that_stops_is_408() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(HEAD)
        assert await error_on(reader) == (408, "timeout_error")


@pytest.mark.usefixtures("soon")
async def test_a_head_that_trickles_is_408() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(HEAD)
        for _ in range(2):
            await asyncio.sleep(0.04)
            writer.write(b"x-a: b\r\n")
        assert await error_on(reader) == (408, "timeout_error")


@pytest.mark.usefixtures("soon")
async def test_the_head_of_a_later_request_has_the_same_time() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        assert (await read_reply(reader)).status == 200
        await asyncio.sleep(0.15)  # a kept connection may rest longer than a head may take
        writer.write(HEAD)
        assert await error_on(reader) == (408, "timeout_error")


@pytest.mark.usefixtures("soon")
async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with connected(hello) as (reader, _):
        async with asyncio.timeout(2):
            assert await reader.read() == b""


@pytest.mark.usefixtures("soon")
async def test_an_answer_may_take_longer_than_a_head() -> None:
    async def slow(scope: Scope, receive: object, send: Send) -> None:
        await asyncio.sleep(0.25)
        await hello(scope, receive, send)

    async with connected(slow) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        assert (await read_reply(reader)).status == 200


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
async def test_a_head_over_the_limit_is_431(pause_s: float) -> None:
    async with connected(hello) as (reader, writer):
        writer.write(HEAD + b"x-a: " + b"a" * 60_000 + b"\r\n")
        await asyncio.sleep(pause_s)
        writer.write(b"x-b: " + b"b" * 6_000 + b"\r\n\r\n")
        assert await error_on(reader) == (431, "invalid_request_error")


async def test_a_later_head_over_the_limit_in_one_read_is_431() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        assert (await read_reply(reader)).status == 200
        writer.write(HEAD + b"x-a: " + b"a" * 70_000 + b"\r\n\r\n")
        assert await error_on(reader) == (431, "invalid_request_error")


async def test_a_head_that_never_ends_is_431() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(HEAD)
        for _ in range(8):
            writer.write(b"x-a: " + b"a" * 9_000 + b"\r\n")
            await asyncio.sleep(0.005)
        assert (await error_on(reader))[0] == 431


async def test_every_head_has_the_whole_limit() -> None:
    async with connected(hello) as (reader, writer):
        for _ in range(3):
            writer.write(HEAD + b"x-a: " + b"a" * 40_000 + b"\r\n\r\n")
            assert int((await read_reply(reader)).body) > 40_000


async def test_a_large_body_is_no_head() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n" + b"b" * 300_000)
        assert (await read_reply(reader)).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_400(head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with connected(hello) as (reader, writer):
        writer.write(head)
        assert await error_on(reader) == (400, "invalid_request_error")


async def test_the_journey_is_told_once_that_its_client_is_gone() -> None:
    told: list[bool] = []
    started = asyncio.Event()

    async def waiting(scope: Scope, receive: object, send: Send) -> None:
        connection: ClientConnection = scope[CONNECTION_KEY]
        task = asyncio.current_task()
        assert task is not None

        def on_gone() -> None:
            told.append(connection.gone)
            task.cancel()

        connection.on_gone = on_gone
        started.set()
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            told.append(True)

    async with serving(waiting) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"\r\n")
        await started.wait()
        writer.close()
        async with asyncio.timeout(1):
            while len(told) < 2:
                await asyncio.sleep(0.005)
    assert told == [True, True]


JAVA = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n"


async def echo(scope: Scope, receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    """Answers with the whole body it got."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
async def test_an_offer_to_upgrade_is_declined_and_the_body_kept(pause_s: float) -> None:
    async with connected(echo) as (reader, writer):
        for framing, body in (
            (b"content-length: 5\r\n\r\n", b"hello"),
            (b"transfer-encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
        ):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\n" + JAVA + framing)
            await asyncio.sleep(pause_s)
            writer.write(body + HEAD + b"\r\n")
            async with asyncio.timeout(2):
                assert (await read_reply(reader)).body == b"hello"
                assert (
                    await read_reply(reader)
                ).body == b""  # what follows the body is the next request, and only that


async def test_a_tunnel_is_refused() -> None:
    async with connected(hello) as (reader, writer):
        writer.write(b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n")
        assert await error_on(reader) == (400, "invalid_request_error")


async def two_words(scope: Scope, receive: object, send: Send) -> None:
    """Answers with a pause in the middle."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await asyncio.sleep(0.3)
    await send({"type": "http.response.body", "body": b"two"})


@pytest.mark.parametrize("junk", [b"\0junk\r\n\r\n", b'{"x":1}', b"GET / HTTP/1.1\r\na\0: b\r\n\r\n"])
async def test_no_refusal_is_written_into_an_answer(junk: bytes) -> None:
    async with connected(two_words) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        begun = await reader.readuntil(b"one\r\n")
        writer.write(junk)
        async with asyncio.timeout(2):
            rest = await reader.read()
    assert (begun + rest).count(b"HTTP/1.1") == 1
    assert rest == b""


@pytest.mark.usefixtures("soon")
async def test_the_next_head_may_wait_for_the_end_of_an_answer() -> None:
    async with connected(two_words) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        await reader.readuntil(b"one\r\n")
        writer.write(b"GET / HT")
        async with asyncio.timeout(2):
            assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"
            assert await error_on(reader) == (408, "timeout_error")


async def test_each_request_says_for_itself_whether_it_is_whole() -> None:
    told: list[bool] = []

    async def noting(scope: Scope, receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
        told.append(scope[CONNECTION_KEY].body_complete)
        await echo(scope, receive, send)

    async with connected(noting) as (reader, writer):
        for pause_s in (0.0, 0.05):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n" + (b"" if pause_s else b"hello"))
            await asyncio.sleep(pause_s)
            if pause_s:
                writer.write(b"hello")
            assert (await read_reply(reader)).body == b"hello"
    assert told == [True, False]


async def either(scope: Scope, receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    """Takes a WebSocket and says one word on it; answers a call."""
    if scope["type"] == "http":
        await hello(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["path"] + scope["query_string"].decode()})
    await receive()


SOCKET = b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
OFFER = b"connection: Upgrade\r\nupgrade: websocket\r\n"
OPENING = b"GET /v1/responses?key=secret&a=b HTTP/1.1\r\nhost: a\r\n" + OFFER + SOCKET


@pytest.mark.parametrize("cut", [0, 30, 100])
@pytest.mark.usefixtures("soon")
async def test_a_websocket_is_taken_where_it_is_served(cut: int) -> None:
    async with connected(either, ClientSocket) as (reader, writer):
        head = OPENING + b"\r\n"
        writer.write(head[:cut])
        await asyncio.sleep(0.01)
        writer.write(head[cut:])
        async with asyncio.timeout(2):
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(15) == b"\x81\x0d/v1/responses"  # one text frame, no query
        await asyncio.sleep(0.15)  # the clock of its head has stopped
        assert not reader.at_eof()


@pytest.mark.parametrize(
    ("ws", "head"),
    [
        ("none", OPENING),
        (ClientSocket, OPENING.replace(b"/v1/responses", b"/v1/messages")),
        (ClientSocket, OPENING.replace(b"GET", b"POST")),
        (ClientSocket, OPENING.replace(b"upgrade: websocket", b"upgrade: h2c")),
    ],
)
async def test_any_other_offer_is_declined(ws: type[ClientSocket] | Literal["none"], head: bytes) -> None:
    async with connected(either, ws) as (reader, writer):
        writer.write(head + b"\r\n")
        async with asyncio.timeout(2):
            assert (await read_reply(reader)).status == 200


async def test_a_websocket_behind_an_answer_under_way_is_declined() -> None:
    async with connected(two_words, ClientSocket) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        await reader.readuntil(b"one\r\n")
        writer.write(OPENING + b"\r\n")
        async with asyncio.timeout(2):
            await reader.readuntil(b"0\r\n\r\n")
            assert (await read_reply(reader)).body == b"onetwo"


@pytest.mark.parametrize(
    "fields",
    [
        b"x-a: " + b"a" * 8_000 + b"\r\n",
        b"x-a: b\r\n" * 130,
        b"".join(b"x-%d: %b\r\n" % (n, b"a" * 7_000) for n in range(10)),
    ],
)
async def test_the_head_of_a_websocket_is_bounded(fields: bytes) -> None:
    async with connected(either, ClientSocket) as (reader, writer):
        writer.write(OPENING + fields + b"\r\n")
        assert await error_on(reader) == (431, "invalid_request_error")


async def test_a_handshake_that_is_none_is_refused() -> None:
    async with connected(either, ClientSocket) as (reader, writer):
        writer.write(OPENING.replace(b"AAAAAAAAAAAAAAAAAAAAAA==", b"short") + b"\r\n")
        async with asyncio.timeout(2):
            assert b" 400 " in await reader.readuntil(b"\r\n\r\n")
            await reader.read()
