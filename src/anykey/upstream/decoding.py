"""Content decoding in bounded steps: gzip, deflate, br and zstd, as streams.

Law: a step gives two megabytes at most (zstd: 16), whatever the input is, so that whoever counts the output can stop a
bomb before it is in memory.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import brotli  # pyright: ignore[reportMissingTypeStubs] - it ships none
import zstandard

_brotli: Any = brotli

_STEP = 1 << 20
# zlib copies what follows a member, so a crowd of small members would cost the square of what is given at once.
_GZIP_SLICE = 16 << 10
# A zstd block is at least 4 bytes and at most 128 KiB when decoded, so a slice of this size gives at most 16 MB.
_ZSTD_SLICE = 512
_ZSTD_WINDOW = 8 << 20  # RFC 9659: the largest window a content-encoding may ask for
_RAW_DEFLATE, _ZLIB, _GZIP = -zlib.MAX_WBITS, zlib.MAX_WBITS, zlib.MAX_WBITS | 16


class DecodeError(ValueError):
    """The body is not what its content-encoding says."""


class _Stage(Protocol):
    """One encoding undone. `whole`: no byte came yet, or the last frame has ended."""

    whole: bool

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class _Gzip:
    """Any number of gzip members one after the other."""

    def __init__(self, window_bits: int = _GZIP) -> None:
        self._window_bits = window_bits
        self._stream = zlib.decompressobj(window_bits)
        self.whole = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _GZIP_SLICE):
            yield from self._members(data[start : start + _GZIP_SLICE])

    def _members(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                self._stream = zlib.decompressobj(self._window_bits)
            self.whole = False
            full = True
            # At the end of a member zlib may name what follows as unconsumed too, and would do so for ever.
            while (full or data) and not self._stream.eof:
                piece = self._stream.decompress(data, _STEP)
                data = self._stream.unconsumed_tail
                full = len(piece) == _STEP
                yield piece
            self.whole = self._stream.eof
            data = self._stream.unused_data


class _Deflate:
    """zlib-wrapped as RFC 9110 says, or raw as some servers send it: the first two bytes tell."""

    def __init__(self) -> None:
        self._start = b""
        self._inner: _Gzip | None = None
        self.whole = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            self.whole = False
            self._start += data
            if len(self._start) < 2:
                return
            data, first, second = self._start, self._start[0], self._start[1]
            wrapped = first & 0x0F == 8 and (first << 8 | second) % 31 == 0
            self._inner = _Gzip(_ZLIB if wrapped else _RAW_DEFLATE)
        yield from self._inner.feed(data)
        self.whole = self._inner.whole


class _Brotli:
    def __init__(self) -> None:
        self._stream: Any = _brotli.Decompressor()
        self.whole = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        piece: bytes = self._stream.process(data, output_buffer_limit=_STEP)
        # It may hold output back although it can "accept more data": only an empty piece means that there is no more.
        while piece and not self._stream.is_finished():
            yield piece
            piece = self._stream.process(b"", output_buffer_limit=_STEP)
        self.whole = self._stream.is_finished()
        yield piece


class _Zstd:
    """Any number of frames one after the other."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._context.decompressobj()
        self.whole = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            rest = data[start : start + _ZSTD_SLICE]
            while rest:
                if self._frame.eof:
                    self._frame = self._context.decompressobj()
                yield self._frame.decompress(rest)
                self.whole = self._frame.eof
                rest = self._frame.unused_data if self._frame.eof else b""


_STAGES: dict[str, Callable[[], _Stage]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}


class BodyDecoder:
    """Undoes a whole content-encoding header, the last named coding first."""

    def __init__(self, codings: list[str]) -> None:
        self._codings = codings
        self._stages = [_STAGES[coding]() for coding in reversed(codings)]

    @property
    def whole(self) -> bool:
        """The body may end here."""
        return all(stage.whole for stage in self._stages)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded pieces of `data`, computed as they are asked for; some are empty. DecodeError when corrupt."""
        pieces: Iterable[bytes] = (data,)
        for stage in self._stages:
            pieces = _through(stage, pieces)
        try:
            yield from pieces
        except (zlib.error, _brotli.error, zstandard.ZstdError) as error:
            raise DecodeError(f"the {', '.join(self._codings)} body is corrupt") from error


def _through(stage: _Stage, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield from stage.feed(piece)


def body_decoder(content_encoding: bytes) -> BodyDecoder | None:
    """A decoder for this header, None when the body is as it is; DecodeError for a coding that is not known."""
    named = [coding.strip() for coding in content_encoding.decode("latin-1").lower().split(",")]
    codings = [coding for coding in named if coding not in {"", "identity"}]
    if not all(coding in _STAGES for coding in codings):
        raise DecodeError("the body has a content-encoding that nobody asked for")
    if len(codings) > 2:
        raise DecodeError("the body is encoded more than twice")
    return BodyDecoder(codings) if codings else None
