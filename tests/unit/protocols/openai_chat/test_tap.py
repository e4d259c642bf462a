from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.usage import Usage
from anykey.protocols.codec import TapReport
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.tap import StreamTap, note_finish
from anykey.protocols.sse import EVENT_LIMIT
from tests.unit.protocols.openai_chat.samples import DONE, PLAIN, chunk, dump

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE_CHUNK = b"data: " + dump({"id": "c1", "choices": [], "usage": USAGE}) + b"\n\n"
ROLE = chunk({"role": "assistant", "content": "", "refusal": None})
PLAIN_STREAM = ROLE + b": comment\n\n" + chunk({"content": 'say "usage": and "error"'}) + chunk({}, "stop")
SAID = len('say "usage": and "error"')


def listen(*chunks: bytes, hide: bool = False) -> tuple[bytes, TapReport]:
    """What is relayed, and what was heard."""
    tap = CODEC.tap(PLAIN, stream=True, hide_usage=hide)
    out = b"".join([tap.feed(piece) for piece in chunks])
    return out + tap.close(), tap.report


DELTAS: list[tuple[dict[str, Any], bool]] = [
    ({"role": "assistant", "content": ""}, False),
    ({"content": None, "tool_calls": None, "refusal": None}, False),
    ({}, False),
    ({"content": "a"}, True),
    ({"content": [{"type": "text", "text": "a"}]}, True),
    ({"reasoning_content": "a"}, True),
    ({"reasoning": "a"}, True),
    ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, True),
    ({"tool_calls": [{"index": 0}]}, True),
    ({"function_call": {"name": "f"}}, True),
    ({"refusal": "no"}, True),
    ({"audio": {"id": "x"}}, True),
    ({"images": [{}]}, True),
]


@pytest.mark.parametrize(("delta", "content"), DELTAS)
def test_only_real_content_counts(delta: dict[str, Any], content: bool) -> None:
    _, report = listen(chunk(delta))
    assert report.content is content
    assert not report.complete
    assert report.model == "m"


def test_the_end_is_heard_behind_content() -> None:
    out, report = listen(ROLE, chunk({"content": "a"}), chunk({}, "length"), USAGE_CHUNK, DONE)
    assert out == ROLE + chunk({"content": "a"}) + chunk({}, "length") + USAGE_CHUNK + DONE
    assert report == TapReport(True, True, "length", "m", Usage(3, output_tokens=2), said_bytes=1)


def test_an_ordinary_chunk_is_relayed_as_the_same_object() -> None:
    tap = CODEC.tap(PLAIN, stream=True, hide_usage=True)
    piece = chunk({"content": "a"})
    assert tap.feed(piece) is piece
    assert tap.at_boundary()


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@given(st.lists(st.integers(0, 900), max_size=12))
def test_hidden_usage_never_reaches_the_client_whatever_the_cut(line_end: bytes, cuts: list[int]) -> None:
    data = (PLAIN_STREAM + USAGE_CHUNK + DONE).replace(b"\n", line_end)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    out, report = listen(*pieces, hide=True)
    assert out == (PLAIN_STREAM + DONE).replace(b"\n", line_end)
    assert report == TapReport(True, True, "stop", "m", Usage(3, output_tokens=2), said_bytes=SAID)
    assert listen(*pieces) == (data, report)


def test_a_chunk_with_more_than_usage_is_never_hidden() -> None:
    last = chunk({"content": ""}, "stop", usage=USAGE)
    head = b"data: " + dump({"choices": [], "prompt_filter_results": []}) + b"\n\n"
    out, report = listen(head, chunk({"content": "a"}), last, DONE, hide=True)
    assert out == head + chunk({"content": "a"}) + last + DONE
    assert report.usage == Usage(3, output_tokens=2)


@pytest.mark.parametrize("hide", [True, False])
def test_a_missing_mark_of_the_end_is_added(hide: bool) -> None:
    assert listen(PLAIN_STREAM, hide=hide)[0] == PLAIN_STREAM + DONE
    assert listen(PLAIN_STREAM[:-2], hide=hide)[0] == PLAIN_STREAM[:-2] + b"\n\n" + DONE
    assert listen(PLAIN_STREAM, DONE[:-2], hide=hide)[0] == PLAIN_STREAM + DONE[:-2]


def test_a_cut_stream_is_not_complete() -> None:
    data = ROLE + chunk({"content": "a"})
    assert listen(data + b"data: {", hide=True) == (data + b"data: {", TapReport(True, False, None, "m", said_bytes=1))


@pytest.mark.parametrize(
    "record",
    [b'data: {"error":{"message":"busy","code":503}}\n\n', b'event: error\ndata: {"message":"busy"}\n\n'],
)
def test_an_error_in_the_stream_is_heard_and_relayed(record: bytes) -> None:
    for pieces in ([record], [ROLE, record], [ROLE, chunk({"content": "a"}), record]):
        out, report = listen(*pieces)
        assert out == b"".join(pieces)
        assert report.failure is not None
        assert not report.complete


def test_a_half_relayed_event_is_no_place_for_a_keep_alive() -> None:
    tap = CODEC.tap(PLAIN, stream=True, hide_usage=False)
    assert tap.feed(b"data: {") == b"data: {"
    assert not tap.at_boundary()
    tap.feed(b"}\n\n")
    assert tap.at_boundary()


@pytest.mark.parametrize(
    "data", [b"data: nonsense\n\n", b"data: [1]\n\n", b"data: 3\n\n", b"\n\n", b"data: \xff\n\n", b"id: 3\n\n"]
)
def test_it_never_raises_and_relays_what_it_does_not_understand(data: bytes) -> None:
    assert listen(data) == (data, TapReport())
    assert listen(data, hide=True)[0] == data


def test_an_endless_event_is_let_go() -> None:
    tap = StreamTap(PLAIN, hide_usage=True)
    held = b"data: " + b"x" * EVENT_LIMIT
    assert tap.feed(held) == held
    assert tap.feed(b"y") == b"y"


BODIES: list[tuple[Any, TapReport]] = [
    (
        {"model": "m", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": USAGE},
        TapReport(True, True, "stop", "m", Usage(3, output_tokens=2)),
    ),
    (
        {"choices": [{"message": {}}], "x_groq": {"usage": USAGE}},
        TapReport(True, True, None, None, Usage(3, output_tokens=2)),
    ),
    ({"choices": []}, TapReport()),
    ({"id": "x"}, TapReport()),
    ([], TapReport()),
]


@pytest.mark.parametrize(("body", "report"), BODIES)
def test_a_whole_answer_is_read_at_its_end(body: Any, report: TapReport) -> None:
    tap = CODEC.tap(PLAIN, stream=False, hide_usage=False)
    data = dump(body)
    assert (tap.feed(data[:5]), tap.feed(data[5:]), tap.close()) == (data[:5], data[5:], b"")
    assert tap.report == report
    assert not tap.at_boundary()


def test_an_error_in_the_clothes_of_an_answer_is_heard() -> None:
    tap = CODEC.tap(PLAIN, stream=False, hide_usage=False)
    tap.feed(dump({"error": {"message": "slow", "code": 429}}))
    tap.close()
    assert tap.report.failure is not None
    assert tap.report.failure.kind == "rate_limited"
    assert not tap.report.complete


@pytest.mark.parametrize(
    ("word", "finish"), [("stop", "stop"), ("EOS", "stop"), ("odd", "other"), ("", None), (None, None)]
)
def test_the_finish_is_noted_in_neutral_words(word: Any, finish: str | None) -> None:
    report = TapReport()
    note_finish(report, word)
    assert report.finish == finish


def test_the_mark_of_the_end_alone_is_no_answer() -> None:
    _, report = listen(DONE)
    assert not report.complete
