"""The demo model's own server: loopback only, an ephemeral port, inside the event loop that started it.

Law: nothing of the host process is touched: no signal handler, no logging set-up, no access log. Other users of the
machine can reach a loopback port, so every request must carry the token made for this process.
"""

import asyncio
import secrets
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from anykey.demo.app import RESET_EXTENSION, DemoApp


class DemoServer:
    """`base_url = await server.start()`, ask it with `server.token`, `await server.stop()`.

    `word_delay_s` is the pause after each streamed word.
    """

    def __init__(self, word_delay_s: float = 0.01) -> None:
        self.token = secrets.token_urlsafe(32)
        self._app = DemoApp(self.token, word_delay_s)
        self._server: _QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen and return the base URL, `http://127.0.0.1:PORT`, without `/v1`."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on a caller's connection waits for the server task instead of failing
        port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http=_ResettableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Stop listening and end every connection, also those in the middle of an answer."""
        if self._server is None or self._task is None:
            return
        self._app.close()
        self._server.should_exit = True
        await self._task
        self._server = self._task = None


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the process that embeds it has its own."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _ResettableProtocol(HttpToolsProtocol):
    """HTTP/1.1 with one more ASGI extension: end the connection with a TCP reset."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # uvicorn's scope type has no extensions yet
        scope["extensions"] = {RESET_EXTENSION: self._reset}

    def _reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None and not self.transport.is_closing():
            # Lingering for zero seconds makes close() send RST in place of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
