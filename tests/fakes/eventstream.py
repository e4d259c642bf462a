"""Writes `application/vnd.amazon.eventstream` as an upstream does: `frame` makes one message, `event` one of a ConverseStream."""

import json
import struct
import zlib
from typing import Any

HeaderValue = bool | int | str | bytes


def frame(headers: dict[str, HeaderValue], payload: bytes = b"") -> bytes:
    """One message with its two checksums. A number is a 4-byte integer."""
    told = b"".join(_header(name, value) for name, value in headers.items())
    lengths = struct.pack(">II", 16 + len(told) + len(payload), len(told))
    body = lengths + struct.pack(">I", zlib.crc32(lengths)) + told + payload
    return body + struct.pack(">I", zlib.crc32(body))


def _header(name: str, value: HeaderValue) -> bytes:
    spelled = bytes([len(name)]) + name.encode()
    match value:
        case bool():
            return spelled + bytes([0 if value else 1])
        case int():
            return spelled + b"\x04" + struct.pack(">i", value)
        case str():
            return spelled + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        case bytes():
            return spelled + b"\x06" + struct.pack(">H", len(value)) + value


def event(name: str, value: dict[str, Any]) -> bytes:
    """An event of the stream."""
    headers: dict[str, HeaderValue] = {
        ":event-type": name,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return frame(headers, json.dumps(value).encode())


def exception(name: str, message: str) -> bytes:
    """An exception that the service models (`throttlingException`)."""
    headers: dict[str, HeaderValue] = {
        ":exception-type": name,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, json.dumps({"message": message}).encode())


def error(code: str, message: str) -> bytes:
    """An error that it does not model."""
    return frame({":error-code": code, ":error-message": message, ":message-type": "error"})


def answer(*deltas: dict[str, Any], stop: str = "end_turn", usage: dict[str, int] | None = None) -> bytes:
    """A whole stream with one block of these deltas."""
    counts = usage or {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}
    return b"".join(
        [
            event("messageStart", {"role": "assistant", "p": "abc"}),
            *(event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta, "p": "ab"}) for delta in deltas),
            event("contentBlockStop", {"contentBlockIndex": 0, "p": "a"}),
            event("messageStop", {"stopReason": stop, "p": "abcdefg"}),
            event("metadata", {"usage": counts, "metrics": {"latencyMs": 120}, "p": "ab"}),
        ]
    )
