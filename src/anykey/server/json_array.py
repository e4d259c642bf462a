"""A stream as one JSON array, as Google tells it without ``alt=sse``: ``[{…}\n,\r\n{…}\n]``.

The journey writes server-sent events as ever; here they become the elements. A sign of life becomes a line break, which no JSON
parser minds. A refusal is an array of one error, as Google's is.
"""

from __future__ import annotations

from anykey.exchange.ports import Headers, Reply
from anykey.protocols.gemini_generate.stream_encoding import HEARTBEAT
from anykey.server.frames import Frames

CONTENT_TYPE = (b"content-type", b"application/json; charset=UTF-8")
BEATS = frozenset({b"{}", b'{"usageMetadata":{}}', HEARTBEAT[6:].rstrip()})
"""Chunks that say nothing: how Gemini's clients are kept waiting."""


class JsonArrayReply:
    """Wraps the ``reply`` of one streaming call."""

    __slots__ = ("_begun", "_frames", "_reply", "started")

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._frames = Frames()
        self._begun = False
        self.started = False

    @property
    def gone(self) -> bool:
        """The client closed its connection."""
        return self._reply.gone

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        await self._reply.start(status, _as_json(headers))

    async def write(self, data: bytes) -> None:
        frames = self._frames
        beats = frames.beats
        told = frames.feed(data)
        elements = [chunk for chunk in told if chunk not in BEATS]
        if elements:
            lead = b",\r\n" if self._begun else b"["
            self._begun = True
            await self._reply.write(lead + b"\n,\r\n".join(elements) + b"\n")
        elif told or frames.beats > beats:
            await self._reply.write(b"\n")

    async def end(self) -> None:
        await self._reply.write(b"]" if self._begun else b"[]")
        await self._reply.end()

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.started = True
        await self._reply.whole(status, _as_json(headers), b"[" + body + b"\n]")


def _as_json(headers: Headers) -> Headers:
    return (CONTENT_TYPE, *(pair for pair in headers if pair[0] != b"content-type"))
