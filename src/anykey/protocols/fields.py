"""Reads a JSON object field by field and remembers what nobody read.

``null`` is the same as absent, as it is for every provider. A field of the wrong type is the caller's fault and is named by
its path. What is left unread at the end is either kept for the same protocol (``extras``) or reported as a Loss.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.conversation.parts import Json

_WORDS = {
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "str": "a string",
    "list": "an array",
    "dict": "an object",
}


class Fields:
    """A cursor over one object. ``path`` is where the object stands in the body (``messages[0]``), ``""`` for the body."""

    __slots__ = ("_left", "path")

    def __init__(self, value: Any, path: str = "") -> None:
        if type(value) is not dict:
            raise invalid(f"expected an object, got {kind_of(value)}", path or None)
        self._left: Json = dict(value)  # pyright: ignore[reportUnknownArgumentType] - keys of parsed JSON are strings
        self.path = path

    def at(self, key: str) -> str:
        """The path of ``key`` in this object."""
        return f"{self.path}.{key}" if self.path else key

    def any(self, key: str) -> Any:
        return self._left.pop(key, None)

    def text(self, key: str) -> str | None:
        value = self._left.pop(key, None)
        if value is None or type(value) is str:
            return value
        raise invalid(f"expected a string, got {kind_of(value)}", self.at(key))

    def required_text(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise invalid("this field is required", self.at(key))
        return value

    def flag(self, key: str) -> bool | None:
        value = self._left.pop(key, None)
        if value is None or type(value) is bool:
            return value
        raise invalid(f"expected true or false, got {kind_of(value)}", self.at(key))

    def integer(self, key: str) -> int | None:
        value = self._left.pop(key, None)
        if value is None or type(value) is int:
            return value
        if type(value) is float and value.is_integer():
            return int(value)
        raise invalid(f"expected an integer, got {kind_of(value)}", self.at(key))

    def count(self, key: str) -> int | None:
        """An integer of at least 1."""
        value = self.integer(key)
        if value is not None and value < 1:
            raise invalid("must be at least 1", self.at(key))
        return value

    def number(self, key: str) -> float | None:
        value = self._left.pop(key, None)
        if value is None or type(value) is float or type(value) is int:
            return value
        raise invalid(f"expected a number, got {kind_of(value)}", self.at(key))

    def object(self, key: str) -> Json | None:
        value = self._left.pop(key, None)
        if value is None or type(value) is dict:
            return value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        raise invalid(f"expected an object, got {kind_of(value)}", self.at(key))

    def array(self, key: str) -> list[Any] | None:
        value = self._left.pop(key, None)
        if value is None or type(value) is list:
            return value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        raise invalid(f"expected an array, got {kind_of(value)}", self.at(key))

    def nested(self, key: str) -> Fields | None:
        """A cursor over the object at ``key``, None when it is absent."""
        value = self.object(key)
        return None if value is None else Fields(value, self.at(key))

    def rest(self) -> Json:
        """What nobody read, nulls left out."""
        return {key: value for key, value in self._left.items() if value is not None}


def kind_of(value: Any) -> str:
    """The JSON word for a parsed value's type."""
    if value is None:
        return "null"
    return _WORDS.get(type(value).__name__, "an unknown value")


def parse_json(body: bytes) -> Any:
    """The parsed body. FailureError (400) names the byte where it stops being JSON, or says that it nests too deeply."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error, body) from None


def peek_json(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """``decoder``'s typed view of the body, with the same faults as ``parse_json`` and wrong types named by field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$.")
        field = where.rstrip("`") or None
        if "missing required field" in text:
            field = text.rsplit("`", 2)[-2]
            raise invalid("this field is required", field) from None
        raise invalid(text.replace("`", ""), field) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error, body) from None


def _not_json(error: Exception, body: bytes) -> FailureError:
    match error:
        case UnicodeDecodeError():
            reason = f"invalid UTF-8 (byte {error.start})"
        case RecursionError():
            reason = "it nests too deeply"
        case _ if "truncated" in str(error):
            reason = f"it ends too early (byte {len(body)})"
        case _:
            reason = str(error).removeprefix("JSON is malformed: ")
    return FailureError(Failure("invalid_request", f"The request body is not valid JSON: {reason}"))
