"""The two spellings of a key: Google's servers read ``functionCall`` and ``function_call`` alike, and its SDKs write both.

Only keys of the protocol are respelled, never those of the user's own data (arguments, schemas' properties, labels). What
nobody reads of an object keeps its camelCase key; what is inside it stays as it came.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from anykey.conversation.failures import invalid
from anykey.conversation.parts import Json
from anykey.protocols.fields import Fields, kind_of


def is_object(value: Any) -> TypeGuard[Json]:
    """``value`` is a JSON object."""
    return type(value) is dict


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """``value`` is a JSON array."""
    return type(value) is list


def camel(value: Any, path: str) -> Json:
    """The object ``value`` with camelCase keys: the same object where they are. FailureError (400) if it is no object or says
    one field twice."""
    if not is_object(value):
        raise invalid(f"expected an object, got {kind_of(value)}", path or None)
    for key in value:
        if "_" in key:
            return _respelled(value, path)
    return value


def _respelled(value: Json, path: str) -> Json:
    out: Json = {}
    for key, item in value.items():
        name = camel_key(key)
        if name in out:
            raise invalid("this field is given in both spellings", f"{path}.{name}" if path else name)
        out[name] = item
    return out


def camel_key(key: str) -> str:
    """``function_call`` → ``functionCall``; a key that begins with ``_`` is nobody's and stays."""
    if "_" not in key or key[0] == "_":
        return key
    first, *others = key.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def fields_of(value: Any, path: str) -> Fields:
    """A cursor over the object ``value`` in either spelling."""
    return Fields(camel(value, path), path)


def nested(fields: Fields, key: str) -> Fields | None:
    """A cursor over the object at ``key`` in either spelling, None when it is absent."""
    value = fields.object(key)
    return None if value is None else fields_of(value, fields.at(key))
