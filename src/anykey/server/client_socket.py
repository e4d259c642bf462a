"""One WebSocket: uvicorn's protocol over the ``websockets`` package, with an end that lets an answer finish.

uvicorn closes every WebSocket as soon as the server is told to stop. Here the application is told, which answers what it has
begun and then closes; uvicorn waits for it as for any call.
"""

from __future__ import annotations

from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class ClientSocket(WebSocketsSansIOProtocol):
    """``{"type": "websocket.stop"}`` reaches the application when the server stops."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.debug = False  # it would write keys and prompts to the log

    def shutdown(self) -> None:
        if self.handshake_complete and not self.close_sent:
            self.queue.put_nowait(cast("Any", {"type": "websocket.stop"}))
        else:
            super().shutdown()
