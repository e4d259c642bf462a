"""Frames: the same whatever the cut, known by their type, renumbered without losing a byte of the rest."""

import json

import msgspec
import pytest

from anykey.exchange.responses.frames import (
    FrameCutter,
    data_of,
    event,
    frame_of,
    kind_of,
    numbered,
    raw,
    read_fields,
)

STREAM = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n'
    b": keep-alive\n\n"
    b'event: response.output_text.delta\ndata: {"delta":"a\\n\\nb","sequence_number":1}\n\n'
)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_any_cut_gives_the_same_frames(end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    whole = FrameCutter().feed(stream)
    assert (b"".join(whole), len(whole)) == (stream, 3)
    for cut in range(len(stream)):
        cutter = FrameCutter()
        assert cutter.feed(stream[:cut]) + cutter.feed(stream[cut:]) == whole
        assert cutter.tail == b""


def test_a_type_is_read_from_either_line() -> None:
    assert kind_of(b"event: response.failed\ndata: {}\n\n") == b"response.failed"
    assert kind_of(b'data: {"type":"response.completed"}\n\n') == b"response.completed"
    assert kind_of(b"event:response.failed\r\ndata: {}\r\n\r\n") == b"response.failed"
    for other in (b": comment\n\n", b"data: [DONE]\n\n", b"data: {broken\n\n", b"\n\n", b"data: {}\n\n"):
        assert kind_of(other) == b""


def test_an_event_is_written_and_read() -> None:
    frame = event(b"response.queued", 1, b'{"id":"resp_1"}')
    assert kind_of(frame) == b"response.queued"
    told = {"type": "response.queued", "sequence_number": 1, "response": {"id": "resp_1"}}
    assert json.loads(data_of(frame)) == told
    assert read_fields(data_of(b"data: [1]\n\n")) is None
    assert frame_of(b"x", {"n": raw(1.5)}) == b'event: x\ndata: {"n":1.5}\n\n'


def test_only_the_number_changes() -> None:
    frame = b'event: x\ndata: {"type":"x","sequence_number":7,"delta":"\\"sequence_number\\":3","big":1.50}\n\n'
    assert numbered(frame, 12) == frame.replace(b'number":7', b'number":12')
    for other in (b": comment\n\n", b'data: {"a":1}\n\n'):
        assert numbered(other, 12) == other
    assert msgspec.json.decode(data_of(numbered(b'data: {"sequence_number":1}\n\n', 2))) == {"sequence_number": 2}
