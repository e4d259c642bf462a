"""JSON texts are kept compressed: a conversation says the same words many times. For one thread at a time."""

from __future__ import annotations

import zstandard

LEVEL = 3


def pack(data: bytes) -> bytes:
    """``data`` as it is kept; nothing stays nothing."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(data) if data else b""


def unpack(kept: bytes) -> bytes:
    """What was packed. Its size is written in it, so it is read in one piece."""
    return zstandard.ZstdDecompressor().decompress(kept) if kept else b""
