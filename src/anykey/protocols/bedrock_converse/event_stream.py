"""``application/vnd.amazon.eventstream``: bytes in, messages out, whatever the cut.

A message is a prelude (its total length and that of its headers, 4 bytes each, and a CRC-32 of these eight), headers, a payload,
and a CRC-32 of all before it; numbers are big-endian. A header is a name (length in 1 byte), a type (1 byte) and a value.
Source: the event stream specification of AWS's Smithy. A message whose checksum is wrong, or that claims to be larger than
``limit``, is refused: there is no way to find where the next one begins.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

MESSAGE_LIMIT = 16 * 1024 * 1024
HEADERS_LIMIT = 128 * 1024
_PRELUDE = struct.Struct(">III")
_CRC_LENGTH = 4
_LEAST = _PRELUDE.size + _CRC_LENGTH
_TRUE, _FALSE, _BYTES, _TEXT = 0, 1, 6, 7
_SIZED = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a value whose type tells its length: byte, short, integer, long, timestamp (ms), UUID."""
_NUMBERS = frozenset({2, 3, 4, 5, 8})

HeaderValue = bool | int | bytes | str


class Message(NamedTuple):
    """Headers by name; a UUID is its 16 bytes, a timestamp its milliseconds."""

    headers: dict[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str:
        """The text at ``name``, ``""`` where there is none."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


class BrokenFrame(Exception):
    """The bytes are no event stream, or not that which was sent."""


class FrameParser:
    """``feed`` gives the messages that ``data`` completes. BrokenFrame: nothing more can be read."""

    __slots__ = ("_buffer", "_limit", "_wanted")

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self._buffer = bytearray()
        self._wanted = 0  # length of the message that has begun; 0 until its prelude is whole
        self._limit = limit

    def feed(self, data: bytes) -> list[Message]:
        """Each byte is copied into the buffer once and out of it once, however finely it is cut."""
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        start = 0
        while len(buffer) - start >= (self._wanted or _PRELUDE.size):
            if not self._wanted:
                self._wanted = self._length(bytes(buffer[start : start + _PRELUDE.size]))
                continue
            end = start + self._wanted
            messages.append(_read(bytes(buffer[start:end])))
            start, self._wanted = end, 0
        if start:
            del buffer[:start]
        return messages

    def pending(self) -> bool:
        """A message has begun and is not complete."""
        return bool(self._buffer)

    def _length(self, prelude: bytes) -> int:
        total, headers, checksum = _PRELUDE.unpack(prelude)
        if zlib.crc32(prelude[:8]) != checksum:
            raise BrokenFrame("the checksum of a message's prelude is wrong")
        if total > self._limit:
            raise BrokenFrame(f"one message is larger than {self._limit} bytes")
        if headers > HEADERS_LIMIT or total < _LEAST + headers:
            raise BrokenFrame("the lengths of a message do not fit")
        return total


def _read(frame: bytes) -> Message:
    """A whole message, its prelude already checked."""
    body, checksum = frame[:-_CRC_LENGTH], int.from_bytes(frame[-_CRC_LENGTH:])
    if zlib.crc32(body) != checksum:
        raise BrokenFrame("the checksum of a message is wrong")
    split = _PRELUDE.size + int.from_bytes(frame[4:8])
    return Message(_read_headers(body[_PRELUDE.size : split]), body[split:])


def _read_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    position = 0
    try:
        while position < len(data):
            end = position + 1 + data[position]
            name = data[position + 1 : end].decode()
            kind = data[end]
            if name in headers:
                raise BrokenFrame("a header stands twice in one message")
            headers[name], position = _read_value(data, kind, end + 1)
    except (IndexError, UnicodeDecodeError):
        raise BrokenFrame("the headers of a message cannot be read") from None
    if position != len(data):
        raise BrokenFrame("the headers of a message end too early")
    return headers


def _read_value(data: bytes, kind: int, start: int) -> tuple[HeaderValue, int]:
    """The value that begins at ``start``, and where it ends."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, start
    if kind in (_BYTES, _TEXT):
        end = start + 2 + int.from_bytes(data[start : start + 2])
        value = data[start + 2 : end]
        return (value.decode() if kind == _TEXT else value), end
    if kind not in _SIZED:
        raise BrokenFrame("a header has an unknown type")
    end = start + _SIZED[kind]
    value = data[start:end]
    return (int.from_bytes(value, signed=True) if kind in _NUMBERS else value), end
