"""Which shape a piece of parsed JSON has, told so that the type checker knows it too."""

from __future__ import annotations

from typing import Any, TypeGuard

from anykey.conversation.parts import Json


def is_object(value: Any) -> TypeGuard[Json]:
    return type(value) is dict


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list
