"""A scripted HTTP/1.1 server on a raw socket: it records every byte asked of it and answers exactly what a test says.

Law: nothing here corrects a script. What the script writes is what goes on the wire, broken framing included, so that
a test can show any fault a real upstream has. A script that fails makes the test fail when the server is left.

    async with WireServer(reply_json({"ok": True})) as server:
        ...                             # call server.url
    assert server.calls[0].json() == {...}
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self, cast

_JSON_TYPE = ("content-type", "application/json")
Headers = Iterable[tuple[str, str]]


@dataclass(slots=True)
class RecordedCall:
    """One request as it came: `target` and header names are as sent, the body is unframed."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    """Number of the connection it came on, from 0: equal numbers mean a reused connection."""
    closed_at: float | None = None
    """`time.monotonic()` of the moment the client closed that connection, None while it is open or if we closed it."""

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Script = Callable[["RecordedCall", "WireConnection"], Awaitable[None]]


class WireConnection(asyncio.Protocol):
    """One accepted connection: what a script may do with it, and the reader of its requests."""

    def __init__(self, server: "WireServer", number: int) -> None:
        self._server = server
        self.number = number
        self._transport: asyncio.Transport | None = None
        self._inbox = bytearray()
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._closed_here = False
        self._task: asyncio.Task[None] | None = None
        self.gone_at: float | None = None

    # What a script calls.

    async def write(self, data: bytes) -> None:
        """Send these bytes as they are; ConnectionResetError when the client is no longer there."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the client is gone")
        self._transport.write(data)
        await self._writable.wait()

    async def head(self, status: int, headers: Headers = ()) -> None:
        """Send a status line and these headers."""
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", *(f"{name}: {value}" for name, value in headers)]
        await self.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def json(self, status: int, obj: Any, headers: Headers = ()) -> None:
        """Send a whole JSON reply with its content-length."""
        body = json.dumps(obj, ensure_ascii=False).encode()
        await self.head(status, [_JSON_TYPE, ("content-length", str(len(body))), *headers])
        await self.write(body)

    async def sse_start(self, headers: Headers = ()) -> None:
        """Send the head of a chunked event stream."""
        await self.head(200, [("content-type", "text/event-stream"), ("transfer-encoding", "chunked"), *headers])

    async def sse(self, *events: str | bytes) -> None:
        """Send each text as given, as one HTTP chunk and one write: an event, half of one, or several."""
        for event in events:
            data = event.encode() if isinstance(event, str) else event
            await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def sse_end(self) -> None:
        """Send the last chunk."""
        await self.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """Close with a TCP RST."""
        self._closed_here = True
        if self._transport is not None:
            sock = cast("socket.socket", self._transport.get_extra_info("socket"))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def close(self) -> None:
        """Close with a TCP FIN, after what was written."""
        self._closed_here = True
        if self._transport is not None:
            self._transport.close()

    async def sleep(self, seconds: float) -> None:
        """Stay silent."""
        await asyncio.sleep(seconds)

    async def client_gone(self, timeout_s: float) -> float | None:
        """Wait until the client closes: the `time.monotonic()` of it, or None when it has not in that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.gone_at is None:
                    await self._change()
        return self.gone_at

    async def read_raw(self, at_least: int = 1) -> bytes:
        """Everything received beyond the request so far, once there are that many bytes; short at the end."""
        while len(self._inbox) < at_least and not self._ended:
            await self._change()
        data = bytes(self._inbox)
        self._inbox.clear()
        return data

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._task = asyncio.get_running_loop().create_task(self._serve())
        self._server.connections.append(self)

    def data_received(self, data: bytes) -> None:
        self._inbox += data
        self._changed.set()

    def eof_received(self) -> bool:
        self._mark_gone()
        return self._server.tls is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._mark_gone()
        self._transport = None
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # Requests

    async def stop(self) -> None:
        """End the connection and its script (the server calls it)."""
        if self._transport is not None:
            self._closed_here = True
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _mark_gone(self) -> None:
        self._ended = True
        if not self._closed_here and self.gone_at is None:
            self.gone_at = time.monotonic()
            for call in self._server.calls:
                if call.connection == self.number:
                    call.closed_at = self.gone_at
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _serve(self) -> None:
        try:
            while (call := await self._read_call()) is not None:
                self._server.calls.append(call)
                await self._server.script(call, self)
                if self._closed_here:
                    return
            self.close()
        except ConnectionResetError:
            pass
        except Exception as error:  # noqa: BLE001 - kept, and raised when the server is left
            self._server.errors.append(error)
            self.reset()

    async def _read_call(self) -> RecordedCall | None:
        head = await self._until(b"\r\n\r\n")
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        call = RecordedCall(method, target, headers, b"", self.number)
        if (call.header("transfer-encoding") or "").lower() == "chunked":
            body = await self._chunked_body()
        else:
            body = await self._exactly(int(call.header("content-length") or 0))
        if body is None:
            return None
        call.body = body
        return call

    async def _chunked_body(self) -> bytes | None:
        body = bytearray()
        while True:
            size = await self._until(b"\r\n")
            data = None if size is None else await self._exactly(int(size, 16))
            if data is None or await self._until(b"\r\n") is None:
                return None
            if not data:
                return bytes(body)
            body += data

    async def _until(self, mark: bytes) -> bytes | None:
        while (end := self._inbox.find(mark)) < 0:
            if self._ended:
                return None
            await self._change()
        data = bytes(self._inbox[:end])
        del self._inbox[: end + len(mark)]
        return data

    async def _exactly(self, size: int) -> bytes | None:
        while len(self._inbox) < size:
            if self._ended:
                return None
            await self._change()
        data = bytes(self._inbox[:size])
        del self._inbox[:size]
        return data


class WireServer:
    """The server, as an async context manager, on a free port of 127.0.0.1. `script` may be replaced at any time."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.calls: list[RecordedCall] = []
        self.connections: list[WireConnection] = []
        self.errors: list[Exception] = []
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._accepted = 0

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT` (https with TLS), no slash at the end."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many connections the client has not closed."""
        return sum(connection.gone_at is None for connection in self.connections)

    def stop_listening(self) -> None:
        """Take no new connections; those there are go on."""
        if self._listener is not None:
            self._listener.close()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        for connection in self.connections:
            await connection.stop()
        if self._listener is not None:
            await self._listener.wait_closed()
        if kind is None and self.errors:
            raise self.errors[0]

    def _accept(self) -> WireConnection:
        self._accepted += 1
        return WireConnection(self, self._accepted - 1)


def reply_json(obj: Any, status: int = 200) -> Script:
    """A script that answers every request with this JSON."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(status, obj)

    return script


def reply_sse(*events: str | bytes) -> Script:
    """A script that answers every request with these texts as a chunked event stream, and ends it cleanly."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse(*events)
        await connection.sse_end()

    return script


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
