"""Sources of a text, both ways: ``annotations`` of the type ``url_citation``.

Their offsets count the characters of the whole ``content``; the neutral model counts those of each text part.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Citation, Json, Part, TextPart
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.extras import NAME
from anykey.protocols.openai_chat.parsed import is_object, text_of


def decode_citation(entry: Json) -> Citation:
    """``{"type": "url_citation", "url_citation": {…}}``; what is inside an annotation of another type stays in ``raw``."""
    inner: Any = entry.get("url_citation")
    if not is_object(inner):
        return Citation(NAME, entry)
    fields = Fields(inner)
    start, end = fields.any("start_index"), fields.any("end_index")
    return Citation(
        NAME,
        entry,
        url=text_of(fields.any("url")),
        title=text_of(fields.any("title")),
        cited_text=text_of(fields.any("content")),
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
    )


def give(parts: list[Part], citations: list[Citation]) -> list[Part]:
    """``parts``, at least one of them a text, with each citation at the text in which it begins, else at the last one."""
    spans: list[tuple[int, int, int]] = []  # place in parts, first character, number of characters
    length = 0
    for place, part in enumerate(parts):
        if isinstance(part, TextPart):
            spans.append((place, length, len(part.text)))
            length += len(part.text)
    given: dict[int, list[Citation]] = {}
    for citation in citations:
        place, base, size = next((span for span in spans if _begins_in(citation, span)), spans[-1])
        given.setdefault(place, []).append(shifted(citation, base, size))
    return [
        msgspec.structs.replace(part, citations=tuple(given.get(place, ()))) if isinstance(part, TextPart) else part
        for place, part in enumerate(parts)
    ]


def _begins_in(citation: Citation, span: tuple[int, int, int]) -> bool:
    _, base, size = span
    return citation.start is not None and base <= citation.start < base + size


def shifted(citation: Citation, base: int, size: int | None = None) -> Citation:
    """``citation`` with offsets in a text that begins at ``base`` and has ``size`` characters, None where it may still grow. One
    that begins elsewhere loses them, and stands for the whole text."""
    start, end = citation.start, citation.end
    if not base or start is None or end is None:
        return citation
    if start < base or (size is not None and start >= base + size):
        return msgspec.structs.replace(citation, start=None, end=None)
    last = end - base if size is None else min(end - base, size)
    return msgspec.structs.replace(citation, start=start - base, end=last)


def encode_citation(citation: Citation, offset: int, length: int) -> Json | None:
    """An annotation; ``offset`` is where its text begins in the content, ``length`` how long it is. None without address."""
    if citation.origin == NAME:
        return citation.raw
    if citation.url is None:
        return None
    start = offset + (citation.start or 0)
    end = offset + (length if citation.end is None else citation.end)
    inner = {"start_index": start, "end_index": end, "title": citation.title or "", "url": citation.url}
    return {"type": "url_citation", "url_citation": inner}
