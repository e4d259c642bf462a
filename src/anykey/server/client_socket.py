"""One WebSocket: uvicorn's protocol over the ``websockets`` package, with an end that lets an answer finish.

uvicorn closes every WebSocket as soon as the server is told to stop. Here the application is told, which answers what it has
begun and then closes; uvicorn waits for it as for any call.

What a client may make us hold is bounded here too: uvicorn keeps each fragment of a message as an object of its own, and writes
a pong for every ping however much of what was written is still unread.
"""

from __future__ import annotations

from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame


class ClientSocket(WebSocketsSansIOProtocol):
    """``{"type": "websocket.stop"}`` reaches the application when the server stops."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.debug = False  # it would write keys and prompts to the log
        self._pongs_wait = False

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # it was refused, which uvicorn would log as an error of ours

    def handle_cont(self, event: Frame) -> None:
        """Put a fragment to those before it: a list of fragments of two bytes would take twenty times their size."""
        first: bytes | bytearray = self.frames[0]
        whole = first if isinstance(first, bytearray) else bytearray(first)
        whole += event.data
        self.frames = [bytes(whole) if event.fin else cast("bytes", whole)]
        if event.fin:
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer it, and read no more while the client does not read the answers."""
        super().handle_ping()
        if not self.writable.is_set() and not self.transport.is_closing():
            self._pongs_wait = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._pongs_wait:
            self._pongs_wait = False
            if not self.read_paused and not self.transport.is_closing():
                self.transport.resume_reading()

    def shutdown(self) -> None:
        if self.handshake_complete and not self.close_sent:
            self.queue.put_nowait(cast("Any", {"type": "websocket.stop"}))
        else:
            super().shutdown()
