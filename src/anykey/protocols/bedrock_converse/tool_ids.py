"""Tool call ids as every model behind Converse takes them: at most 64 letters, digits, ``_`` and ``-``, none twice.

The service takes ``.`` and ``:`` too, some of its models do not. A call gets a new id where its own cannot stand, its result
follows it, and the same conversation always gets the same ids.
"""

from __future__ import annotations

import hashlib

from anykey.protocols.names import sent_name

ID_LIMIT = 64


class ToolIds:
    """Maps calls and results in the order in which they stand."""

    __slots__ = ("_open", "_sent", "_used")

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._open: dict[str, list[str]] = {}
        self._sent: dict[str, str] = {}

    def call(self, call_id: str) -> str:
        """The id of the next call that calls itself ``call_id``."""
        sent, number = _legal(call_id), 1
        while sent in self._used:
            number += 1
            sent = _legal(f"{call_id}_{number}")
        self._used.add(sent)
        self._open.setdefault(call_id, []).append(sent)
        return sent

    def result(self, call_id: str) -> str:
        """The id of the oldest call of that name without a result, or of the last one."""
        waiting = self._open.get(call_id)
        if waiting:
            self._sent[call_id] = waiting.pop(0)
        return self._sent.get(call_id) or _legal(call_id)


def _legal(call_id: str) -> str:
    """``sent_name`` has the same letters and the same length; an id made of nothing is made from its digest."""
    if call_id:
        return sent_name(call_id, ID_LIMIT)
    return f"call_{hashlib.sha256(b'').hexdigest()[:24]}"
