"""The server-sent events of a Responses stream as whole frames, and the few fields of theirs that we set.

Law: a frame that does not concern our memory keeps every byte.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

Fields = dict[str, msgspec.Raw]

LIFECYCLE = frozenset({b"response.created", b"response.queued", b"response.in_progress"})
TERMINAL = frozenset({b"response.completed", b"response.incomplete", b"response.failed"})
ITEM_DONE = b"response.output_item.done"
_END = re.compile(rb"\r\n\r\n|\r\r|\n\n")


class FrameCutter:
    """Bytes in, whole frames out, each with its blank line. ``tail`` is a frame that has only begun."""

    __slots__ = ("tail",)

    def __init__(self) -> None:
        self.tail = b""

    def feed(self, data: bytes) -> list[bytes]:
        buffer = self.tail + data if self.tail else data
        if b"\r" not in buffer:
            *whole, self.tail = buffer.split(b"\n\n")
            return [frame + b"\n\n" for frame in whole]
        frames: list[bytes] = []
        start = 0
        for end in _END.finditer(buffer):
            frames.append(buffer[start : end.end()])
            start = end.end()
        self.tail = buffer[start:]
        return frames


class _Typed(msgspec.Struct):
    type: str = ""


def kind_of(frame: bytes) -> bytes:
    """The event's type, ``b""`` for a comment or anything that is no event of ours."""
    if frame.startswith(b"event:"):
        return frame[6 : frame.find(b"\n")].strip()
    data = data_of(frame)
    if not data.startswith(b"{"):
        return b""
    try:
        return msgspec.json.decode(data, type=_Typed).type.encode()
    except msgspec.DecodeError:
        return b""


def data_of(frame: bytes) -> bytes:
    """The JSON text of an event."""
    return b"".join(line[5:].strip() for line in frame.splitlines() if line.startswith(b"data:"))


def read_fields(text: bytes) -> Fields | None:
    """The fields of a JSON object, their values unread; None where it is none."""
    try:
        return msgspec.json.decode(text, type=Fields)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def frame_of(kind: bytes, fields: Fields) -> bytes:
    """An event of these fields."""
    return b"event: %b\ndata: %b\n\n" % (kind, msgspec.json.encode(fields))


def event(kind: bytes, number: int, response: bytes) -> bytes:
    """A lifecycle or terminal event: ``response`` is the object it tells."""
    fields = {"type": raw(kind.decode()), "sequence_number": raw(number), "response": msgspec.Raw(response)}
    return frame_of(kind, fields)


def numbered(frame: bytes, number: int) -> bytes:
    """The frame with another ``sequence_number``, if it has one."""
    head, mark, data = frame.partition(b"data:")
    fields = read_fields(data.strip())
    if fields is None or "sequence_number" not in fields:
        return frame
    fields["sequence_number"] = raw(number)
    return b"%b%b %b\n\n" % (head, mark, msgspec.json.encode(fields))


def raw(value: Any) -> msgspec.Raw:
    """A value as the text it will be written as."""
    return msgspec.Raw(msgspec.json.encode(value))
