"""Objects of a JSON text, each as soon as it is whole: ``streamGenerateContent`` without ``alt=sse`` answers with one array, and
an error may come as a bare object."""

from __future__ import annotations

import re

from anykey.protocols.sse import EVENT_LIMIT, EventTooLarge

_STRUCTURE = re.compile(rb'["{}]')
_STRING_END = re.compile(rb'["\\]')


class ObjectParser:
    """``feed`` gives the bytes of the outermost objects that ``data`` completes; what stands between them is passed over."""

    __slots__ = ("_buffer", "_depth", "_in_string", "_limit", "_position", "_start")

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._buffer = b""
        self._position: int = 0  # everything before it is looked at
        self._start = 0  # where the open object begins
        self._depth = 0
        self._in_string = False
        self._limit = limit

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        found: list[bytes] = []
        while True:
            pattern = _STRING_END if self._in_string else _STRUCTURE
            match = pattern.search(self._buffer, self._position)
            if match is None:
                self._position = len(self._buffer)
                break
            mark, self._position = match[0], match.end()
            if mark == b"\\":
                if self._position == len(self._buffer):
                    self._position -= 1  # what it escapes has not come yet
                    break
                self._position += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif mark == b"{":
                self._open(match.start())
            elif self._depth:
                self._depth -= 1
                if not self._depth:
                    found.append(self._buffer[self._start : self._position])
        self._forget()
        return found

    def pending(self) -> bool:
        """An object has begun and is not complete."""
        return self._depth > 0

    def _open(self, position: int) -> None:
        if not self._depth:
            self._start = position
        self._depth += 1

    def _forget(self) -> None:
        """Keep only the open object."""
        done = self._start if self._depth else self._position
        self._buffer = self._buffer[done:]
        self._position -= done
        self._start = 0
        if len(self._buffer) > self._limit:
            raise EventTooLarge(f"one object is larger than {self._limit} bytes")
