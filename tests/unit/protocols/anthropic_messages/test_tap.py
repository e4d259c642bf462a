import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.conversation.usage import Usage
from anykey.protocols.anthropic_messages.stream_encoding import STOP
from anykey.protocols.anthropic_messages.tap import StreamTap, WholeTap


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e, separators=(',', ':'))}\n\n".encode() for e in events)


BEGIN: dict[str, Any] = {
    "type": "message_start",
    "message": {"model": "claude", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}},
}
TEXT_START = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 'the "usage" and "error"'}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
FINAL = {"type": "message_stop"}
WHOLE = sse(BEGIN, {"type": "ping"}, TEXT_START, TEXT, TEXT, {"type": "content_block_stop", "index": 0}, END, FINAL)


def hear(data: bytes, *cuts: int) -> tuple[StreamTap, bytes]:
    tap = StreamTap()
    for left, right in pairwise([0, *cuts, len(data)]):
        chunk = data[left:right]
        assert tap.feed(chunk) is chunk
    return tap, tap.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(WHOLE)), max_size=10).map(sorted), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cut_is_heard_alike(cuts: list[int], line_end: bytes) -> None:
    tap, tail = hear(WHOLE.replace(b"\n", line_end), *cuts)
    report = tap.report
    assert (report.content, report.complete, report.finish, report.model) == (True, True, "stop", "claude")
    assert (report.usage, report.failure) == (Usage(9, output_tokens=5), None)
    assert (report.said_bytes, report.early_usage) == (2 * len('the "usage" and "error"'), False)
    assert not tail.strip()


def test_usage_of_the_start_is_early() -> None:
    for data in (sse(BEGIN, TEXT_START, TEXT), sse(BEGIN, TEXT, END | {"usage": {}}, FINAL)):
        report = hear(data)[0].report
        assert (report.usage, report.early_usage) == (Usage(9, output_tokens=1), True)


EVENTS: list[tuple[dict[str, Any], bool]] = [
    (BEGIN, False),
    ({"type": "ping"}, False),
    (TEXT_START, False),
    (
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        False,
    ),
    ({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}}, False),
    (
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "", "estimated_tokens": 3},
        },
        False,
    ),
    (TEXT, True),
    ({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "x"}}, True),
    ({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}}, True),
    (
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "i", "name": "n", "input": {}},
        },
        True,
    ),
    (
        {"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "d"}},
        True,
    ),
]


@pytest.mark.parametrize(("event", "content"), EVENTS)
def test_what_counts_as_content(event: dict[str, Any], content: bool) -> None:
    assert hear(sse(event))[0].report.content is content


def test_an_error_before_and_after_content_is_heard() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    talks: list[tuple[dict[str, Any], ...]] = [(BEGIN,), (BEGIN, TEXT_START, TEXT)]
    for before in talks:
        tap, tail = hear(sse(*before, error))
        assert tap.report.failure is not None
        assert (tap.report.failure.kind, tap.report.complete, tail) == ("overloaded", False, b"")
    tap, _ = hear(sse(BEGIN) + b'event: error\ndata: {"message":"odd"}\n\n')
    assert tap.report.failure is not None


def test_a_final_event_that_is_missing_is_added() -> None:
    assert hear(sse(BEGIN, TEXT_START, TEXT, END))[1] == STOP
    assert hear(sse(BEGIN, TEXT_START, TEXT, END)[:-2])[1] == b"\n\n" + STOP
    assert hear(WHOLE[:-2])[1] == b"\n\n"
    assert hear(WHOLE)[1] == b""
    assert hear(sse(BEGIN, TEXT_START, TEXT))[1] == b""


def test_an_end_without_usage_is_heard() -> None:
    bare: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}
    assert hear(sse(BEGIN, TEXT_START, TEXT, TEXT) + sse(bare), 300)[0].report.finish == "length"


def test_boundaries() -> None:
    tap = StreamTap()
    assert tap.at_boundary()
    tap.feed(WHOLE[:10])
    assert not tap.at_boundary()
    tap.feed(WHOLE[10:])
    assert tap.at_boundary()


def test_a_call_decides_the_finish() -> None:
    call: dict[str, Any] = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "i", "name": "n", "input": {}},
    }
    assert hear(sse(BEGIN, call, END))[0].report.finish == "tool_calls"


@pytest.mark.parametrize(
    "data",
    [
        b"data: {]\n\n",
        b'data: "\xff"\n\n',
        b"data: []\n\n",
        b"<html>",
        b"\n\n\n",
        sse({"type": "message_start"}),
        sse({"type": "content_block_delta", "delta": 3}),
    ],
)
def test_it_never_raises(data: bytes) -> None:
    report = hear(data)[0].report
    assert (report.content, report.complete, report.failure) == (False, False, None)


def whole(body: bytes) -> WholeTap:
    tap = WholeTap()
    for start in range(0, len(body), 7):
        tap.feed(body[start : start + 7])
    assert not tap.at_boundary()
    assert tap.close() == b""
    return tap


def test_a_whole_answer() -> None:
    body = {
        "type": "message",
        "model": "m",
        "content": [{"type": "tool_use"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    report = whole(json.dumps(body).encode()).report
    assert (report.content, report.complete, report.finish, report.model) == (True, True, "tool_calls", "m")
    assert report.usage == Usage(1, output_tokens=2)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', "overloaded"),
        (b'{"error":{"message":"x"}}', "upstream_error"),
        (b"<html>", "upstream_error"),
        (b'{"usage":3}', "upstream_error"),
        (b"", "upstream_error"),
    ],
)
def test_an_error_in_the_clothes_of_a_success(body: bytes, kind: str) -> None:
    report = whole(body).report
    assert report.failure is not None
    assert (report.failure.kind, report.complete) == (kind, False)


def test_a_null_error_is_none() -> None:
    assert whole(b'{"type":"message","content":[],"error":null}').report.failure is None
