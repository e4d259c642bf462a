"""The answer to one client, on ASGI's ``send``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from anykey.exchange.transcript import Transcript
from anykey.server.connection import ClientConnection

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]


def write_at_once(cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> bool:
    """Write a whole answer in one piece, past ``send``, which checks each header by two expressions and writes twice. False,
    and nothing is written, where ``send`` must do it: the client is gone or does not read, or a HEAD has no body.

    Leaves uvicorn's cycle as ``send`` would. RuntimeError for a header that holds a line break.
    """
    if cycle.disconnected or cycle.response_started or cycle.flow.write_paused or cycle.scope["method"] == "HEAD":
        return False
    lines = list(map(b": ".join, (*cycle.default_headers, *headers)))
    if not cycle.keep_alive:
        lines.append(b"connection: close")
    head = STATUS_LINE[status] + b"\r\n".join(lines)
    if head.count(b"\n") != len(lines):
        raise RuntimeError("a header value holds a line break")
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"%b\r\n\r\n%b" % (head, body))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def _overheard(send: Send, transcript: Transcript) -> Send:
    """``send`` whose messages a transcript hears first: what was begun to be sent was sent."""

    async def tell(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            transcript.begin(message["status"], message["headers"])
        else:
            transcript.add(message["body"])
        await send(message)

    return tell


class AsgiReply:
    """``send`` waits while the client's socket buffer is full, so writing here is the backpressure."""

    __slots__ = ("_connection", "_extra", "_send", "started")

    def __init__(self, send: Send, connection: ClientConnection, extra: Headers = ()) -> None:
        self._send = send
        self._connection = connection
        self._extra = extra
        self.started = False

    @property
    def gone(self) -> bool:
        """The client closed its connection."""
        return self._connection.gone

    def overhear(self, transcript: Transcript) -> None:
        """Tell ``transcript`` too what goes to the client from now on."""
        self._send = _overheard(self._send, transcript)

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers + self._extra})

    async def write(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        length = (b"content-length", str(len(body)).encode())
        cycle = getattr(self._send, "__self__", None)
        if isinstance(cycle, RequestResponseCycle) and write_at_once(
            cycle, status, (*headers, length, *self._extra), body
        ):
            self.started = True
            return
        await self.start(status, (*headers, length))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
