"""Parts of a content, wire → neutral, for requests and answers alike.

A signature that stands on a part belongs to the reasoning before it: it becomes the state of a ``ReasoningPart`` in front of
that part, and ``place`` says where it stood: ``call``, ``text``, ``media``, on the thought itself (``thought``), or alone on an
empty text (``end``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from anykey.conversation.parts import (
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
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.extras import NAME, kept
from anykey.protocols.gemini_generate.media import decode_file, decode_inline, standard_base64
from anykey.protocols.gemini_generate.spelling import camel, is_object, nested

_encode_json = msgspec.json.Encoder().encode
_PLACES: dict[type[Part], str] = {ToolCallPart: "call", TextPart: "text", MediaPart: "media", ReasoningPart: "thought"}
_OPAQUE = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
"""Parts of tools that Google runs: only it can read them, with the signature that may stand on them."""


class PartRead(NamedTuple):
    """One wire part. ``part`` of a call or result that came without an id has the id ``""``. ``signature`` is standard base64."""

    part: Part
    signature: str | None


def read_part(value: Any, path: str) -> PartRead:
    """One entry of ``parts``, its signature apart. FailureError (400) names a field of the wrong type."""
    plain = _plain(value)
    if plain is not None:
        return plain
    wire = camel(value, path)
    for kind in _OPAQUE:
        if wire.get(kind) is not None:
            return PartRead(OpaquePart(NAME, kind, wire), None)
    fields = Fields(wire, path)
    signature = fields.text("thoughtSignature")
    part = _read(fields, wire)
    return PartRead(part, standard_base64(signature) if signature else None)


def _plain(value: Any) -> PartRead | None:
    """The parts that come by the hundred, read at once when they hold nothing but what they must."""
    if not is_object(value):
        return None
    signature = value.get("thoughtSignature")
    if type(signature) is str and signature:
        signature = standard_base64(signature)
    elif signature is not None:
        return None
    if len(value) != (1 if signature is None else 2):
        return None
    part: Part | None = None
    for key, item in value.items():
        if key == "text" and type(item) is str:
            part = TextPart(item)
        elif key == "functionCall" and is_object(item):
            part = _plain_call(item)
        elif key == "functionResponse" and is_object(item):
            part = _plain_result(item)
    return None if part is None else PartRead(part, signature)


def _plain_call(call: Json) -> Part | None:
    call_id, name, args = call.get("id", ""), call.get("name"), call.get("args")
    if type(call_id) is str and type(name) is str and type(args) is dict and len(call) == 2 + ("id" in call):
        return ToolCallPart(call_id, name, _encode_json(args).decode())
    return None


def _plain_result(answer: Json) -> Part | None:
    call_id, name, response = answer.get("id", ""), answer.get("name"), answer.get("response")
    if type(call_id) is str and type(name) is str and is_object(response) and len(answer) == 2 + ("id" in answer):
        text, is_error = _result_text(response)
        return ToolResultPart(call_id, (TextPart(text),) if text else (), is_error, name)
    return None


def _read(fields: Fields, wire: Json) -> Part:
    for kind, read in _READERS.items():
        if wire.get(kind) is not None:
            return read(fields)
    kind = next((key for key, item in wire.items() if item is not None and key != "thoughtSignature"), "")
    return OpaquePart(NAME, kind, wire) if kind else TextPart("")


def _read_text(fields: Fields) -> Part:
    thought, text = fields.flag("thought"), fields.text("text") or ""
    extras = kept(fields.rest())
    return ReasoningPart(text, extras=extras) if thought else TextPart(text, extras=extras)


def _read_call(fields: Fields) -> Part:
    call = nested(fields, "functionCall") or Fields({}, fields.at("functionCall"))
    call_id, name, args = call.text("id"), call.text("name"), call.object("args")
    arguments = "" if args is None else _encode_json(args).decode()
    fields.flag("thought")
    return ToolCallPart(
        call_id or "", name or "", arguments, extras=kept(_beside("functionCall", call.rest(), fields.rest()))
    )


def _read_result(fields: Fields) -> Part:
    answer = nested(fields, "functionResponse") or Fields({}, fields.at("functionResponse"))
    call_id, name = answer.text("id"), answer.required_text("name")
    text, is_error = _result_text(answer.object("response"))
    content: list[TextPart | MediaPart | OpaquePart] = [TextPart(text)] if text else []
    for index, item in enumerate(answer.array("parts") or ()):
        read = read_part(item, f"{answer.at('parts')}[{index}]").part
        content.append(read if isinstance(read, TextPart | MediaPart) else _opaque(item, answer.path))
    extras = kept(_beside("functionResponse", answer.rest(), fields.rest()))
    return ToolResultPart(call_id or "", tuple(content), is_error, name, extras=extras)


def _opaque(item: Any, path: str) -> OpaquePart:
    wire = camel(item, path)
    return OpaquePart(NAME, next(iter(wire), ""), wire)


def _result_text(response: Json | None) -> tuple[str, bool]:
    """(text, is it an error): ``output``, ``result`` or ``error`` where that is all there is; else the object as JSON."""
    if response is None:
        return "", False
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if type(value) is str and key in ("output", "result"):
            return value, False
        if key == "error":
            return value if type(value) is str else _encode_json(value).decode(), True
    return _encode_json(response).decode(), False


def _read_inline(fields: Fields) -> Part:
    return _medium(decode_inline(fields), fields)


def _read_file(fields: Fields) -> Part:
    return _medium(decode_file(fields), fields)


def _medium(part: MediaPart, fields: Fields) -> MediaPart:
    fields.flag("thought")
    rest = fields.rest()
    return msgspec.structs.replace(part, extras=kept({**part.extras.get(NAME, {}), **rest})) if rest else part


def _beside(key: str, inner: Json, rest: Json) -> Json:
    """What nobody read in the object at ``key`` and beside it."""
    return {**{f"{key}.{name}": value for name, value in inner.items()}, **rest} if inner else rest


_READERS: dict[str, Callable[[Fields], Part]] = {
    "functionCall": _read_call,
    "functionResponse": _read_result,
    "text": _read_text,
    "inlineData": _read_inline,
    "fileData": _read_file,
}


def place_signature(parts: list[Part], read: PartRead) -> None:
    """Append ``read``, with its signature as the state of the reasoning before it."""
    part, signature = read
    if signature is None:
        parts.append(part)
        return
    place = "end" if part == TextPart("") else _PLACES.get(type(part), "")
    state = OpaqueState(NAME, signature, place)
    if isinstance(part, ReasoningPart):
        parts.append(msgspec.structs.replace(part, state=state))
        return
    last = parts[-1] if parts else None
    if place != "end" and isinstance(last, ReasoningPart) and last.state is None:
        parts[-1] = msgspec.structs.replace(last, state=state)
    else:
        parts.append(ReasoningPart("", state, redacted=True))
    if place != "end":
        parts.append(part)
