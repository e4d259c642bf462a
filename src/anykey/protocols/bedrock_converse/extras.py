"""Keys without a neutral field: kept under this protocol's name. Nobody writes Converse to us, so only answers have any."""

from __future__ import annotations

from typing import Any, TypeGuard

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Extras, Json, ProtocolName

NAME: ProtocolName = "bedrock_converse"


def keep(rest: Json) -> Extras:
    """What nobody read of an object, as its struct's ``extras``; nulls say nothing."""
    found = {key: value for key, value in rest.items() if value is not None}
    return {NAME: found} if found else {}


def report(extras: Extras, path: str, log: LossLog) -> None:
    """Name every key of another protocol."""
    if extras:
        log.foreign(extras, NAME, path, "Converse has no such field")


def is_object(value: Any) -> TypeGuard[Json]:
    return type(value) is dict


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list


def object_at(value: Json, key: str) -> Json:
    """The object at ``key``; an empty one where there is none."""
    found = value.get(key)
    return found if is_object(found) else {}


def list_at(value: Json, key: str) -> list[Any]:
    """The array at ``key``; an empty one where there is none."""
    found = value.get(key)
    return found if is_array(found) else []
