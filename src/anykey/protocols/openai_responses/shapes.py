"""Which shape a piece of parsed JSON has, told so that the type checker knows it too."""

from __future__ import annotations

from typing import Any, TypeGuard

from anykey.conversation.parts import Json


def is_object(value: Any) -> TypeGuard[Json]:
    """``value`` is a JSON object."""
    return type(value) is dict


def list_of(value: Any) -> list[Any]:
    """``value`` if it is an array, else an empty one."""
    return value if type(value) is list else []  # pyright: ignore[reportUnknownVariableType] - parsed JSON


def text_of(value: Any) -> str | None:
    """``value`` if it is text, else None."""
    return value if type(value) is str else None
