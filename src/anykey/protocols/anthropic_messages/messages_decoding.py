"""Content blocks and messages, wire → neutral.

A block no neutral part can hold is kept whole as an ``OpaquePart``. Paths in errors are spelled as Anthropic spells them
(``messages.0.content.1.text``): clients repair themselves on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.message import Message, Role
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
    ToolResultPart,
)
from anykey.conversation.verify import ALLOWED_PARTS
from anykey.protocols.anthropic_messages.cache import decode_cache
from anykey.protocols.anthropic_messages.extras import NAME, keep
from anykey.protocols.anthropic_messages.hosted import SERVER_CALL
from anykey.protocols.anthropic_messages.shapes import is_array, is_object
from anykey.protocols.fields import Fields, kind_of

ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_encode_json = msgspec.json.Encoder().encode


def decode_messages(values: list[Any]) -> tuple[Message, ...]:
    """``messages`` of a request. FailureError (400) names the message or block at fault."""
    return tuple(_decode_message(value, f"messages.{position}") for position, value in enumerate(values))


def _decode_message(value: Any, path: str) -> Message:
    if is_object(value) and len(value) == 2 and "content" in value:  # what nearly all of them are
        known = value.get("role")
        if type(known) is str and known in ROLES:
            return Message(ROLES[known], _decode_parts(value["content"], ROLES[known], path))
    fields = Fields(value, path)
    word = fields.required_text("role")
    role = ROLES.get(word)
    if role is None:
        raise invalid(f'Input should be "user", "assistant" or "system", got {word!r}', f"{path}.role")
    parts = _decode_parts(fields.any("content"), role, path)
    return Message(role, parts, None, decode_cache(fields.object("cache_control")), keep(fields.rest()))


def _decode_parts(value: Any, role: Role, path: str) -> tuple[Part, ...]:
    parts = decode_content(value, f"{path}.content")
    allowed = ALLOWED_PARTS[role]
    for position, part in enumerate(parts):
        if type(part) not in allowed:
            raise invalid(f"this block may not stand in a message of the {role}", f"{path}.content.{position}")
    return parts


def decode_content(value: Any, path: str) -> tuple[Part, ...]:
    """A string, or an array of blocks."""
    if type(value) is str:
        return (TextPart(value),) if value else ()
    if not is_array(value):
        if value is None:
            raise invalid("Field required", path)
        raise invalid(f"Input should be a string or an array of blocks, got {kind_of(value)}", path)
    return tuple([decode_block(block, f"{path}.{position}") for position, block in enumerate(value)])


def decode_block(block: Any, path: str = "content") -> Part:
    """One content block, of a request or of an answer."""
    if not is_object(block):
        raise invalid(f"expected an object, got {kind_of(block)}", path)
    value = block
    kind = value.get("type")
    if type(kind) is not str:
        raise invalid("Field required", f"{path}.type")
    plain = _PLAIN.get(kind)
    if plain is not None:
        part = plain(value)
        if part is not None:
            return part
    reader = _READERS.get(kind)
    if reader is None:
        return _decode_opaque(kind, value, path)
    fields = Fields(value, path)
    fields.any("type")
    return reader(fields, value)


def _plain_text(value: Json) -> Part | None:
    text = value.get("text")
    return TextPart(text) if type(text) is str and len(value) == 2 else None


def _plain_tool_use(value: Json) -> Part | None:
    call_id, name, given = value.get("id"), value.get("name"), value.get("input")
    if type(call_id) is str and type(name) is str and type(given) is dict and len(value) == 4:
        return ToolCallPart(call_id, name, _encode_json(given).decode())
    return None


def _plain_tool_result(value: Json) -> Part | None:
    call_id, content = value.get("tool_use_id"), value.get("content")
    if type(call_id) is str and type(content) is str and content and len(value) == 3:
        return ToolResultPart(call_id, (TextPart(content),))
    return None


_PLAIN: dict[str, Callable[[Json], Part | None]] = {
    "text": _plain_text,
    "tool_use": _plain_tool_use,
    "tool_result": _plain_tool_result,
}
"""The blocks that come by the hundred, read at once when they hold nothing but what they must."""


def _decode_opaque(kind: str, value: Json, path: str) -> OpaquePart:
    if "cache_control" not in value:
        return OpaquePart(NAME, kind, value)
    fields = Fields(value, path)
    cache = decode_cache(fields.object("cache_control"))
    return OpaquePart(NAME, kind, {key: item for key, item in value.items() if key != "cache_control"}, cache)


def _decode_text(fields: Fields, _: Json) -> Part:
    text = fields.required_text("text")
    cache = decode_cache(fields.object("cache_control"))
    citations = fields.array("citations") or []
    for position, raw in enumerate(citations):
        if not is_object(raw):
            raise invalid(f"expected an object, got {kind_of(raw)}", f"{fields.at('citations')}.{position}")
    return TextPart(text, cache, tuple(decode_citation(raw) for raw in citations), keep(fields.rest()))


def decode_citation(raw: Json) -> Citation:
    """A citation with what every kind of it may say; ``raw`` has the rest (page, block or character range)."""
    return Citation(NAME, raw, _text(raw, "url"), _text(raw, "title", "document_title"), _text(raw, "cited_text"))


def _text(raw: Json, *keys: str) -> str | None:
    for key in keys:
        value = raw.get(key)
        if isinstance(value, str):
            return value
    return None


def _decode_thinking(fields: Fields, _: Json) -> Part:
    text = fields.required_text("thinking")
    signature = fields.text("signature")
    state = OpaqueState(NAME, signature) if signature else None
    return ReasoningPart(text, state, redacted=False, extras=keep(fields.rest()))


def _decode_redacted(fields: Fields, _: Json) -> Part:
    state = OpaqueState(NAME, fields.required_text("data"))
    return ReasoningPart("", state, redacted=True, extras=keep(fields.rest()))


def _decode_tool_use(fields: Fields, _: Json) -> Part:
    call_id, name = fields.required_text("id"), fields.required_text("name")
    value = fields.any("input")
    arguments = "{}" if value is None else _encode_json(value).decode()
    cache = decode_cache(fields.object("cache_control"))
    return ToolCallPart(call_id, name, arguments, "function", cache, keep(fields.rest()))


def _decode_server_call(fields: Fields, value: Json) -> Part:
    """A call that the provider ran. That there are extras of ours, perhaps empty, tells that it is one of this protocol."""
    call_id, name = fields.required_text("id"), fields.required_text("name")
    given = fields.any("input")
    arguments = "{}" if given is None else _encode_json(given).decode()
    cache = decode_cache(fields.object("cache_control"))
    extras = fields.rest() if value["type"] == SERVER_CALL else {"type": value["type"], **fields.rest()}
    return ToolCallPart(call_id, name, arguments, "hosted", cache, {NAME: extras})


def _decode_tool_result(fields: Fields, _: Json) -> Part:
    call_id = fields.required_text("tool_use_id")
    value = fields.any("content")
    content = () if value is None else decode_content(value, fields.at("content"))
    for position, part in enumerate(content):
        if not isinstance(part, TextPart | MediaPart | OpaquePart):
            raise invalid("this block may not stand in a tool result", f"{fields.at('content')}.{position}")
    is_error = bool(fields.flag("is_error"))
    cache = decode_cache(fields.object("cache_control"))
    return ToolResultPart(call_id, content, is_error, None, cache, keep(fields.rest()))  # pyright: ignore[reportArgumentType] - checked above


def _decode_medium(fields: Fields, value: Json) -> Part:
    kind = value["type"]
    source = fields.nested("source")
    if source is None:
        raise invalid("Field required", fields.at("source"))
    word = source.text("type")
    found = _decode_source(word, source)
    if found is None:
        return _decode_opaque(kind, value, fields.path)
    title = fields.text("title") if kind == "document" else None
    cache = decode_cache(fields.object("cache_control"))
    rest = fields.rest()
    unread = source.rest()
    if word in ("content", "file"):
        unread["type"] = word
    if unread:
        rest["source"] = unread
    return MediaPart(kind, title=title, cache=cache, extras=keep(rest), **found)


def _decode_source(word: str | None, source: Fields) -> dict[str, str | None] | None:
    """The part's fields for a source, None when it is of a kind no neutral part can hold."""
    match word:
        case "base64":
            return {"media_type": source.text("media_type"), "data": source.required_text("data")}
        case "url":
            return {"url": source.required_text("url")}
        case "file":
            return {"file_id": source.required_text("file_id")}
        case "text":
            return {"media_type": source.text("media_type"), "text": source.required_text("data")}
        case "content":
            content = source.any("content")
            return {"text": content} if isinstance(content, str) else None
        case _:
            return None


_READERS: dict[str, Callable[[Fields, Json], Part]] = {
    "text": _decode_text,
    "thinking": _decode_thinking,
    "redacted_thinking": _decode_redacted,
    "tool_use": _decode_tool_use,
    "tool_result": _decode_tool_result,
    SERVER_CALL: _decode_server_call,
    "mcp_tool_use": _decode_server_call,
    "image": _decode_medium,
    "document": _decode_medium,
}
