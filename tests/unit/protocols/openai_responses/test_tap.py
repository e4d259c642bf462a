import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.usage import Usage
from anykey.protocols.codec import TapReport
from anykey.protocols.openai_responses.tap import StreamTap, WholeTap
from anykey.protocols.sse import EVENT_LIMIT
from tests.unit.protocols.openai_responses.wire import CREATED, PLAIN, done, dump, frame, message, response, text

USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
DELTA = frame("response.output_text.delta", output_index=0, delta='say "response.completed" and "type":"error"')
SAID = len('say "response.completed" and "type":"error"')
SHELLS = (
    CREATED
    + frame("response.output_item.added", output_index=0, item=message())
    + frame("response.content_part.added", output_index=0, content_index=0, part=text(""))
    + frame("response.output_text.delta", output_index=0, delta="")
)
END = done(message(text("a")), usage=USAGE)
STREAM = SHELLS + b": comment\n\n" + DELTA + END


def listen(*chunks: bytes) -> tuple[bytes, TapReport]:
    tap = StreamTap(PLAIN)
    out = b"".join([tap.feed(chunk) for chunk in chunks])
    return out + tap.close(), tap.report


def test_lifecycle_frames_are_no_content() -> None:
    assert listen(SHELLS)[1] == TapReport(model="m")


@pytest.mark.parametrize(
    "data",
    [
        frame("response.output_text.delta", delta="a"),
        frame("response.function_call_arguments.delta", delta="a"),
        frame("response.reasoning_summary_text.delta", delta="a"),
        frame("response.output_item.added", item={"type": "function_call"}),
        frame("response.output_item.done", item=message()),
    ],
)
def test_real_content_counts(data: bytes) -> None:
    report = listen(SHELLS, data)[1]
    assert report.content
    assert not report.complete


def test_the_end_is_heard() -> None:
    out, report = listen(STREAM)
    assert out == STREAM
    assert report == TapReport(True, True, "stop", "m", Usage(3, output_tokens=2), said_bytes=SAID)


@given(st.integers(1, 300))
def test_any_cut_is_heard_alike(size: int) -> None:
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert listen(*pieces) == listen(STREAM)


def test_carriage_returns_and_bare_data_lines() -> None:
    bare = STREAM.replace(b"\n", b"\r\n")
    assert listen(bare)[1] == listen(STREAM)[1]
    named = b"".join(line + b"\n" for line in STREAM.split(b"\n")[:-1] if not line.startswith(b"event:"))
    assert listen(named)[1] == listen(STREAM)[1]


def test_an_ordinary_chunk_is_relayed_as_the_same_object() -> None:
    tap = StreamTap(PLAIN)
    assert tap.feed(DELTA) is DELTA
    half = DELTA[:20]
    assert tap.feed(half) is half
    assert not tap.at_boundary()
    tap.feed(DELTA[20:])
    assert tap.at_boundary()
    assert not tap.report.complete


def test_the_last_event_may_lack_its_blank_line() -> None:
    out, report = listen(STREAM[:-2])
    assert out == STREAM
    assert report.complete


@pytest.mark.parametrize(
    "data",
    [
        frame("response.failed", response=response(status="failed", error={"code": "server_error", "message": "x"})),
        frame("error", error={"code": "server_error", "message": "x"}),
        b'event: error\ndata: {"error":{"code":"server_error","message":"x"}}\n\n',
        b'data: {"type": "error", "code": "server_error", "message": "x"}\n\n',
    ],
)
def test_a_failure_is_heard(data: bytes) -> None:
    for before in (b"", SHELLS + DELTA):
        report = listen(before, data)[1]
        assert report.failure is not None
        assert (report.failure.kind, report.failure.message) == ("upstream_error", "x")
        assert not report.complete


def test_a_bare_error_is_followed_by_the_failed_response_it_stands_for() -> None:
    bare = frame("error", code="server_error", message="x")
    failed = frame(
        "response.failed", response=response(status="failed", error={"code": "server_error", "message": "x"})
    )
    for chunks in ((bare,), (bare[:30], bare[30:]), (bare.rstrip(),)):
        out = listen(SHELLS + DELTA, *chunks)[0]
        assert out.startswith(SHELLS + DELTA + bare)
        name, data = out.removeprefix(SHELLS + DELTA + bare).rstrip().split(b"\n")
        told = json.loads(data.removeprefix(b"data: "))["response"]
        assert name == b"event: response.failed"
        assert (told["id"], told["status"], told["error"]["message"]) == ("resp_1", "failed", "x")
    assert listen(SHELLS + DELTA, bare + failed)[0] == SHELLS + DELTA + bare + failed


def test_what_cannot_be_read_is_relayed_all_the_same() -> None:
    broken = b"data: {\n\ndata: []\n\n" + b"x" * 10 + b"\n\n"
    assert listen(broken, END)[0] == broken + END
    assert listen(broken, END)[1].complete


def test_an_endless_event_does_not_fill_the_memory() -> None:
    tap = StreamTap(PLAIN)
    huge = b"x" * (EVENT_LIMIT + 1)
    assert tap.feed(huge) is huge
    assert tap.at_boundary()


def whole(data: bytes) -> TapReport:
    tap = WholeTap(PLAIN)
    assert tap.feed(data) == data
    assert not tap.at_boundary()
    assert tap.close() == b""
    return tap.report


def test_a_whole_answer_is_heard() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    report = whole(dump(response(call, usage=USAGE)))
    assert report == TapReport(True, True, "tool_calls", "m", Usage(3, output_tokens=2), None)
    refused = whole(dump(response(message({"type": "refusal", "refusal": "no"}))))
    assert refused.finish == "refusal"


def test_a_whole_failure_is_heard() -> None:
    failed = whole(dump(response(status="failed", error={"code": "server_error", "message": "x"})))
    assert failed.failure is not None
    assert not failed.complete
    assert whole(dump({"error": {"message": "x"}})).failure is not None
    assert whole(b"{") == TapReport()
