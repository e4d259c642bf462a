"""How much a relayed stream of Chat says, in bytes: what its answer is charged by where the upstream tells no usage."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.estimate import utf8_size
from anykey.protocols.sse import data_of


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def said_in(events: bytes) -> int:
    """Bytes of text, reasoning, refusals and calls in whole ``events``; what cannot be read says nothing."""
    return sum(map(_said, data_of(events)))


def _said(data: bytes) -> int:
    try:
        choices = _decode(data).choices
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    size = 0
    for choice in choices or ():
        delta = choice.delta
        if delta is None:
            continue
        for text in (delta.content, delta.reasoning_content or delta.reasoning, delta.refusal):
            if text and isinstance(text, str):
                size += utf8_size(text)
        if delta.tool_calls or delta.function_call:
            calls = [call.function for call in delta.tool_calls or ()]
            size += sum(map(_call_size, (*calls, delta.function_call)))
    return size


def _call_size(call: _Function | None) -> int:
    return 0 if call is None else utf8_size(call.name or "") + utf8_size(call.arguments or "")
