"""Tool names as an upstream accepts them, and back: a client may use longer names or other letters than its model's provider.

A legal name is sent as it is. Any other becomes its first legal letters and a hash of the whole, the same at every turn, so
that the history and the prompt cache agree; ``calls.CallMap`` gives the caller its own name back.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

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
