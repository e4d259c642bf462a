"""How much a relayed stream of Responses says, in bytes: what its answer is charged by where the upstream tells no usage."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.estimate import utf8_size
from anykey.protocols.sse import data_of


class _Item(msgspec.Struct):
    name: Any = None


class _Event(msgspec.Struct):
    """Every delta, of text, of reasoning and of arguments, is one text. The events that end a part repeat all of it."""

    type: str = ""
    delta: Any = None
    item: _Item | None = None


_decode = msgspec.json.Decoder(_Event).decode


def said_in(events: bytes) -> int:
    """Bytes of text, reasoning and calls in whole ``events``; what cannot be read says nothing."""
    return sum(map(_said, data_of(events)))


def _said(data: bytes) -> int:
    try:
        event = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    text = event.delta
    if event.type == "response.output_item.added" and event.item is not None:
        text = event.item.name
    return utf8_size(text) if text and isinstance(text, str) else 0
