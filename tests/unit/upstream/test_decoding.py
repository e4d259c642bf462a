"""Content decoding: whatever the cut, whatever the nesting, in bounded steps."""

import gzip
import time
import zlib
from typing import Any

import brotli  # pyright: ignore[reportMissingTypeStubs] - it ships none
import pytest
import zstandard

from anykey.upstream.decoding import DecodeError, body_decoder

_brotli: Any = brotli
TEXT = b"".join(b"data: line %d of a stream\n\n" % n for n in range(5000))


def _raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data)[2:-4]


ENCODED: dict[str, tuple[bytes, bytes]] = {
    "gzip": (b"gzip", gzip.compress(TEXT)),
    "gzip in members": (b"x-gzip", gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
    "deflate": (b"deflate", zlib.compress(TEXT)),
    "raw deflate": (b"deflate", _raw_deflate(TEXT)),
    "br": (b"br", _brotli.compress(TEXT)),
    "zstd": (b"zstd", zstandard.compress(TEXT)),
    "zstd in frames": (b"zstd", zstandard.compress(TEXT[:99]) + zstandard.compress(TEXT[99:])),
    "both": (b"br, GZIP", gzip.compress(_brotli.compress(TEXT))),
    "identity too": (b"identity, gzip", gzip.compress(TEXT)),
}


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("name", ENCODED)
def test_any_cut_gives_the_text(name: str, size: int) -> None:
    header, data = ENCODED[name]
    decoder = body_decoder(header)
    assert decoder is not None
    out = bytearray()
    for start in range(0, len(data), size):
        for piece in decoder.feed(data[start : start + size]):
            out += piece
    assert bytes(out) == TEXT
    assert decoder.whole


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "br", "zstd", "both"])
def test_a_cut_body_is_not_whole(name: str) -> None:
    header, data = ENCODED[name]
    decoder = body_decoder(header)
    assert decoder is not None
    assert decoder.whole
    assert b"".join(decoder.feed(data[:-5])) != b""
    assert not decoder.whole


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_a_corrupt_body_is_an_error(coding: bytes) -> None:
    decoder = body_decoder(coding)
    assert decoder is not None
    with pytest.raises(DecodeError, match="corrupt"):
        list(decoder.feed(b"\xff this was never encoded, and is long enough to be seen as such" * 20))


@pytest.mark.parametrize(
    ("coding", "data", "largest"),
    [
        (b"gzip", gzip.compress(bytes(64 << 20)), 1 << 20),
        (b"br", _brotli.compress(bytes(64 << 20), quality=1), 2 << 20),
        (b"zstd", zstandard.compress(bytes(256 << 20)), 16 << 20),
    ],
)
def test_a_bomb_comes_out_in_bounded_steps(coding: bytes, data: bytes, largest: int) -> None:
    decoder = body_decoder(coding)
    assert decoder is not None
    sizes = [len(piece) for piece in decoder.feed(data)]
    assert max(sizes) <= largest
    assert sum(sizes) >= 64 << 20


@pytest.mark.parametrize("rest", [b"", b"\x1f"])
def test_large_members_one_after_the_other(rest: bytes) -> None:
    """zlib calls what follows a member of several steps unconsumed and unused both."""
    decoder = body_decoder(b"gzip")
    assert decoder is not None
    members = gzip.compress(b"a" * 3_000_000) + gzip.compress(b"b" * 3_000_000) + rest
    assert b"".join(decoder.feed(members)) == b"a" * 3_000_000 + b"b" * 3_000_000
    assert decoder.whole is not bool(rest)


def test_a_crowd_of_members_costs_no_more_than_its_length() -> None:
    decoder = body_decoder(b"gzip")
    assert decoder is not None
    empty = gzip.compress(b"")
    began = time.process_time()
    assert b"".join(decoder.feed(empty * (1_000_000 // len(empty)))) == b""
    assert time.process_time() - began < 2


def test_what_needs_no_decoding_and_what_cannot_be_decoded() -> None:
    assert body_decoder(b"identity") is None
    assert body_decoder(b"") is None
    with pytest.raises(DecodeError, match="nobody asked for"):
        body_decoder(b"compress")
    with pytest.raises(DecodeError, match="more than twice"):
        body_decoder(b"gzip, gzip, gzip")
