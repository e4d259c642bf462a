"""Compressed bodies: what comes out, and what does not."""

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard

from anykey.conversation.failures import FailureError
from anykey.server import decompression as module
from anykey.server.decompression import decompress

TEXT = b'{"model": "test-model", "input": "' + bytes(range(32, 127)) * 500 + b'"}'


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"x-gzip": gzip.compress,
    b"GZIP": gzip.compress,
    b"deflate": zlib.compress,
    b" deflate": bare_deflate,
    b"zstd": zstandard.compress,
}
BROKEN = "content-encoding: the body is not valid compressed data"


@pytest.mark.parametrize("encoding", PACKERS)
async def test_what_was_packed_comes_out(encoding: bytes) -> None:
    packed = PACKERS[encoding](TEXT)
    assert len(packed) < len(TEXT)
    assert await decompress(packed, encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", PACKERS)
async def test_a_bomb_ends_early(encoding: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 MB of zeros are given up long before they are there."""
    monkeypatch.setattr(module, "ZLIB_PIECE", 1000)
    packed = PACKERS[encoding](b"\0" * 50_000_000)
    with pytest.raises(FailureError, match="larger than 5000 bytes when it is decompressed") as caught:
        await decompress(packed, encoding, 5000)
    assert caught.value.failure.kind == "too_large"


@pytest.mark.parametrize("encoding", PACKERS)
async def test_what_ends_too_early_is_broken(encoding: bytes) -> None:
    packed = PACKERS[encoding](TEXT)
    assert await decompress(b"", encoding, 1) == b""  # nothing at all is an empty body
    for end in (1, len(packed) // 2, len(packed) - 1):
        with pytest.raises(FailureError, match=BROKEN):
            await decompress(packed[:end], encoding, len(TEXT))


@pytest.mark.parametrize("encoding", PACKERS)
async def test_what_was_never_packed_is_broken(encoding: bytes) -> None:
    with pytest.raises(FailureError, match=BROKEN):
        await decompress(TEXT, encoding, len(TEXT))


@pytest.mark.parametrize("encoding", [b"gzip", b"zstd"])
async def test_members_follow_each_other(encoding: bytes) -> None:
    pack = PACKERS[encoding]
    assert await decompress(pack(b"one") + pack(b"two"), encoding, 6) == b"onetwo"


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"zstd"])
async def test_a_crowd_of_empty_members_is_refused(encoding: bytes) -> None:
    """Each is a few bytes that cost much more to begin than to send."""
    crowd = PACKERS[encoding](b"") * 100_000
    with pytest.raises(FailureError, match=f"{BROKEN}: it is more than 4096 streams"):
        await decompress(crowd, encoding, 10)


async def test_as_many_blocks_as_packers_write_are_taken() -> None:
    block = b"x" * 100
    assert await decompress(gzip.compress(block) * 4096, b"gzip", 4096 * 100) == block * 4096


async def test_a_large_body_is_opened_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "THREAD_FROM", 10)
    assert await decompress(gzip.compress(TEXT), b"gzip", len(TEXT)) == TEXT
    with pytest.raises(FailureError, match=BROKEN):
        await decompress(b"x" * 100, b"gzip", 100)


async def test_a_window_that_is_too_large_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=25, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(TEXT) + packer.flush()
    with pytest.raises(FailureError, match=BROKEN):
        await decompress(packed, b"zstd", len(TEXT))


@pytest.mark.parametrize("encoding", [b"br", b"gzip, zstd", b"gzip,gzip", b"magic"])
async def test_other_encodings_are_named(encoding: bytes) -> None:
    with pytest.raises(FailureError, match="is not accepted; send one of gzip, deflate, zstd") as caught:
        await decompress(b"", encoding, 10)
    assert (caught.value.failure.kind, caught.value.failure.param) == ("invalid_request", "content-encoding")
    assert encoding.decode() in caught.value.failure.message


@pytest.mark.parametrize("encoding", [b"identity", b"Identity", b""])
async def test_no_encoding_leaves_the_body(encoding: bytes) -> None:
    assert await decompress(TEXT, encoding, 10) is TEXT
