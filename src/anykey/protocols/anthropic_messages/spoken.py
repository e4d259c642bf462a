"""How much a relayed stream of Messages says, in bytes: what its answer is charged by where the upstream tells no usage."""

from __future__ import annotations

import msgspec

from anykey.conversation.estimate import utf8_size
from anykey.protocols.sse import data_of


class _Piece(msgspec.Struct):
    """A delta, or a block at its start."""

    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    name: str | None = None


class _Event(msgspec.Struct):
    delta: _Piece | None = None
    content_block: _Piece | None = None


_decode = msgspec.json.Decoder(_Event).decode


def said_in(events: bytes) -> int:
    """Bytes of text, thinking and calls in whole ``events``; what cannot be read says nothing."""
    return sum(map(_said, data_of(events)))


def _said(data: bytes) -> int:
    try:
        event = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    piece = event.delta or event.content_block
    if piece is None:
        return 0
    return utf8_size(piece.text or piece.thinking or piece.partial_json or piece.name or "")
