"""Compressed request bodies: gzip, deflate and zstd, opened in pieces so that a bomb ends early.

Codex sends zstd when it talks to a provider it takes for OpenAI. The limit counts what comes out. RFC 9659 lets a zstd window be
8 MB at most, which bounds what one stream makes us hold.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator

import zstandard

from anykey.conversation.failures import Failure, FailureError

THREAD_FROM = 256 * 1024
"""Compressed bytes from which on the opening is done in a thread: the event loop would stand still for milliseconds."""
ZSTD_WINDOW = 8 * 1024 * 1024
OUT_PIECE = 1024 * 1024
ZSTD_IN_PIECE = 512
"""zstd has no bound on what comes out of one call but what goes in: 512 bytes become 16 MB at most."""


async def decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    """``body`` as it was before ``content-encoding: encoding``; at most ``limit`` bytes.

    FailureError: 400 for an encoding that is not taken or data that is broken, 413 for more than ``limit``.
    """
    name = encoding.strip().lower()
    if name in {b"", b"identity"}:
        return body
    pieces = OPENERS.get(name)
    if pieces is None:
        raise _refused(f"{encoding.decode('latin-1')!r} is not accepted; send one of gzip, deflate, zstd, or none")
    if len(body) > THREAD_FROM:
        return await asyncio.to_thread(_open, body, pieces, limit)
    return _open(body, pieces, limit)


def _open(body: bytes, pieces: Callable[[bytes], Iterator[bytes]], limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        for piece in pieces(body):
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


def _gzip(body: bytes) -> Iterator[bytes]:
    """RFC 1952: one member after another."""
    while body:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        yield from _inflate(member, body)
        body = member.unused_data


def _deflate(body: bytes) -> Iterator[bytes]:
    """RFC 9110 §8.4.1.2 means zlib's format; some clients send the bare stream."""
    wrapped = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    yield from _inflate(zlib.decompressobj(wbits=zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS), body)


def _inflate(stream: zlib._Decompress, body: bytes) -> Iterator[bytes]:  # pyright: ignore[reportPrivateUsage] - the type has no public name
    while not stream.eof:
        piece = stream.decompress(body, OUT_PIECE)
        body = stream.unconsumed_tail
        if not piece and not body and not stream.eof:
            raise EOFError("it ends too early")
        yield piece


def _zstd(body: bytes) -> Iterator[bytes]:
    """RFC 8878: one frame after another."""
    source = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    frame = source.decompressobj()
    for start in range(0, len(body), ZSTD_IN_PIECE):
        piece = body[start : start + ZSTD_IN_PIECE]
        while piece:
            if frame.eof:
                frame = source.decompressobj()
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
    if not frame.eof:
        raise EOFError("it ends too early")


OPENERS: dict[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"gzip": _gzip,
    b"x-gzip": _gzip,
    b"deflate": _deflate,
    b"zstd": _zstd,
}


def _refused(why: str) -> FailureError:
    return FailureError(Failure("invalid_request", f"content-encoding: {why}.", param="content-encoding"))
