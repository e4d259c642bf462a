"""A tool call of a stream while its pieces come in."""

from __future__ import annotations

import msgspec

from anykey.conversation.parts import Json, ToolCallKind


class OpenCall:
    """``index`` is its part, None until its name is known; ``late`` are keys that came after it was told."""

    __slots__ = ("arguments", "extras", "id", "index", "kind", "late", "name", "open")

    def __init__(self, kind: ToolCallKind) -> None:
        self.kind: ToolCallKind = kind
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.extras: Json = {}
        self.late: Json = {}
        self.index: int | None = None
        self.open = False

    def is_whole(self) -> bool:
        """Its arguments are complete: JSON to the last brace (free text is, when nothing else says so, never)."""
        if self.kind == "custom":
            return False
        try:
            msgspec.json.decode("".join(self.arguments))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True
