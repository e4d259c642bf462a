"""What a WebSocket remembers: the conversations that no storage keeps, so that the next message may say only what is new.

Codex warms a connection up with its system prompt, then sends each turn with ``previous_response_id`` and ``store: false``.
Bounded in number and in bytes; what was forgotten is told as ``previous_response_not_found``, and Codex sends the whole again.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

Fields = dict[str, msgspec.Raw]
"""A JSON object one level deep: values are the bytes as they came."""

MOST_KEPT = 8
_encode = msgspec.json.encode
_text = msgspec.json.Decoder(str).decode


class Turns:
    """Response id → the items of the conversation up to its end, as JSON joined by commas. At most ``limit`` bytes in all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def get(self, response_id: str) -> bytes | None:
        """The items that ``response_id`` ends with; None where they are not kept here."""
        return self._kept.get(response_id)

    def keep(self, response_id: str, items: bytes) -> None:
        """Remember, and forget the oldest where it is too much."""
        self._size += len(items) - len(self._kept.pop(response_id, b""))
        self._kept[response_id] = items
        while self._kept and (len(self._kept) > MOST_KEPT or self._size > self._limit):
            self._size -= len(self._kept.popitem(last=False)[1])


def input_items(fields: Fields) -> bytes:
    """The request's ``input`` as items joined by commas; a text is a message of the user."""
    given = bytes(fields.get("input", b"[]")).strip()
    if given.startswith(b'"'):
        return _encode({"type": "message", "role": "user", "content": msgspec.Raw(given)})
    return given[1:-1].strip() if given.startswith(b"[") else b""


def join_items(*parts: bytes) -> bytes:
    """Items after items."""
    return b",".join(part for part in parts if part)


def text_field(fields: Fields, name: str) -> str | None:
    """A field that is a text, None where it is absent or none."""
    try:
        return _text(fields[name])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return None
