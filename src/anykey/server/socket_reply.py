"""The answer to one message of a WebSocket: the journey writes server-sent events, the client gets their JSON as text frames.

On the way it hears what the connection must remember: the response's id and the items it put out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from anykey.exchange.ports import Headers
from anykey.exchange.transcript import Transcript
from anykey.server.frames import Frames

SendFrame = Callable[[bytes], Awaitable[None]]
TOLD_HEADERS = frozenset({b"retry-after", b"x-request-id", b"x-should-retry", b"x-anykey-losses"})
"""Headers of a refusal that its frame repeats: a frame has none of its own."""
JSON_LINES = ((b"content-type", b"application/x-ndjson"),)


def _is_told(name: bytes) -> bool:
    return name in TOLD_HEADERS or b"ratelimit" in name or name.startswith((b"x-anykey-budget", b"x-anykey-credit"))


class _Response(msgspec.Struct):
    id: str = ""
    output: list[msgspec.Raw] = []


class _Event(msgspec.Struct):
    type: str = ""
    item: msgspec.Raw = msgspec.Raw()
    response: _Response | None = None


_read = msgspec.json.Decoder(_Event).decode


class SocketReply:
    """``send_frame`` writes one text frame and waits while the client does not read. ``stream_id`` is the lane that the client
    named, repeated in each event. ``completed``: the id of the response that came to an end; ``items``: what it put out."""

    def __init__(self, send_frame: SendFrame, is_gone: Callable[[], bool], stream_id: str | None = None) -> None:
        self._send_frame = send_frame
        self._is_gone = is_gone
        self._lane = b"" if stream_id is None else b',"stream_id":' + msgspec.json.encode(stream_id) + b"}"
        self._frames = Frames()
        self._transcript: Transcript | None = None
        self.started = False
        self.completed: str | None = None
        self.items: list[bytes] = []

    @property
    def gone(self) -> bool:
        """The client closed its connection."""
        return self._is_gone()

    def overhear(self, transcript: Transcript) -> None:
        """Tell ``transcript`` too what goes to the client from now on, a line for each frame."""
        self._transcript = transcript

    async def start(self, status: int, headers: Headers) -> None:  # noqa: ARG002 - a frame has no headers
        self.started = True
        if self._transcript is not None:
            self._transcript.begin(status, JSON_LINES)

    async def write(self, data: bytes) -> None:
        for event in self._frames.feed(data):
            self._hear(event)
            await self._tell(event)

    async def end(self) -> None:
        """The connection stays open for the next message."""

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """A refusal as an ``error`` frame: the HTTP status and what the HTTP body would have held."""
        await self.start(status, headers)
        named = {name.decode(): value.decode("latin-1") for name, value in headers if _is_told(name)}
        error: Any = msgspec.json.decode(body).get("error")
        await self._tell(msgspec.json.encode({"type": "error", "status": status, "error": error, "headers": named}))

    async def _tell(self, event: bytes) -> None:
        frame = event[: event.rindex(b"}")] + self._lane if self._lane else event
        if self._transcript is not None:
            self._transcript.add(frame + b"\n")
        await self._send_frame(frame)

    def _hear(self, event: bytes) -> None:
        try:
            heard = _read(event)
        except msgspec.DecodeError:
            return  # an event of another shape; it is the client's to understand
        if heard.type == "response.output_item.done" and heard.item:
            self.items.append(bytes(heard.item))
        elif heard.type in {"response.completed", "response.incomplete"} and heard.response is not None:
            self.completed = heard.response.id
            self.items = self.items or [bytes(item) for item in heard.response.output]
