from typing import Any

import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import TextPart
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.protocols.gemini_generate.answer_decoding import USAGE_EVERY, AnswerDecoder, unix_seconds
from anykey.protocols.gemini_generate.stream_encoding import HEARTBEAT
from tests.unit.protocols.gemini_generate.answers import chunk, heard, sse, streamed

STOP = {"finishReason": "STOP"}


def counted(value: dict[str, Any], prompt: int, answer: int) -> dict[str, Any]:
    return {**value, "usageMetadata": {"promptTokenCount": prompt, "candidatesTokenCount": answer}}


def test_the_head_of_an_answer() -> None:
    first = {**chunk({"text": "a"}), "createTime": "2026-05-04T20:01:02.264968Z", "modelStatus": {"modelStage": "X"}}
    answer = streamed(first, {**chunk(**STOP), "later": 1})
    assert (answer.id, answer.model, answer.created) == ("r", "m", 1777924862)
    assert answer.extras == {"gemini_generate": {"modelStatus": {"modelStage": "X"}, "later": 1}}


@pytest.mark.parametrize("value", [None, 3, "soon", "99999-01-01T00:00:00Z"])
def test_a_time_that_is_none(value: Any) -> None:
    assert unix_seconds(value) is None


def test_the_last_usage_counts() -> None:
    events, _ = heard(sse(counted(chunk({"text": "a"}), 8, 1), counted(chunk({"text": "b"}, **STOP), 9, 5)))
    assert isinstance(events[0], ev.Started)
    assert events[0].usage == Usage(8, output_tokens=1)
    assert assemble(events).usage == Usage(9, output_tokens=5)


def test_usage_is_reported_now_and_then_for_answers_that_break_off() -> None:
    chunks = [counted(chunk({"text": "a"}), 8, n) for n in range(USAGE_EVERY + 3)]
    events, _ = heard(sse(*chunks))
    reports = [event.usage.output_tokens for event in events if isinstance(event, ev.UsageReported)]
    assert reports == [USAGE_EVERY - 1, USAGE_EVERY + 2]
    assert isinstance(events[-1], ev.Broke)


def test_candidates_are_told_apart_by_their_index() -> None:
    def both(first: str, second: str, **end: Any) -> dict[str, Any]:
        texts = ((0, first), (1, second))
        entries = [{"content": {"parts": [{"text": text}]}, "index": index, **end} for index, text in texts]
        return {"candidates": entries, "responseId": "r", "modelVersion": "m"}

    answer = streamed(both("a", "x"), both("b", "y", **STOP))
    assert [choice.parts for choice in answer.choices] == [(TextPart("ab"),), (TextPart("xy"),)]
    unsaid = streamed(both("a", "x"), {"candidates": [{"index": 1, **STOP}, {"index": 0, **STOP}]})
    assert [choice.parts for choice in unsaid.choices] == [(TextPart("a"),), (TextPart("x"),)]


def test_a_reason_that_every_chunk_repeats_does_not_end_the_answer() -> None:
    assert streamed(chunk({"text": "a"}, **STOP), chunk({"text": "b"}, **STOP)).choices[0].parts == (TextPart("ab"),)


def test_a_blocked_prompt_is_an_answer_that_says_nothing() -> None:
    feedback = {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "no"}
    answer = streamed({"promptFeedback": feedback, "responseId": "r", "modelVersion": "m"})
    (choice,) = answer.choices
    assert choice.parts == ()
    assert choice.finish == Finish("content_filter", "MODEL_ARMOR", detail={"explanation": "no"})
    assert answer.extras == {"gemini_generate": {"promptFeedback": feedback}}


def test_a_fault_with_nothing_said_is_a_failure() -> None:
    events, _ = heard(sse(counted(chunk(finishReason="MALFORMED_FUNCTION_CALL", finishMessage="print("), 8, 0)))
    assert isinstance(events[-1], ev.Broke)
    assert events[-1].failure.kind == "upstream_error"
    assert events[-2] == ev.UsageReported(Usage(8))


def test_a_fault_after_content_is_an_end() -> None:
    answer = streamed(chunk({"text": "a"}), chunk(finishReason="MALFORMED_FUNCTION_CALL", finishMessage="print("))
    assert answer.choices[0].finish == Finish("other", "MALFORMED_FUNCTION_CALL", detail={"explanation": "print("})


def test_an_end_without_content() -> None:
    answer = streamed({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]})
    assert answer.choices[0].parts == ()
    assert answer.choices[0].finish == Finish("length")
    null = streamed(chunk({"text": "a"}), {"candidates": [{"content": None}]}, chunk(**STOP))
    assert null.choices[0].parts == (TextPart("a"),)


def test_a_chunk_that_says_nothing_is_a_heartbeat() -> None:
    events, _ = heard(sse({}, {"usageMetadata": {"promptTokenCount": 4}}, chunk({"text": "a"}, **STOP)))
    assert events[:2] == [ev.Heartbeat(), ev.Heartbeat()]
    assert assemble(events).usage == Usage(4)


@pytest.mark.parametrize("value", [3, "x", None, []])
def test_what_is_no_chunk_breaks_the_answer(value: Any) -> None:
    decoder = AnswerDecoder(LossLog("response"))
    decoder.read(value)
    (event,) = decoder.take()
    assert isinstance(event, ev.Broke)
    decoder.end()
    assert decoder.take() == []


def test_a_gateways_keep_alive_before_the_first_chunk_begins_nothing() -> None:
    events, _ = heard(HEARTBEAT + sse(chunk({"text": "a"}, **STOP)))
    assert [type(event) for event in events[:2]] == [ev.Heartbeat, ev.Started]
    assert assemble(events).model == "m"
