"""The events of an answer, for clients that do not read server-sent events: whole JSON documents out of the bytes of a stream.

What an upstream's break left half said is dropped: it would spoil the document around it. The error that follows is kept.
"""

from __future__ import annotations

import msgspec

from anykey.protocols.sse import SseParser

_check = msgspec.json.Decoder(msgspec.Raw).decode


class Frames:
    """``feed`` gives the JSON of the events completed by ``data``, cut at any byte. ``beats`` counts signs of life."""

    __slots__ = ("_comments", "_parser", "beats")

    def __init__(self) -> None:
        self._parser = SseParser()
        self._comments = 0
        self.beats = 0

    def feed(self, data: bytes) -> list[bytes]:
        found = [event.data for event in self._parser.feed(data) if _is_json(event.data)]
        self.beats += self._parser.comments - self._comments
        self._comments = self._parser.comments
        return found


def _is_json(data: bytes) -> bool:
    try:
        _check(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
