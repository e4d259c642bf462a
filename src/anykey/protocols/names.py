"""Tool names as an upstream accepts them, and back: a client may use longer names or other letters than its model's provider.

A legal name is sent as it is. Any other becomes its first legal letters and a hash of the whole, the same at every turn, so
that the history and the prompt cache agree; ``NameMap`` gives the caller its own name back.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from anykey.conversation.parts import ToolCallPart
from anykey.conversation.request import GenerateRequest

LIMITS = (64, 128)
"""Chat takes 64 characters of ``[a-zA-Z0-9_-]``, Messages 128."""

_HASH_LENGTH = 8


@lru_cache(maxsize=4096)  # an agent sends the same names at every turn, seventy times a request
def sent_name(name: str, limit: int = 64) -> str:
    """``name`` if it is legal, else 55 of its characters (``limit`` - 9) with ``_`` for illegal ones, ``_`` and 8 hex digits."""
    if len(name) <= limit and _is_legal(name):
        return name
    kept = "".join(letter if _is_legal(letter) else "_" for letter in name[: limit - _HASH_LENGTH - 1])
    return f"{kept}_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:_HASH_LENGTH]}"


def _is_legal(text: str) -> bool:
    return text.isascii() and text.replace("_", "a").replace("-", "a").isalnum()


class NameMap:
    """The names of one request that had to be changed. False when there are none. ``limit`` None covers every protocol's."""

    __slots__ = ("_originals",)

    def __init__(self, request: GenerateRequest, limit: int | None = None) -> None:
        names = {tool.name for tool in request.tools if tool.name}
        names.update(part.name for m in request.messages for part in m.parts if isinstance(part, ToolCallPart))
        limits = LIMITS if limit is None else (limit,)
        self._originals = {
            sent: name for length in limits for name in names if (sent := sent_name(name, length)) != name
        }

    def __len__(self) -> int:
        return len(self._originals)

    def original(self, sent: str) -> str:
        """The caller's name of the tool that the upstream calls ``sent``."""
        return self._originals.get(sent, sent)
