"""The event stream parser: any cut of the same bytes gives the same events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.protocols.sse import EventTooLarge, SseEvent, SseParser, data_of

CASES = {
    b"data: a\n\n": [SseEvent(b"", b"a")],
    b"data:a\r\n\r\ndata:b\r\rdata: c\n\n": [SseEvent(b"", b"a"), SseEvent(b"", b"b"), SseEvent(b"", b"c")],
    b"\xef\xbb\xbfdata: a\n\n": [SseEvent(b"", b"a")],
    b"event: x\ndata: 1\ndata: 2\nid: 7\nretry: 5\n\n": [SseEvent(b"x", b"1\n2")],
    b": ping\n\n: ping\ndata: a\n\n": [SseEvent(b"", b"a")],
    b"\n\n\ndata: a\n\n\n\ndata: b\n\n": [SseEvent(b"", b"a"), SseEvent(b"", b"b")],
    b"event: only\n\ndata\n\n": [SseEvent(b"", b"")],
    b"data: unfinished\n": [],
    "data: é漢\r\n\r\n".encode(): [SseEvent(b"", "é漢".encode())],
}


@pytest.mark.parametrize(("raw", "events"), CASES.items())
def test_whole(raw: bytes, events: list[SseEvent]) -> None:
    assert SseParser().feed(raw) == events


@pytest.mark.parametrize(("raw", "events"), CASES.items())
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_cut_at_every_place(raw: bytes, events: list[SseEvent], size: int) -> None:
    parser = SseParser()
    assert [event for at in range(0, len(raw), size) for event in parser.feed(raw[at : at + size])] == events


pieces = st.lists(
    st.sampled_from(
        [b"data: x", b"data:", b"\n", b"\r", b"\r\n", b": c", b"event: e", b"\xc3", b"\xa9", b"\xef\xbb\xbf"]
    )
)


@given(pieces, st.data())
def test_no_cut_changes_anything(lines: list[bytes], data: st.DataObject) -> None:
    raw = b"".join(lines)
    whole = SseParser()
    expected = whole.feed(raw)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    cut = SseParser()
    found = [event for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True) for event in cut.feed(raw[a:b])]
    assert found == expected
    assert cut.comments == whole.comments
    assert cut.pending() == whole.pending()


def test_an_event_over_the_limit_is_refused() -> None:
    parser = SseParser(limit=100)
    parser.feed(b"data: " + b"x" * 80)
    with pytest.raises(EventTooLarge):
        parser.feed(b"x" * 40)


def test_pending_tells_whether_an_event_has_begun() -> None:
    parser = SseParser()
    parser.feed(b"data: a\n\n")
    assert not parser.pending()
    parser.feed(b"data: b")
    assert parser.pending()


def test_the_data_of_whole_events_by_line() -> None:
    assert [line.strip() for line in data_of(b"data: a\n\n")] == [b"a"]
    events = b": x\n\nevent: y\ndata: a\nid: 7\n\ndata:b\n\n"
    for line_end in (b"\n", b"\r\n", b"\r"):
        assert [line.strip() for line in data_of(events.replace(b"\n", line_end))] == [b"a", b"b"]
    assert data_of(b"") == data_of(b"\n\n") == []
