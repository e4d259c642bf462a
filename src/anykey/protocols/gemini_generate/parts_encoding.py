"""Single parts, neutral → wire, for requests and answers alike. Losses are the caller's to name."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Json, ToolCallPart
from anykey.protocols.gemini_generate.media import encode_media

__all__ = ["call_args", "encode_call", "encode_media", "encode_text", "encode_thought", "sign"]

_Object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode_text(text: str) -> Json:
    return {"text": text}


def encode_thought(text: str) -> Json:
    return {"text": text, "thought": True}


def sign(entry: Json, signature: str) -> Json:
    """Put a signature (base64) on a part; the part itself."""
    entry["thoughtSignature"] = signature
    return entry


def encode_call(part: ToolCallPart, name: str, *, with_id: bool = True) -> tuple[Json, bool]:
    """The ``functionCall`` part, and whether its arguments could be sent as they are. ``name`` as the reader knows the tool."""
    args, exact = call_args(part)
    call: Json = {"id": part.id} if with_id and part.id else {}
    call["name"] = name
    call["args"] = args
    return {"functionCall": call}, exact


def call_args(part: ToolCallPart) -> tuple[Any, bool]:
    """``args`` of a call, and whether its text could be sent as it is. A JSON object keeps its spelling; the text of a free-text
    tool is ``{"input": text}``; what is no JSON object is ``{"_raw": text}``."""
    text = part.arguments
    if part.kind == "custom":
        return {"input": text}, True
    if not text.strip():
        return {}, True
    encoded = text.encode(errors="replace")
    try:
        _Object.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"_raw": text}, False
    return msgspec.Raw(encoded), True
