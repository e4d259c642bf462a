"""Messages of a request, wire to neutral; and the assistant's own message, which a response holds too."""

from __future__ import annotations

from typing import Any

from anykey.conversation.failures import invalid
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    Json,
    MediaPart,
    Part,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.citations import decode_citation, give
from anykey.protocols.openai_chat.content import decode_content, decode_part, read_cache
from anykey.protocols.openai_chat.extras import kept, synthetic_id
from anykey.protocols.openai_chat.parsed import is_object, objects_of
from anykey.protocols.openai_chat.reasoning import read_reasoning
from anykey.protocols.openai_chat.signatures import read_signed
from anykey.protocols.openai_chat.tools import argument_text, decode_tool_call

LEGACY_ID = "function_"
"""Prefix of the ids made for calls of the legacy ``function_call``, which has none."""


def decode_messages(values: list[Any]) -> tuple[Message, ...]:
    """Every message in order. FailureError names the path of what cannot be read."""
    legacy_ids: dict[str, str] = {}
    return tuple(_decode_message(value, f"messages[{index}]", legacy_ids) for index, value in enumerate(values))


def _decode_message(value: Any, path: str, legacy_ids: dict[str, str]) -> Message:
    plain = _decode_plain(value)
    if plain is not None:
        return plain
    fields = Fields(value, path)
    role = fields.required_text("role")
    match role:
        case "user" | "system" | "developer":
            parts = decode_content(fields.any("content"), fields.at("content"))
        case "assistant":
            parts = read_assistant(fields)
            _remember_legacy_calls(parts, legacy_ids)
        case "tool":
            call_id = fields.required_text("tool_call_id")
            parts = [ToolResultPart(call_id, tuple(decode_content(fields.any("content"), fields.at("content"))))]  # pyright: ignore[reportArgumentType] - a tool's content array holds no calls or reasoning
            role = "tool"
        case "function":
            name = fields.required_text("name")
            call_id = legacy_ids.get(name) or synthetic_id(LEGACY_ID, path, name)
            content = decode_content(fields.any("content"), fields.at("content"))
            parts = [ToolResultPart(call_id, tuple(content), name=name)]  # pyright: ignore[reportArgumentType] - as above
            role = "tool"
        case _:
            raise invalid(f"{role!r} is not a role; use system, developer, user, assistant or tool", f"{path}.role")
    return Message(role, tuple(parts), fields.text("name"), read_cache(fields), kept(fields.rest()))


def _decode_plain(value: Any) -> Message | None:
    """The two commonest shapes without a cursor: ``{role, content}`` and ``{role, tool_call_id, content}``, all text."""
    if not is_object(value) or not 2 <= len(value) <= 3:
        return None
    role, content = value.get("role"), value.get("content")
    if type(content) is not str:
        return None
    if len(value) == 2 and role in ("user", "system", "developer"):
        return Message(role, (TextPart(content),))
    call_id = value.get("tool_call_id")
    if role == "tool" and len(value) == 3 and type(call_id) is str:
        return Message("tool", (ToolResultPart(call_id, (TextPart(content),)),))
    return None


def _remember_legacy_calls(parts: list[Part], legacy_ids: dict[str, str]) -> None:
    for part in parts:
        if isinstance(part, ToolCallPart) and part.kind == "legacy_function":
            legacy_ids[part.name] = part.id


def read_assistant(fields: Fields) -> list[Part]:
    """What the assistant said: reasoning, content, refusal, audio, images, calls. The keys read are consumed."""
    parts = read_reasoning(fields)
    parts += _read_text(fields)
    refusal = fields.text("refusal")
    if refusal:
        parts.append(RefusalPart(refusal))
    audio = fields.object("audio")
    if audio and (audio.get("data") or audio.get("id")):  # some servers send every field, empty
        parts.append(decode_audio(audio))
    images: list[Any] = fields.array("images") or []
    parts += [decode_part(image, f"{fields.at('images')}[{n}]") for n, image in enumerate(images)]
    calls: list[Any] = fields.array("tool_calls") or []
    for n, call in enumerate(calls):
        parts += read_signed(decode_tool_call(call, f"{fields.at('tool_calls')}[{n}]"), parts)
    legacy = fields.nested("function_call")
    name = legacy.text("name") if legacy else None
    if legacy and name:
        arguments = argument_text(legacy.any("arguments"))
        call_id = synthetic_id(LEGACY_ID, fields.path, name, arguments)
        parts.append(ToolCallPart(call_id, name, arguments, "legacy_function"))
    return parts


def _read_text(fields: Fields) -> list[Part]:
    """The content with the annotations that belong to it. An empty string says nothing."""
    content = fields.any("content")
    parts = decode_content(content, fields.at("content")) if content != "" else []
    annotations = fields.array("annotations")
    if not annotations:
        return parts
    citations = [decode_citation(entry) for entry in objects_of(annotations)]
    if not any(isinstance(part, TextPart) for part in parts):
        return [*parts, TextPart("", citations=tuple(citations))]
    return give(parts, citations)


def decode_audio(audio: Json) -> MediaPart:
    """``message.audio``: the answer as sound. Sent back, it is only its id."""
    fields = Fields(audio, "audio")
    data, identity = fields.text("data"), fields.text("id")
    rest = fields.rest()
    if data is None:
        return MediaPart("audio", file_id=identity, extras=kept({"audio": rest} if rest else {}))
    if identity is not None:
        rest["id"] = identity
    return MediaPart("audio", data=data, extras=kept({"audio": rest} if rest else {}))
