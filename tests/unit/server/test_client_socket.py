"""A WebSocket's end, and what it keeps to itself."""

import asyncio
import logging
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from anykey.server.client_socket import ClientSocket


def made() -> ClientSocket:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Never called."""

    config = uvicorn.Config(app, interface="asgi3", log_config=None)
    config.load()
    return ClientSocket(config, ServerState(), {})


async def test_the_application_is_told_to_stop() -> None:
    socket = made()
    socket.handshake_complete = True
    socket.shutdown()
    told: Any = socket.queue.get_nowait()
    assert told == {"type": "websocket.stop"}


async def test_frames_are_never_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold prompts, and the handshake a key."""
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "level", logging.DEBUG)
    assert made().conn.debug is False


async def test_without_a_handshake_it_ends_at_once() -> None:
    class Line(asyncio.Transport):
        closed = False
        written = b""

        def write(self, data: Any) -> None:
            self.written += data

        def close(self) -> None:
            self.closed = True

    socket, line = made(), Line()
    socket.transport = line
    socket.shutdown()
    assert socket.queue.empty()
    assert (line.closed, line.written[:12]) == (True, b"HTTP/1.1 500")
