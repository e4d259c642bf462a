"""Sources of a text, both ways: ``groundingMetadata`` and ``citationMetadata``.

The provider counts UTF-8 bytes, the neutral model characters. Its offsets are those of the whole text, thoughts left out, and
drift where it left something out itself, so the text of a segment is believed before its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Citation, Json
from anykey.protocols.gemini_generate.extras import NAME
from anykey.protocols.gemini_generate.spelling import is_array, is_object

GROUNDING, CITATIONS = "groundingMetadata", "citationMetadata"
_SOURCES = ("web", "retrievedContext", "maps", "image")


def decode_citations(grounding: Any, cited: Any, text: str) -> list[Citation]:
    """Every source of every supported segment of ``text``, the joined texts of an answer; offsets are characters of it."""
    data = text.encode("utf-8", "surrogatepass")
    found: list[Citation] = []
    if is_object(grounding):
        chunks = _list(grounding.get("groundingChunks"))
        for support in _objects(grounding.get("groundingSupports")):
            found += _of_support(support, chunks, text, data)
    if is_object(cited):
        for source in _objects(cited.get("citationSources") or cited.get("citations")):
            start, end = _characters(source, text, data)
            found.append(Citation(NAME, source, _text(source.get("uri")), _text(source.get("title")), None, start, end))
    return found


def _of_support(support: Json, chunks: list[Any], text: str, data: bytes) -> Iterable[Citation]:
    segment: Any = support.get("segment")
    start, end = _characters(segment, text, data) if is_object(segment) else (None, None)
    for number in _list(support.get("groundingChunkIndices")):
        chunk: Any = chunks[number] if isinstance(number, int) and 0 <= number < len(chunks) else None
        source = _source(chunk)
        if source is not None:
            uri = _text(source.get("uri"))
            yield Citation(
                NAME,
                {"chunk": chunk, "segment": segment},
                uri,
                _text(source.get("title")),
                _text(source.get("text")),
                start,
                end,
            )


def _source(chunk: Any) -> Json | None:
    found: Any = next((chunk[key] for key in _SOURCES if chunk.get(key)), None) if is_object(chunk) else None
    return found if is_object(found) else None


def _characters(segment: Json, text: str, data: bytes) -> tuple[int | None, int | None]:
    """Where a segment stands in ``text``; (None, None) where its numbers are none and its text is not there."""
    start, end, said = segment.get("startIndex") or 0, segment.get("endIndex"), _text(segment.get("text"))
    if type(start) is int and type(end) is int and 0 <= start <= end <= len(data):
        first, last = _count(data, start, text), _count(data, end, text)
        if said is None or text[first:last] == said:
            return first, last
    position = text.find(said) if said else -1
    return (position, position + len(said)) if said and position >= 0 else (None, None)


def _count(data: bytes, offset: int, text: str) -> int:
    """Characters before byte ``offset``; a letter it cuts is left out."""
    return offset if len(data) == len(text) else len(data[:offset].decode("utf-8", "ignore"))


def shift(citation: Citation, base: int, length: int) -> Citation | None:
    """``citation`` with offsets in a part that begins at ``base`` and has ``length`` characters; None if it begins elsewhere."""
    if citation.start is None or citation.end is None:
        return citation
    start = citation.start - base
    if not 0 <= start < max(length, 1):
        return None
    return msgspec.structs.replace(citation, start=start, end=min(citation.end - base, length))


class CitedText(NamedTuple):
    """A text part of an answer on its way out."""

    text: str
    citations: list[Citation]


def encode_grounding(texts: list[CitedText], path: str, log: LossLog) -> Json | None:
    """``groundingMetadata`` for the citations of an answer's texts, None without any. Offsets are bytes of the joined texts; a
    citation without offsets stands for its whole text."""
    chunks: list[Json] = []
    supports: dict[tuple[int, int], Json] = {}
    base = 0
    for part, (text, citations) in enumerate(texts):
        for index, citation in enumerate(citations):
            where = f"{path}.content[{part}].citations[{index}]"
            chunk = _chunk(citation, where, log)
            if chunk is None:
                continue
            if chunk not in chunks:
                chunks.append(chunk)
            start, end = (citation.start or 0), len(text) if citation.end is None else citation.end
            support = supports.setdefault((base + _bytes(text[:start]), base + _bytes(text[:end])), {})
            support["segment"] = {"text": text[start:end]}
            support.setdefault("groundingChunkIndices", []).append(chunks.index(chunk))
        base += _bytes(text)
    if not chunks:
        return None
    for (start, end), support in supports.items():
        support["segment"] = {**({"startIndex": start} if start else {}), "endIndex": end, **support["segment"]}
    return {"groundingChunks": chunks, "groundingSupports": list(supports.values())}


def _chunk(citation: Citation, path: str, log: LossLog) -> Json | None:
    if citation.origin == NAME and _source(citation.raw.get("chunk")) is not None:
        return citation.raw["chunk"]
    title = {"title": citation.title} if citation.title else {}
    if citation.url:
        if citation.cited_text:
            log.dropped(f"{path}.cited_text", "a page is told by its address and title")
        return {"web": {"uri": citation.url, **title}}
    if citation.title or citation.cited_text:
        return {"retrievedContext": {**title, **({"text": citation.cited_text} if citation.cited_text else {})}}
    log.dropped(path, "it names no address, title or text of its source")
    return None


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _list(value: Any) -> list[Any]:
    return value if is_array(value) else []


def _objects(value: Any) -> list[Json]:
    return [entry for entry in _list(value) if is_object(entry)]
