"""How much a relayed stream of Gemini says, in bytes: what its answer is charged by where the upstream tells no usage."""

from __future__ import annotations

import msgspec

from anykey.conversation.estimate import utf8_size
from anykey.protocols.sse import data_of

_NOTHING = msgspec.Raw()


class _Part(msgspec.Struct):
    text: str | None = None
    functionCall: msgspec.Raw = _NOTHING  # noqa: N815 - the wire's spelling


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None


class _Chunk(msgspec.Struct):
    candidates: list[_Candidate] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def said_in(events: bytes) -> int:
    """Bytes of text, thoughts and calls in whole ``events``; what cannot be read says nothing."""
    return sum(map(said_in_chunk, data_of(events)))


def said_in_chunk(data: bytes) -> int:
    """The same of one chunk's JSON."""
    try:
        candidates = _decode(data).candidates
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    size = 0
    for candidate in candidates or ():
        for part in (candidate.content.parts if candidate.content is not None else None) or ():
            size += utf8_size(part.text) if part.text else len(memoryview(part.functionCall))
    return size
