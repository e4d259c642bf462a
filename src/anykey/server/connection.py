"""One client connection: uvicorn's HTTP/1.1 protocol with what it lacks.

Request heads are bounded in size and time (uvicorn waits for ever for the rest of a header), the journey is told at once when its
client is gone, without a task that waits for it, and an offer to upgrade is declined as RFC 9110 §7.8 allows: the call is
answered in HTTP/1.1 (Java's client offers h2c with every first call; uvicorn would lose its body). Only a WebSocket at
``/v1/responses`` is taken, if the server was given a protocol for it.

Law: no refusal is ever written into an answer that is under way; such a connection just ends.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from anykey.server.paths import resolve
from anykey.server.query import take_key

HEAD_LIMIT = 64 * 1024
HEAD_TIMEOUT_S = 10.0
SOCKET_FIELDS, SOCKET_LINE = 128, 8000
"""Header fields, and bytes of a line: a little less than what ``websockets`` reads of a handshake."""
BODY_FIELDS = frozenset({b"content-length", b"transfer-encoding"})
CONNECTION_KEY = "anykey.connection"
"""Where the journey finds its connection in the ASGI scope."""

_TOO_LARGE = b"The request headers are larger than 65536 bytes."
_TOO_LARGE_FOR_SOCKET = b"A WebSocket may have 127 request headers of 8000 bytes each."
_BODY_FOR_SOCKET = b"A request for a WebSocket has no body."
_TOO_SLOW = b"The request headers were not complete within 10 seconds."


def peer_of(scope: Mapping[str, Any]) -> str | None:
    """The address at the other end of the connection; None on a Unix socket."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else None


class HeadTooLarge(Exception):
    """Ends the parsing of a request whose head was refused."""


class ClientConnection(HttpToolsProtocol):
    """``on_gone`` is called once when the client closes while its request is being answered."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_gone: Callable[[], object] | None = None
        self.gone = False
        self.body_complete = False
        """The newest request has arrived whole: reading it will not wait."""
        self._declining = False
        self._head_size = 0
        self._head_open = True
        self._head_timer: TimerHandle | None = None
        self._head_slack = 0  # bytes that may or may not be the head's
        self._read_size = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self.gone = True
        super().connection_lost(exc)
        if self.on_gone is not None:
            self.on_gone()

    def data_received(self, data: bytes) -> None:
        self._read_size = len(data)
        if self._head_open:
            self._head_size += len(data)
        self._parse(data)
        if self._head_open and not self.transport.is_closing():
            self._check_head()

    def on_message_begin(self) -> None:
        self._head_open = True
        self.body_complete = False
        if not self._head_size:  # it begins in the read of another request's end
            self._head_size, self._head_slack = 1, self._read_size
        super().on_message_begin()
        self.scope[CONNECTION_KEY] = self  # type: ignore[typeddict-unknown-key]

    def on_headers_complete(self) -> None:
        self._declining = self.parser.should_upgrade()
        if self._declining:
            return  # the parser takes the head for the end of the message: it is read again, without the offer
        if self._head_size + self._head_slack > HEAD_LIMIT and self._exact_head_size() > HEAD_LIMIT:
            self._refuse(b"431 Request Header Fields Too Large", "invalid_request_error", _TOO_LARGE)
            raise HeadTooLarge
        self._head_open = False
        self._head_size = self._head_slack = 0
        if self._head_timer is not None:
            self._stop_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self._declining:
            return
        self.body_complete = True
        super().on_message_complete()

    def end_with_answer(self) -> None:
        """Close once the newest request is answered: the rest of its body has no reader, and a client that sends it for
        ever would hold the connection for ever."""
        self.cycle.keep_alive = False

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    self.send_400_response("This is no proxy.")
                    return
                if self._is_for_websocket():
                    self._hand_over()
                    return
                data = self._head_without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
                return
            else:
                return

    def _is_for_websocket(self) -> bool:
        """The offer just read is one to take: nothing else is under way here, and it is made where WebSockets are served."""
        if self._get_upgrade() != b"websocket" or self.ws_protocol_class is None or self.parser.get_method() != b"GET":
            return False
        idle = not self.cycle or self.cycle.response_complete
        return idle and resolve(unquote(self.url.partition(b"?")[0].decode("latin-1"))).operation == "responses"

    def _hand_over(self) -> None:
        """Give the connection to the WebSocket protocol, with its own head to read. Its limits are those of ``websockets``."""
        scope = {"query_string": self.url.partition(b"?")[2], "headers": self.headers}
        take_key(scope)  # uvicorn logs the URL of a WebSocket
        fields = [b"%b: %b\r\n" % pair for pair in self.headers]
        if len(fields) >= SOCKET_FIELDS or max(map(len, [self.url, *fields])) > SOCKET_LINE:
            self._refuse(b"431 Request Header Fields Too Large", "invalid_request_error", _TOO_LARGE_FOR_SOCKET)
            return
        if any(name in BODY_FIELDS and value != b"0" for name, value in self.headers):
            self._refuse(
                b"400 Bad Request", "invalid_request_error", _BODY_FOR_SOCKET
            )  # it would be waited for, for ever
            return
        self._stop_head_timer()
        self.connections.discard(self)
        assert self.ws_protocol_class is not None  # noqa: S101 - asked before
        socket: Any = self.ws_protocol_class(self.config, self.server_state, self.app_state)  # pyright: ignore[reportCallIssue] - typed as any Protocol class
        socket.connection_made(self.transport)
        self.transport.set_protocol(socket)
        socket.data_received(b"GET %b HTTP/1.1\r\n%b\r\n" % (self.url.partition(b"?")[0], b"".join(fields)))

    def _head_without_offer(self) -> bytes:
        """The head that was just read, to be read again as a plain request."""
        version = self.parser.get_http_version().encode()
        fields = b"".join(b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, fields)

    def _check_head(self) -> None:
        """A head is still incomplete after this read: bound its size, start its clock."""
        if self._head_size > HEAD_LIMIT:
            self._refuse(b"431 Request Header Fields Too Large", "invalid_request_error", _TOO_LARGE)
        elif self._head_timer is None and self._head_size:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_too_slow)

    def _exact_head_size(self) -> int:
        """A read that completes a head may hold a body too, so its size alone says little."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _head_too_slow(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._answering:  # the next request may wait as long as this answer takes
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_too_slow)
        elif self._head_size:
            self._refuse(b"408 Request Timeout", "timeout_error", _TOO_SLOW)
        else:
            self.transport.close()

    @property
    def _answering(self) -> bool:
        """An answer is under way, or one is owed to a request before the newest."""
        cycle = self.cycle  # none before the first request
        return bool(cycle) and not cycle.response_complete and (cycle.response_started or bool(self.pipeline))

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            self._refuse(b"400 Bad Request", "invalid_request_error", msg.encode())

    def _refuse(self, status: bytes, kind: str, message: bytes) -> None:
        """Answer before any route is known: one JSON error that OpenAI's and Anthropic's SDKs both read, then close."""
        if self._answering:
            self.transport.close()
            return
        body = b'{"type":"error","error":{"type":"%s","message":"%s"}}' % (kind.encode(), message)
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
