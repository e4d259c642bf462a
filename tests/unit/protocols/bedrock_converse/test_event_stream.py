"""The framing, against botocore's reader of the same format, cut in every way and bent in every way."""

import struct
import zlib
from itertools import pairwise
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer  # pyright: ignore[reportMissingTypeStubs] - it has none
from hypothesis import given
from hypothesis import strategies as st

from anykey.protocols.bedrock_converse.event_stream import BrokenFrame, FrameParser, Message
from tests.fakes.eventstream import HeaderValue, answer, event, exception, frame

NAMES = st.text("abcdefghij:-", min_size=1, max_size=20)
VALUES: st.SearchStrategy[HeaderValue] = (
    st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text(max_size=20) | st.binary(max_size=20)
)
FRAMES = st.lists(st.builds(frame, st.dictionaries(NAMES, VALUES, max_size=4), st.binary(max_size=200)), max_size=5)


def parsed(data: bytes, cuts: list[int] | None = None) -> list[Message]:
    parser, found = FrameParser(), list[Message]()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts or []), len(data)]
    for start, end in pairwise(edges):
        found += parser.feed(data[start:end])
    assert not parser.pending()
    return found


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 1000), max_size=12))
def test_any_cut_reads_what_botocore_reads(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    buffer: Any = EventStreamBuffer()
    buffer.add_data(data)
    theirs = [(message.headers, message.payload) for message in buffer]
    assert [(message.headers, message.payload) for message in parsed(data, cuts)] == theirs
    assert len(theirs) == len(frames)


def test_every_byte_may_come_alone() -> None:
    data = answer({"text": "a"}, {"text": "b"})
    assert parsed(data, list(range(len(data)))) == parsed(data)


def test_every_type_of_header_is_read() -> None:
    told = b"".join(
        bytes([1]) + name + bytes([kind]) + value
        for name, kind, value in [
            (b"a", 0, b""),
            (b"b", 1, b""),
            (b"c", 2, b"\xff"),
            (b"d", 3, b"\xff\xfe"),
            (b"e", 4, struct.pack(">i", -3)),
            (b"f", 5, struct.pack(">q", -4)),
            (b"g", 6, b"\x00\x02xy"),
            (b"h", 7, b"\x00\x02hi"),
            (b"i", 8, struct.pack(">q", 1_700_000_000_000)),
            (b"j", 9, bytes(range(16))),
        ]
    )
    (message,) = parsed(framed(told))
    assert message.headers == {
        "a": True, "b": False, "c": -1, "d": -2, "e": -3, "f": -4, "g": b"xy", "h": "hi",
        "i": 1_700_000_000_000, "j": bytes(range(16)),
    }  # fmt: skip
    assert message.text("h") == "hi"
    assert message.text("e") == message.text("none") == ""


def framed(headers: bytes, payload: bytes = b"") -> bytes:
    """A message of these header bytes, its checksums right."""
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return body + struct.pack(">I", zlib.crc32(body))


@given(data=st.data())
def test_a_message_with_one_wrong_byte_is_refused_or_waits_for_more(data: st.DataObject) -> None:
    whole = event("messageStart", {"role": "assistant"})
    at = data.draw(st.integers(0, len(whole) - 1))
    bent = bytearray(whole)
    bent[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BrokenFrame):
        FrameParser().feed(bytes(bent))


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (b"\x01a\x07\x00\x09hi", "end too early"),
        (b"\x01a\x0a", "unknown type"),
        (b"\x01a\x00\x01a\x00", "twice"),
        (b"\x05a", "cannot be read"),
        (b"\x01\xff\x00", "cannot be read"),
        (b"\x01a\x07\x00\x01\xff", "cannot be read"),
    ],
)
def test_headers_that_lie_are_refused(headers: bytes, words: str) -> None:
    with pytest.raises(BrokenFrame, match=words):
        FrameParser().feed(framed(headers))


def prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", zlib.crc32(lengths))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (prelude(16 * 1024 * 1024 + 1, 0), "larger than"),
        (prelude(15, 0), "do not fit"),
        (prelude(20, 5), "do not fit"),
        (prelude(1024 * 1024, 128 * 1024 + 1), "do not fit"),
        (b"HTTP/1.1 200 OK", "prelude"),
    ],
)
def test_a_prelude_is_judged_before_the_rest_comes(data: bytes, words: str) -> None:
    with pytest.raises(BrokenFrame, match=words):
        FrameParser().feed(data)


def test_a_large_message_in_small_reads_is_read_once() -> None:
    data = exception("x", "y" * 2_000_000)
    parser, found = FrameParser(), list[Message]()
    for start in range(0, len(data), 100):  # quadratic copying of 2 MB in 20,000 reads would take minutes
        found += parser.feed(data[start : start + 100])
    assert [len(message.payload) for message in found] == [2_000_000 + len('{"message": ""}')]
    assert not parser.pending()


def test_a_begun_message_is_pending() -> None:
    parser = FrameParser()
    assert not parser.pending()
    assert parser.feed(event("messageStart", {})[:5]) == []
    assert parser.pending()
