"""Tables as TOML text: what an import adds to `anykey.toml`. Only the shapes that file has: texts, numbers, lists, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_CONTROL = re.compile(r'["\\\x00-\x1f\x7f]')


def table_text(section: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """`[section.NAME]` and its keys for each table, an empty line between them."""
    return "\n".join(
        f"[{section}.{key_text(name)}]\n"
        + "".join(f"{key_text(key)} = {value_text(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def key_text(key: str) -> str:
    """A key, in quotes where it must be."""
    return key if _BARE.match(key) else _quoted(key)


def value_text(value: Any) -> str:
    """A value on one line. TypeError for what TOML, or that file, has no shape for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        pairs: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - parsed data
        inner = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in pairs.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        items: tuple[Any, ...] = tuple(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - parsed data
        return f"[{', '.join(map(value_text, items))}]"
    raise TypeError(f"{type(value).__name__} has no place in the configuration")


def _quoted(text: str) -> str:
    return f'"{_CONTROL.sub(_escaped, text)}"'


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
