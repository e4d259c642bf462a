"""Content blocks of an answer → parts."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import (
    Citation,
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from anykey.protocols.bedrock_converse.extras import NAME, is_object, keep, list_at, object_at

_SERVER_TOOL = "server_tool_use"


def decode_block(block: Json) -> Part:
    """The part that a ``ContentBlock`` says. A block of another kind than text, thought, call and picture is kept whole."""
    if isinstance(text := block.get("text"), str):
        return TextPart(text)
    if "toolUse" in block and object_at(block, "toolUse").get("type") != _SERVER_TOOL:
        return _decode_call(object_at(block, "toolUse"))
    if "reasoningContent" in block:
        return _decode_reasoning(object_at(block, "reasoningContent"))
    if "citationsContent" in block:
        return _decode_cited(object_at(block, "citationsContent"))
    if "image" in block:
        image = object_at(block, "image")
        data = object_at(image, "source").get("bytes")
        if isinstance(data, str):
            return MediaPart("image", f"image/{image.get('format')}", data)
    return OpaquePart(NAME, next(iter(block), ""), block)


def _decode_call(call: Json) -> ToolCallPart:
    arguments = msgspec.json.encode(call.get("input") or {}).decode()
    rest = {key: value for key, value in call.items() if key not in ("toolUseId", "name", "input")}
    return ToolCallPart(str(call.get("toolUseId") or ""), str(call.get("name") or ""), arguments, extras=keep(rest))


def _decode_reasoning(content: Json) -> ReasoningPart:
    redacted = content.get("redactedContent")
    if isinstance(redacted, str):
        return ReasoningPart("", OpaqueState(NAME, redacted), redacted=True)
    told = object_at(content, "reasoningText")
    signature = told.get("signature")
    state = OpaqueState(NAME, signature) if isinstance(signature, str) and signature else None
    return ReasoningPart(str(told.get("text") or ""), state)


def _decode_cited(content: Json) -> TextPart:
    citations = tuple(decode_citation(raw) for raw in list_at(content, "citations"))
    return TextPart(_texts(list_at(content, "content")), citations=citations)


def decode_citation(raw: Any) -> Citation:
    """A citation, of a page or of a document that was sent along."""
    value: Json = raw if is_object(raw) else {}
    url = object_at(object_at(value, "location"), "web").get("url")
    title = value.get("title")
    return Citation(
        NAME,
        value,
        url=url if isinstance(url, str) else None,
        title=title if isinstance(title, str) else None,
        cited_text=_texts(list_at(value, "sourceContent")) or None,
    )


def _texts(pieces: list[Any]) -> str:
    """The texts of blocks, in one."""
    return "".join(str(piece.get("text") or "") for piece in pieces if is_object(piece))
