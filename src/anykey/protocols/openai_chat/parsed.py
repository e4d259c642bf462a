"""Looks at parsed JSON whose shape nobody promised, with types."""

from __future__ import annotations

from typing import Any, TypeGuard

from anykey.conversation.parts import Json


def is_object(value: Any) -> TypeGuard[Json]:
    """``value`` is a JSON object."""
    return isinstance(value, dict)


def list_of(value: Any) -> list[Any]:
    """``value`` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - parsed JSON


def objects_of(value: Any) -> list[Json]:
    """The objects of an array; anything else is passed over."""
    return [entry for entry in list_of(value) if is_object(entry)]


def text_of(value: Any) -> str | None:
    """``value`` if it is text, else None."""
    return value if isinstance(value, str) else None
