"""Server-sent events: bytes in, events out, whatever the cut.

LF, CR and CRLF end a line; a blank line ends an event; lines that begin with ``:`` are comments; several ``data`` lines are
joined by LF; a byte order mark at the very start is skipped (WHATWG HTML, "Parsing an event stream"). An event may be cut at
any byte and several may come in one read. An event larger than ``limit`` is refused, so that a broken upstream cannot fill
the memory.
"""

from __future__ import annotations

from typing import NamedTuple

EVENT_LIMIT = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """``name`` is the ``event:`` line, ``b""`` when there is none."""

    name: bytes
    data: bytes


class EventTooLarge(Exception):
    """One event grew over the limit."""


def data_of(events: bytes) -> list[bytes]:
    """The ``data`` of whole events, for who only counts what they say: each line is taken for an event's whole data."""
    if events.startswith(b"data:") and events.endswith(b"\n\n") and events.find(b"\n", 0, -2) < 0:
        return [events[5:]]
    return [line[5:] for line in events.splitlines() if line.startswith(b"data:")]


class SseParser:
    """``feed`` gives the events completed by ``data``. ``comments`` counts comment lines seen (an upstream's heartbeat)."""

    __slots__ = ("_carry", "_fresh", "_limit", "_scan", "_tail", "comments")

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._tail = b""  # an event not yet complete, line ends already LF
        self._scan = 0  # no blank line begins before this offset of _tail
        self._carry = False  # the last byte fed was CR: a following LF belongs to it
        self._fresh = True
        self._limit = limit
        self.comments = 0

    def feed(self, data: bytes) -> list[SseEvent]:
        if self._carry or b"\r" in data:
            data = self._unify_line_ends(data)
        buffer = self._tail + data if self._tail else data
        if self._fresh and buffer:
            if len(buffer) < len(BOM) and BOM.startswith(buffer):
                self._tail = buffer
                return []
            self._fresh = False
            buffer = buffer.removeprefix(BOM)
        end = buffer.rfind(b"\n\n", self._scan)
        if end < 0:
            self._keep(buffer)
            return []
        self._keep(buffer[end + 2 :])
        events: list[SseEvent] = []
        for block in buffer[:end].split(b"\n\n"):
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append(SseEvent(b"", block[6:]))
            elif block:
                event = self._read_block(block)
                if event is not None:
                    events.append(event)
        return events

    def pending(self) -> bool:
        """An event has begun and is not complete."""
        return bool(self._tail.strip(b"\n"))

    def _keep(self, tail: bytes) -> None:
        if len(tail) > self._limit:
            raise EventTooLarge(f"one event is larger than {self._limit} bytes")
        self._tail = tail
        self._scan = max(len(tail) - 1, 0)

    def _unify_line_ends(self, data: bytes) -> bytes:
        """CRLF and CR become LF. A CR at the end is written as LF at once; a LF that follows in the next read is its own."""
        if self._carry and data.startswith(b"\n"):
            data = data[1:]
            self._carry = False
        if data:
            self._carry = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _read_block(self, block: bytes) -> SseEvent | None:
        name = b""
        lines: list[bytes] = []
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            if value.startswith(b" "):
                value = value[1:]
            if field == b"data":
                lines.append(value)
            elif field == b"event":
                name = value
            elif not field and line:
                self.comments += 1
        return SseEvent(name, b"\n".join(lines)) if lines else None
