"""Compressed request bodies: gzip, deflate and zstd, opened in pieces so that a bomb ends early.

Codex sends zstd when it talks to a provider it takes for OpenAI. The limit counts what comes out. RFC 9659 lets a zstd window be
8 MB at most, which bounds what one stream makes us hold.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

from anykey.conversation.failures import Failure, FailureError

THREAD_FROM = 256 * 1024
"""Compressed bytes from which on the opening is done in a thread: the event loop would stand still for milliseconds."""
ZSTD_WINDOW = 8 * 1024 * 1024
ZLIB_PIECE, ZSTD_PIECE = 16 * 1024, 512
"""Compressed bytes that are opened at once: either become 16 MB at most."""
MOST_MEMBERS = 4096
"""Streams one after another that one body may be: each costs time to begin, and an empty one is 8 bytes. A file in blocks of
64 KB, as some packers write it, has a quarter of them at the largest size that is taken here by default."""


class _Stream(Protocol):
    """What zlib and zstandard both call a stream that is opened in pieces."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


async def decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    """``body`` as it was before ``content-encoding: encoding``; at most ``limit`` bytes.

    FailureError: 400 for an encoding that is not taken or data that is broken, 413 for more than ``limit``.
    """
    name = encoding.strip().lower()
    if name in {b"", b"identity"}:
        return body
    begin = BEGIN.get(name)
    if begin is None:
        raise _refused(f"{encoding.decode('latin-1')!r} is not accepted; send one of gzip, deflate, zstd, or none")
    if not body:
        return body
    if begin is _deflate and not _is_wrapped(body):
        begin = _bare_deflate
    if len(body) > THREAD_FROM:
        return await asyncio.to_thread(_open, body, begin, limit)
    return _open(body, begin, limit)


def _is_wrapped(body: bytes) -> bool:
    """zlib's two bytes (RFC 1950 §2.2) stand before the stream; some clients send it bare."""
    return body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0


def _open(body: bytes, begin: Callable[[], _Stream], limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        for piece in _pieces(body, begin):
            size += len(piece)
            if size > limit:
                message = (
                    f"The request body is larger than {limit} bytes when it is decompressed, the limit of this gateway."
                )
                raise FailureError(Failure("too_large", message))
            chunks.append(piece)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise _refused(f"the body is not valid compressed data: {error}") from None
    return b"".join(chunks)


def _gzip() -> _Stream:
    """RFC 1952."""
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _deflate() -> _Stream:
    """RFC 9110 §8.4.1.2 means zlib's format."""
    return zlib.decompressobj()


def _bare_deflate() -> _Stream:
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS)


def _zstd() -> _Stream:
    """RFC 8878."""
    return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()


def _pieces(body: bytes, begin: Callable[[], _Stream]) -> Iterator[bytes]:
    """What comes out, one stream after another. Small pieces go in, so that the rest of one is never copied for long."""
    stream, members = begin(), 1
    size = ZSTD_PIECE if begin is _zstd else ZLIB_PIECE
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        while piece:
            if stream.eof:
                stream, members = begin(), members + 1
            if members > MOST_MEMBERS:
                raise EOFError(f"it is more than {MOST_MEMBERS} streams")
            yield stream.decompress(piece)
            piece = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise EOFError("it ends too early")


BEGIN: dict[bytes, Callable[[], _Stream]] = {
    b"gzip": _gzip,
    b"x-gzip": _gzip,
    b"deflate": _deflate,
    b"zstd": _zstd,
}


def _refused(why: str) -> FailureError:
    return FailureError(Failure("invalid_request", f"content-encoding: {why}.", param="content-encoding"))
