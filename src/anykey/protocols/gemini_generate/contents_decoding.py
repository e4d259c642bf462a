"""``contents`` and ``systemInstruction``, wire → neutral.

Calls may come without ids, and results name the tool: a call gets an id from its place, the same at every turn, and a result
the id of the first open call of its tool.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.message import Message, Role
from anykey.conversation.parts import Json, MediaPart, OpaquePart, Part, TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.verify import ALLOWED_PARTS
from anykey.protocols.fields import kind_of
from anykey.protocols.gemini_generate.extras import NAME, kept, synthetic_id
from anykey.protocols.gemini_generate.parts_decoding import place_signature, read_part
from anykey.protocols.gemini_generate.spelling import fields_of, is_array, is_object

_SILENCE = TextPart("")
"""What the last chunk of a stream often holds, and programs keep. With a signature it is where that stood."""
_ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "user", "tool": "user"}


def decode_contents(value: Any, path: str = "contents") -> tuple[Message, ...]:
    """An array of contents, one content, or a text. FailureError (400) names what cannot be read."""
    if value is None:
        raise invalid("this field is required", path)
    entries: list[Any] = value if is_array(value) else [value]
    reader = _ContentsReader()
    return tuple([reader.read(entry, index, f"{path}[{index}]") for index, entry in enumerate(entries)])


def decode_instructions(value: Any, path: str = "systemInstruction", left: Json | None = None) -> tuple[Part, ...]:
    """A text, a content, a part, or an array of parts. What a content says besides goes to ``left`` under its path."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (TextPart(value),) if value else ()
    if is_object(value) and (value.get("parts") is not None or value.get("role") is not None):
        content = fields_of(value, path)
        value = content.any("parts")
        content.any("role")
        if left is not None:
            left.update({f"{path}.{key}": item for key, item in content.rest().items()})
        path = f"{path}.parts"
    parts: list[Part] = []
    for index, entry in enumerate(value if is_array(value) else [] if value is None else [value]):
        part = TextPart(entry) if isinstance(entry, str) else read_part(entry, f"{path}[{index}]").part
        if not isinstance(part, TextPart | MediaPart | OpaquePart):
            raise invalid("this part may not stand in the system instruction", f"{path}[{index}]")
        if part != TextPart(""):
            parts.append(part)
    return tuple(parts)


class _ContentsReader:
    """Reads contents in order and remembers the calls that no result has answered yet."""

    __slots__ = ("_made", "_open")

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []  # (id, name)
        self._made: set[str] = set()  # ids that the caller did not give

    def read(self, value: Any, index: int, path: str) -> Message:
        if isinstance(value, str):
            return Message("user", (TextPart(value),))
        if is_object(value) and len(value) == 2 and is_array(wire := value.get("parts")):  # what nearly all of them are
            known = value.get("role")
            if known == "user":
                return Message("user", self._asked(wire, index, f"{path}.parts"))
            if known == "model":
                return Message("assistant", self._said(wire, index, f"{path}.parts"))
        return self._read_other(value, index, path)

    def _read_other(self, value: Any, index: int, path: str) -> Message:
        fields = fields_of(value, path)
        word = fields.text("role") or "user"
        role = _ROLES.get(word)
        if role is None:
            raise invalid(f"expected 'user' or 'model', got {word!r}", f"{path}.role")
        wire = fields.any("parts")
        if wire is not None and not is_array(wire):
            if not is_object(wire):
                raise invalid(f"expected an array, got {kind_of(wire)}", f"{path}.parts")
            wire = [wire]
        read = self._said if role == "assistant" else self._asked
        return Message(role, read(wire or [], index, f"{path}.parts"), extras=kept(fields.rest()))

    def _said(self, wire: list[Any], index: int, path: str) -> tuple[Part, ...]:
        """What the model said."""
        parts: list[Part] = []
        for position, entry in enumerate(wire):
            read = read_part(entry, f"{path}[{position}]")
            part = read.part
            if isinstance(part, ToolCallPart):
                if not part.name:
                    raise invalid("this field is required", f"{path}[{position}].functionCall.name")
                if not part.id:
                    part = msgspec.structs.replace(part, id=synthetic_id(index, position, part.name))
                    read = read._replace(part=part)
                    self._made.add(part.id)
                self._open.append((part.id, part.name))
            elif isinstance(part, ToolResultPart):
                raise invalid("a result may not stand in a content of the model", f"{path}[{position}]")
            if part != _SILENCE or read.signature is not None:
                place_signature(parts, read)
        return tuple(parts)

    def _asked(self, wire: list[Any], index: int, path: str) -> tuple[Part, ...]:
        """What the user said, and what tools answered. A signature here is nobody's state and stays where it is."""
        parts: list[Part] = []
        for position, entry in enumerate(wire):
            part, signature = read_part(entry, f"{path}[{position}]")
            if isinstance(part, ToolResultPart):
                part = self._paired(part, f"{index}.{position}")
            elif not isinstance(part, ALLOWED_PARTS["user"]):
                raise invalid("this part may not stand in a content of the user", f"{path}[{position}]")
            if signature is not None and isinstance(part, TextPart | MediaPart):
                extras = {**part.extras.get(NAME, {}), "thoughtSignature": signature}
                part = msgspec.structs.replace(part, extras=kept(extras))
            parts.append(part)
        return tuple(parts)

    def _paired(self, part: ToolResultPart, place: str) -> ToolResultPart:
        """``part`` with the id of its call; the name is left out where it is that of the call."""
        found = next((call for call in self._open if part.call_id and call[0] == part.call_id), None)
        if found is None:
            alike = (call for call in self._open if call[1] == part.name)
            found = next((call for call in alike if not part.call_id or call[0] in self._made), None)
        if found is None:
            return part if part.call_id else msgspec.structs.replace(part, call_id=synthetic_id(place, part.name))
        self._open.remove(found)
        name = None if found[1] == part.name else part.name
        return msgspec.structs.replace(part, call_id=found[0], name=name)
