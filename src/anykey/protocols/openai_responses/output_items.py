"""Items of an answer, wire to neutral. The same functions read a whole answer and what a stream says at an item's end.

What a message item says of itself (``id``, ``phase`` …) is kept under ``extras[…]["message"]`` of each of its parts, so that
parts of one item are told from those of the next. ``status`` is not kept: the finish says it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.parts import Citation, Json, MediaPart, OpaquePart, Part, RefusalPart, TextPart, ToolCallPart
from anykey.protocols.fields import Fields
from anykey.protocols.openai_responses.client_tools import CALLS, arguments_of
from anykey.protocols.openai_responses.content import decode_citation
from anykey.protocols.openai_responses.extras import NAME, kept, own, synthetic_id
from anykey.protocols.openai_responses.reasoning import decode_reasoning
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of

FUNCTION_CALL, CUSTOM_CALL = "function_call", "custom_tool_call"
_HOSTED: dict[str, tuple[str, str]] = {
    "web_search_call": ("web_search", "action"),
    "file_search_call": ("file_search", "queries"),
    "code_interpreter_call": ("code_interpreter", "code"),
    "image_generation_call": ("image_generation", "revised_prompt"),
    "mcp_call": ("mcp", "arguments"),
    "shell_call": ("shell", "action"),
    "tool_search_call": ("tool_search", "arguments"),
}
"""Calls that the provider runs: the tool's name, and the key that holds what it was asked."""

_ITEM_KEYS = frozenset({"type", "role", "content", "status"})
_CONTENT_KEYS = frozenset({"type", "text", "refusal", "annotations", "logprobs"})


def decode_item(item: Json) -> list[Part]:
    """The parts of one item of ``output``. FailureError where a field has the wrong type. An item nobody here knows is kept
    whole; a reasoning item that says nothing is no part."""
    kind = text_of(item.get("type"))
    match kind:
        case "message":
            return decode_message(item)
        case "reasoning":
            part = decode_thought(item)
            return [part] if part is not None else []
        case "image_generation_call" if text_of(item.get("result")):
            return [_decode_image(item)]
        case str() if is_client_call(item):
            return [decode_call(item)]
        case str() if kind in _HOSTED:
            return [_decode_hosted(item, kind)]
        case _:
            return [OpaquePart(NAME, kind or "item", item)]


def decode_message(item: Json) -> list[Part]:
    """The contents of a message item; one without any is an empty text."""
    marks = message_marks(item)
    parts = [decode_content_part(entry, marks) for entry in list_of(item.get("content")) if is_object(entry)]
    return parts or [TextPart("", extras=kept(marks))]


def message_marks(item: Json) -> Json:
    """The extras that every part of a message item has."""
    marks = {key: value for key, value in item.items() if key not in _ITEM_KEYS and value is not None}
    return {"message": marks} if marks else {}


def decode_content_part(entry: Json, marks: Json) -> Part:
    """One entry of a message's ``content``. Its log probabilities belong to the choice and are read by ``logprobs_of``."""
    rest = {key: value for key, value in entry.items() if key not in _CONTENT_KEYS and value is not None}
    extras = kept({**rest, **marks})
    match entry.get("type"):
        case "refusal":
            return RefusalPart(text_of(entry.get("refusal")) or "", extras)
        case "output_text" | "text" | None:
            return TextPart(text_of(entry.get("text")) or "", None, citations_of(entry), extras)
        case _:
            return OpaquePart(NAME, "message", {"type": "message", "role": "assistant", "content": [entry]})


def citations_of(entry: Json) -> tuple[Citation, ...]:
    return tuple(decode_citation(value) for value in list_of(entry.get("annotations")))


def logprobs_of(item: Json) -> list[Any]:
    """The log probabilities of a message item's texts, in order."""
    entries = [entry for entry in list_of(item.get("content")) if is_object(entry)]
    return [value for entry in entries for value in list_of(entry.get("logprobs"))]


def decode_thought(item: Json) -> Part | None:
    """A reasoning item, with its id; None where it says nothing."""
    fields = Fields(item)
    fields.any("type")
    identity = fields.text("id")
    fields.any("status")
    part = decode_reasoning(fields)
    if part is None or identity is None:
        return part
    return msgspec.structs.replace(part, extras=kept({"id": identity, **own(part.extras)}))


def is_client_call(item: Json) -> bool:
    """The client runs it. A search of tools, or a shell in a container, is run by the provider."""
    kind = text_of(item.get("type"))
    if kind == "tool_search_call":
        return item.get("execution") == "client" or (item.get("execution") is None and bool(item.get("call_id")))
    if kind == "shell_call":
        environment: Any = item.get("environment")
        return not is_object(environment) or environment.get("type") in (None, "local")
    return kind in (FUNCTION_CALL, CUSTOM_CALL) or kind in CALLS


def decode_call(item: Json) -> ToolCallPart:
    """A call that the client runs."""
    fields = Fields(item)
    kind = fields.text("type") or ""
    for key in ("status", "obfuscation"):
        fields.any(key)
    call_id = fields.text("call_id") or text_of(item.get("id")) or synthetic_id("call_", msgspec.json.encode(item))
    if kind in CALLS:
        tool = CALLS[kind]
        arguments = arguments_of(tool, fields.any(tool.key) or {})
        if tool.kind == "tool_search":
            fields.any("execution")
        return ToolCallPart(call_id, tool.kind, arguments, tool.kind, extras=kept(fields.rest()))
    name, namespace = fields.text("name") or "", fields.text("namespace")
    custom = kind == CUSTOM_CALL
    arguments = argument_text(fields.any("input" if custom else "arguments"))
    kept_keys = kept(fields.rest())
    return ToolCallPart(call_id, name, arguments, "custom" if custom else "function", None, kept_keys, namespace)


def argument_text(value: Any) -> str:
    """Arguments as text; some servers send an object."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _decode_hosted(item: Json, kind: str) -> ToolCallPart:
    """A call that the provider ran; the whole item is kept, for it holds the result too."""
    name, key = _HOSTED[kind]
    asked: Any = item.get(key)
    named = text_of(item.get("name"))
    if key in ("queries", "code", "revised_prompt"):
        asked = {} if asked is None else {key: asked}
    identity = text_of(item.get("id")) or synthetic_id("call_", msgspec.json.encode(item))
    extras = kept({key: value for key, value in item.items() if key != "id"})
    return ToolCallPart(identity, named or name, argument_text(asked), "hosted", extras=extras)


def _decode_image(item: Json) -> MediaPart:
    """A picture that was made is a medium; what is said of it stays with it."""
    word = text_of(item.get("output_format"))
    rest = {key: value for key, value in item.items() if key not in ("type", "result") and value is not None}
    media_type = f"image/{word or 'png'}"
    return MediaPart("image", media_type, text_of(item["result"]), extras=kept({"image_generation_call": rest}))
