"""The contents of Gemini as turns, and what its API refuses in them.

Law: pure. A thought signature that comes back must be the demo model's own, on the part that had it; since the user last
spoke, the first call of every model turn must have one. `skip_thought_signature_validator` stands in for one, as at
Google, but not with the strict model. Calls follow a user turn or results, and every call has its result.
"""

import json
import re
from itertools import pairwise
from typing import Any, NamedTuple

from anykey.demo.fields import Object, object_field, objects_field, required_text, text_field
from anykey.demo.prompt import BadRequestError, Role, Turn
from anykey.demo.signing import signed_answer

_SENTINEL = "skip_thought_signature_validator"
_ROLES: dict[str, Role] = {"user": "user", "function": "user", "model": "assistant"}
_CAPITAL = re.compile(r"_([a-z])")


class _Turn(NamedTuple):
    """All that one side said in a row; `spoken`: the last of it is no tool's result."""

    role: str
    parts: list[Object]
    spoken: bool = False


def camel(value: Object) -> Object:
    """The object with its own keys in camelCase: the API reads snake_case too."""
    return {_CAPITAL.sub(lambda found: found.group(1).upper(), name): inner for name, inner in value.items()}


def parts_of(content: Object) -> list[Object]:
    """The parts of a content, their keys in camelCase."""
    return [camel(part) for part in objects_field(content, "parts")]


def said_in(content: Object) -> str:
    """The text of a content, thoughts left out, a part a line."""
    texts = (text_field(part, "text") for part in parts_of(content) if part.get("thought") is not True)
    return "\n".join(text for text in texts if text)


def turn_of(content: Object) -> Turn:
    """A content in the script's terms."""
    role = text_field(content, "role") or "user"
    if role not in _ROLES:
        raise BadRequestError("Please use a valid role: user, model.")
    parts = parts_of(content)
    results = tuple(_result(object_field(part, "functionResponse")) for part in parts if "functionResponse" in part)
    media = sum("inlineData" in part or "fileData" in part for part in parts)
    return Turn(_ROLES[role], said_in(content), results, media)


def check_contents(contents: list[Object], *, strict: bool) -> None:
    """Raise BadRequestError for what the API would refuse; `strict` takes nothing in place of a signature."""
    for place, content in enumerate(contents):
        for number, part in enumerate(parts_of(content)):
            signature = text_field(part, "thoughtSignature")
            if signature and signature != _SENTINEL and signed_answer(*_signed(part, signature)) is None:
                raise BadRequestError(f"contents[{place}].parts[{number}]: Thought signature is not valid.")
    turns = _turns(contents)
    for before, turn in pairwise([_Turn("user", []), *turns]):
        _check_order(before.parts, turn.parts)
    spoken = [place for place, turn in enumerate(turns) if turn.role == "user" and turn.spoken]
    for place in range(spoken[-1] if spoken else 0, len(turns)):
        _check_first_call(turns[place].parts, place, strict=strict)


def words_signed(part: Object) -> str:
    """What a signature on this part stands for: the name of the call, nothing on a text."""
    return text_field(object_field(part, "functionCall"), "name")


def _signed(part: Object, signature: str) -> tuple[Any, str, str]:
    return "thought_signature", signature, words_signed(part)


def _turns(contents: list[Object]) -> list[_Turn]:
    """The contents with those of one side in a row put together: the SDK's chats keep every streamed piece for itself."""
    turns: list[_Turn] = []
    for content in contents:
        parts, role = parts_of(content), "model" if content.get("role") == "model" else "user"
        if not turns or turns[-1].role != role:
            turns.append(_Turn(role, []))
        turns[-1].parts.extend(parts)
        turns[-1] = turns[-1]._replace(spoken=not _count(parts, "functionResponse"))
    return turns


def _check_order(before: list[Object], parts: list[Object]) -> None:
    if _count(parts, "functionCall") and not before:
        raise BadRequestError(
            "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
        )
    if _count(parts, "functionResponse") != _count(before, "functionCall"):
        raise BadRequestError(
            "Please ensure that the number of function response parts is equal to the number of function call parts of the "
            "function call turn."
        )


def _check_first_call(parts: list[Object], place: int, *, strict: bool) -> None:
    first = next((part for part in parts if "functionCall" in part), None)
    if first is None:
        return
    signature = text_field(first, "thoughtSignature")
    if not signature or (strict and signature == _SENTINEL):
        name = required_text(object_field(first, "functionCall"), "name")
        raise BadRequestError(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
            f"correctly. Additional data, function call `{name}`, position {place + 1}."
        )


def _count(parts: list[Object], kind: str) -> int:
    return sum(kind in part for part in parts)


def _result(response: Object) -> str:
    """The text in a function's result: under `output`, `result` or `error`, else all of it as JSON."""
    required_text(response, "name")
    told = object_field(response, "response")
    for name in ("output", "result", "error"):
        if isinstance(told.get(name), str):
            return told[name]
    return json.dumps(told, ensure_ascii=False)
