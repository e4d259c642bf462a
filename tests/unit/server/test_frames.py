"""The JSON of a stream's events, whatever the cut."""

import pytest

from anykey.server.frames import Frames

STREAM = b': hello\n\nevent: a\ndata: {"n": 1}\n\ndata: {"n":\ndata: 2}\r\n\r\ndata: [DONE]\n\n: bye\n\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_whole_documents_whatever_the_cut(size: int) -> None:
    frames = Frames()
    found = [event for start in range(0, len(STREAM), size) for event in frames.feed(STREAM[start : start + size])]
    assert found == [b'{"n": 1}', b'{"n":\n2}']
    assert frames.beats == 2


def test_what_was_cut_off_is_dropped_and_the_error_after_it_kept() -> None:
    frames = Frames()
    assert frames.feed(b'data: {"text": "hel') == []
    assert frames.feed(b'\n\ndata: {"error": {}}\n\n') == [b'{"error": {}}']
    assert frames.feed(b"data: \xff\n\n") == []
