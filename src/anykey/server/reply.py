"""The answer to one client, on ASGI's ``send``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anykey.server.connection import ClientConnection

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]


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

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers + self._extra})

    async def write(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self.start(status, (*headers, length))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
