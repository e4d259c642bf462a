import json
from typing import Any

import pytest

from anykey.conversation.usage import Usage
from anykey.protocols.gemini_generate.answer_decoding import USAGE_EVERY
from anykey.protocols.gemini_generate.tap import StreamTap, WholeTap
from tests.unit.protocols.gemini_generate.answers import chunk, dump, sse

STOP = {"finishReason": "STOP"}


def counted(value: dict[str, Any], answer: int) -> dict[str, Any]:
    return {**value, "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": answer}}


def test_lifecycle_is_no_content() -> None:
    tap = StreamTap()
    for data in (sse({}), sse(counted(chunk({"text": ""}), 0))):
        assert tap.feed(data) is data
    assert not tap.report.content
    assert tap.report.model == "m"
    tap.feed(sse(chunk({"text": "hm", "thought": True})))
    assert tap.report.content


@pytest.mark.parametrize(
    "part", [{"functionCall": {"name": "f"}}, {"inlineData": {"data": "A"}}, {"text": "", "thoughtSignature": "s"}]
)
def test_any_part_that_says_something_is_content(part: dict[str, Any]) -> None:
    tap = StreamTap()
    tap.feed(sse(chunk(part)))
    assert tap.report.content


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_the_last_usage_counts_whatever_the_cut(size: int, line_end: bytes) -> None:
    chunks = [counted(chunk({"text": f'"finishReason" {n}'}), n) for n in range(5)]
    data = sse(*chunks, counted(chunk(finishReason="MAX_TOKENS"), 9)).replace(b"\r\n", line_end)
    tap = StreamTap()
    assert b"".join(tap.feed(data[start : start + size]) for start in range(0, len(data), size)) == data
    assert tap.report.complete
    assert tap.report.finish == "length"
    assert tap.report.usage == Usage(8, output_tokens=9)
    assert tap.report.said_bytes == 5 * len('"finishReason" 0')
    assert tap.at_boundary()
    assert tap.close() == b""


def test_the_usage_of_an_answer_that_breaks_off() -> None:
    tap = StreamTap()
    for n in range(USAGE_EVERY + 3):
        tap.feed(sse(counted(chunk({"text": "a"}), n)))
    assert tap.report.usage == Usage(8, output_tokens=USAGE_EVERY)
    tap.close()
    assert tap.report.usage == Usage(8, output_tokens=USAGE_EVERY + 2)
    assert not tap.report.complete


def test_calls_are_what_the_answer_waits_for() -> None:
    tap = StreamTap()
    tap.feed(sse(chunk({"functionCall": {"name": "f"}}, **STOP)))
    assert tap.report.finish == "tool_calls"


def test_an_error_in_the_stream() -> None:
    tap = StreamTap()
    error = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
    tap.feed(sse(chunk({"text": 'an {"error"'})))
    assert tap.report.failure is None
    tap.feed(sse(error))
    assert tap.report.failure is not None
    assert tap.report.failure.kind == "rate_limited"
    assert not tap.report.complete


def test_a_blocked_prompt_is_complete() -> None:
    tap = StreamTap()
    tap.feed(sse({"promptFeedback": {"blockReason": "SAFETY"}}))
    assert (tap.report.complete, tap.report.finish, tap.report.content) == (True, "content_filter", False)


def test_no_event_is_half_relayed_at_a_boundary() -> None:
    tap = StreamTap()
    data = sse(chunk({"text": "a"}), chunk({"text": "b"}))
    assert tap.at_boundary()
    tap.feed(data[:-1])
    assert not tap.at_boundary()
    tap.feed(data[-1:])
    assert tap.at_boundary()
    tap.feed(b"data: {")
    assert not tap.at_boundary()


@pytest.mark.parametrize("size", [5, 10_000])
def test_a_json_array_is_heard_and_has_no_place_for_a_keep_alive(size: int) -> None:
    data = json.dumps([counted(chunk({"text": "a"}), 1), counted(chunk({"text": "b"}, **STOP), 2)], indent=1).encode()
    tap = StreamTap()
    assert b"".join(tap.feed(data[start : start + size]) for start in range(0, len(data), size)) == data
    assert not tap.at_boundary()
    assert (tap.report.complete, tap.report.usage) == (True, Usage(8, output_tokens=2))


def test_the_last_blank_line_may_be_missing() -> None:
    tap = StreamTap()
    tap.feed(sse(chunk({"text": "a"})))
    tap.feed(sse(counted(chunk({"text": "b"}, **STOP), 2)).strip())
    tap.close()
    assert (tap.report.complete, tap.report.usage) == (True, Usage(8, output_tokens=2))


@pytest.mark.parametrize(
    "data", [b"data: {]\r\n\r\n", b"data: 3\r\n\r\n", b'data: {"candidates":3}\r\n\r\n', b"\xff\xff"]
)
def test_a_tap_never_raises(data: bytes) -> None:
    tap = StreamTap()
    assert tap.feed(data) == data
    assert tap.close() == b""
    assert not tap.report.content


def test_a_whole_answer() -> None:
    tap = WholeTap()
    data = dump(counted(chunk({"text": "a"}, **STOP), 2))
    assert tap.feed(data[:9]) + tap.feed(data[9:]) + tap.close() == data
    assert not tap.at_boundary()
    report = tap.report
    assert (report.content, report.complete, report.finish, report.model) == (True, True, "stop", "m")
    assert report.usage == Usage(8, output_tokens=2)


def test_a_whole_answer_may_leave_its_reason_out() -> None:
    tap = WholeTap()
    tap.feed(dump(chunk({"text": "a"})))
    tap.close()
    assert tap.report.complete


def test_a_whole_error() -> None:
    tap = WholeTap()
    tap.feed(b'{"error":{"code":503,"message":"m"}}')
    tap.close()
    assert tap.report.failure is not None
    assert not tap.report.complete
