"""Tool call ids as this protocol takes them: letters, digits, ``_`` and ``-``, and none twice in a conversation.

Some upstreams name a call by tool and position (``functions.search:0``), so the same id comes back turn after turn. A call gets
a new id where its own cannot stand, and its result follows it; the same conversation always gets the same ids.
"""

from __future__ import annotations

import hashlib


def legal_id(call_id: str) -> str:
    """``call_id`` with every other character as ``_``; an id made of nothing is made from its digest."""
    if call_id.isascii() and call_id.replace("_", "0").replace("-", "0").isalnum():
        return call_id
    cleaned = "".join(char if char.isascii() and (char.isalnum() or char in "_-") else "_" for char in call_id)
    return cleaned if cleaned.strip("_") else f"toolu_{hashlib.sha256(call_id.encode()).hexdigest()[:24]}"


class ToolIds:
    """Maps calls and results in the order in which they stand."""

    __slots__ = ("_last", "_open", "_used")

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._open: dict[str, list[str]] = {}
        self._last: dict[str, str] = {}

    def call(self, call_id: str) -> str:
        """The id of the next call that calls itself ``call_id``."""
        sent = legal = legal_id(call_id)
        number = 2
        while sent in self._used:
            sent = f"{legal}_{number}"
            number += 1
        self._used.add(sent)
        self._open.setdefault(call_id, []).append(sent)
        return sent

    def result(self, call_id: str) -> str:
        """The id of the oldest call of that name without a result, or of the last one."""
        waiting = self._open.get(call_id)
        if waiting:
            self._last[call_id] = waiting.pop(0)
        return self._last.get(call_id) or legal_id(call_id)
