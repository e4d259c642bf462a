import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import OpaqueState, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.openai_responses.ids import PREFIXES
from anykey.protocols.openai_responses.response import decode_response, encode_response
from anykey.protocols.openai_responses.stream_decoding import CUT_SHORT, StreamDecoder
from anykey.protocols.openai_responses.stream_encoding import StreamEncoder
from anykey.protocols.openai_responses.tap import StreamTap
from anykey.protocols.sse import EVENT_LIMIT
from tests.unit.protocols.openai_responses.wire import (
    CREATED,
    PLAIN,
    decode,
    done,
    dump,
    frame,
    message,
    response,
    text,
)

USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
    "encrypted_content": "final",
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c",
    "name": "f",
    "arguments": '{"x":1}',
    "status": "completed",
}
ANSWER = message(text("héllo"), phase="final_answer")


def summary(index: int, *deltas: str) -> bytes:
    place = {"item_id": "rs_1", "output_index": 0, "summary_index": index}
    out = frame("response.reasoning_summary_part.added", **place, part={"type": "summary_text", "text": ""})
    for delta in deltas:
        out += frame("response.reasoning_summary_text.delta", **place, delta=delta, obfuscation="xx")
    return out + frame("response.reasoning_summary_text.done", **place, text="".join(deltas))


FULL = b"".join(
    [
        CREATED,
        frame("response.in_progress", response=response(status="in_progress")),
        frame(
            "response.output_item.added",
            output_index=0,
            item={**REASONING, "summary": [], "encrypted_content": "early"},
        ),
        summary(0, "on", "e"),
        summary(1, "two"),
        frame("response.output_item.done", output_index=0, item=REASONING),
        frame("response.output_item.added", output_index=1, item={**ANSWER, "content": [], "status": "in_progress"}),
        frame("response.content_part.added", output_index=1, content_index=0, part=text("")),
        frame("response.output_text.delta", output_index=1, content_index=0, delta="hé", logprobs=[], obfuscation="x"),
        frame("response.output_text.delta", output_index=1, content_index=0, delta="llo", logprobs=[]),
        frame("response.output_text.done", output_index=1, content_index=0, text="héllo"),
        frame("response.content_part.done", output_index=1, content_index=0, part=text("héllo")),
        frame("response.output_item.done", output_index=1, item=ANSWER),
        frame("response.output_item.added", output_index=2, item={**CALL, "arguments": "", "status": "in_progress"}),
        frame("response.function_call_arguments.delta", output_index=2, delta='{"x"'),
        frame("response.function_call_arguments.delta", output_index=2, delta=":1}"),
        frame("response.function_call_arguments.done", output_index=2, arguments='{"x":1}'),
        frame("response.output_item.done", output_index=2, item=CALL),
        done(REASONING, ANSWER, CALL, usage=USAGE),
    ]
)


def test_a_stream_says_what_the_whole_answer_says() -> None:
    events = decode(FULL)
    whole = decode_response(dump(response(REASONING, ANSWER, CALL, usage=USAGE)), PLAIN).value
    assert assemble(events) == whole
    texts = [event.text for event in events if isinstance(event, ev.ReasoningDelta)]
    assert texts == ["on", "e", "\n\ntwo"]
    assert whole.choices[0].finish == Finish("tool_calls")


@given(st.integers(1, 200))
def test_any_cut_gives_the_same_events(size: int) -> None:
    assert decode(FULL, size) == decode(FULL)


def test_any_two_cuts_give_the_same_events() -> None:
    whole = decode(FULL)
    for first, second in pairwise(range(0, len(FULL), 7)):
        decoder = StreamDecoder(PLAIN)
        events = (
            decoder.feed(FULL[:first])
            + decoder.feed(FULL[first:second])
            + decoder.feed(FULL[second:])
            + decoder.close()
        )
        assert events == whole


LACKING: list[bytes] = [
    done(ANSWER),
    CREATED + done(ANSWER),
    CREATED + frame("response.output_item.done", output_index=0, item=ANSWER) + done(),
    CREATED + frame("response.output_item.done", output_index=0, item=ANSWER) + done(ANSWER),
    CREATED
    + frame("response.output_item.added", output_index=0, item={**ANSWER, "content": []})
    + frame("response.output_text.delta", output_index=0, content_index=0, delta="héllo")
    + done(),
    CREATED
    + frame("response.output_item.added", output_index=0, item={**ANSWER, "content": []})
    + frame("response.output_text.done", output_index=0, content_index=0, text="héllo")
    + done(),
    CREATED
    + frame("response.output_item.added", output_index=0, item={key: ANSWER[key] for key in ("type", "id", "phase")})
    + frame("response.content_part.added", output_index=0, content_index=0, part={"type": "output_text"})
    + frame("response.output_text.delta", output_index=0, content_index=0, delta="hé")
    + done(ANSWER),
]  # fmt: skip


@pytest.mark.parametrize("data", LACKING)
def test_an_upstream_may_leave_events_out(data: bytes) -> None:
    answer = assemble(decode(data))
    extras = {"openai_responses": {"message": {"id": "msg_1", "phase": "final_answer"}}}
    assert answer.choices[0].parts == (TextPart("héllo", extras=extras),)
    assert (answer.id, answer.model, answer.choices[0].finish) == ("resp_1", "m", Finish("stop"))


def test_deltas_without_their_item_are_taken() -> None:
    data = CREATED + frame("response.output_text.delta", output_index=0, content_index=0, delta="a") + done()
    assert assemble(decode(data)).choices[0].parts == (TextPart("a"),)


def test_arguments_wait_for_the_name() -> None:
    data = (
        CREATED
        + frame("response.function_call_arguments.delta", output_index=0, delta='{"x"')
        + frame("response.output_item.done", output_index=0, item=CALL)
        + done()
    )
    parts = assemble(decode(data)).choices[0].parts
    assert parts == (ToolCallPart("c", "f", '{"x":1}', extras={"openai_responses": {"id": "fc_1"}}),)


def test_ids_that_change_do_not_matter() -> None:
    data = CREATED + frame("response.output_item.added", output_index=0, item={**ANSWER, "id": "a", "content": []})
    data += frame("response.output_text.delta", item_id="b", output_index=0, content_index=0, delta="héllo")
    data += frame("response.output_item.done", output_index=0, item={**ANSWER, "id": "c"}) + done({**ANSWER, "id": "d"})
    (part,) = assemble(decode(data)).choices[0].parts
    assert isinstance(part, TextPart)
    assert part.text == "héllo"


def test_only_the_state_of_the_item_s_end_counts() -> None:
    (reasoning, *_) = assemble(decode(FULL)).choices[0].parts
    assert isinstance(reasoning, ReasoningPart)
    assert reasoning.state == OpaqueState("openai_responses", "final")
    silent: dict[str, Any] = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    data = CREATED + frame("response.output_item.added", output_index=0, item={**silent, "encrypted_content": "early"})
    data += frame("response.output_item.done", output_index=0, item=silent) + done()
    (part,) = assemble(decode(data)).choices[0].parts
    assert part == ReasoningPart("", OpaqueState("openai_responses", "x"), True, {"openai_responses": {"id": "rs_1"}})


def test_event_lines_and_the_done_mark_are_optional() -> None:
    bare = b"".join(b"data: " + dump(value) + b"\n\n" for value in lines())
    assert decode(bare + b"data: [DONE]\n\n") == decode(FULL)
    assert decode(FULL.replace(b"\n", b"\r\n")) == decode(FULL)


def lines() -> list[Any]:
    return [json.loads(block.split(b"data: ", 1)[1]) for block in FULL.split(b"\n\n")[:-1]]


ERROR = {"type": "tokens", "code": "rate_limit_exceeded", "message": "slow", "param": None}
FAILED = frame(
    "response.failed", response=response(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"})
)


@pytest.mark.parametrize(
    "data",
    [
        frame("error", sequence_number=2, error=ERROR) + FAILED,
        frame("error", sequence_number=2, **{key: ERROR[key] for key in ("code", "message", "param")}) + FAILED,
        FAILED,
        b"event: error\ndata: " + dump({"error": ERROR}) + b"\n\n",
        b"data: " + dump({"error": ERROR}) + b"\n\n",
    ],
)
def test_an_error_breaks_the_stream_once(data: bytes) -> None:
    for start in (b"", CREATED):
        events = decode(start + data)
        broke = events[-1]
        assert isinstance(broke, ev.Broke)
        assert (broke.failure.kind, broke.failure.message) == ("rate_limited", "slow")
        assert sum(isinstance(event, ev.Broke) for event in events) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", CUT_SHORT),
        (FULL[: FULL.rfind(b"event:")], CUT_SHORT),
        (CREATED + b"data: [DONE]\n\n", CUT_SHORT),
        (CREATED + b"data: {\n\n", "not JSON"),
        (CREATED + b"data: []\n\n", "no object"),
        (
            CREATED + frame("response.output_item.done", output_index=0, item={"type": "function_call", "name": 1}),
            "name",
        ),
        (b"data: " + b"x" * (EVENT_LIMIT + 1), "larger than"),
    ],
)
def test_a_stream_that_cannot_be_ended_breaks(data: bytes, words: str) -> None:
    decoder = StreamDecoder(PLAIN)
    events = decoder.feed(data) + decoder.close()
    check_stream(events)
    broke = events[-1]
    assert isinstance(broke, ev.Broke)
    assert words in broke.failure.message
    assert decoder.feed(FULL) == decoder.close() == []


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert decode(FULL[:-2]) == decode(FULL)


def test_what_comes_late_is_told_at_the_end() -> None:
    data = CREATED + done(ANSWER, status="incomplete", service_tier="default", tool_usage={"a": 1})
    data = data.replace(b"response.completed", b"response.incomplete")
    events = decode(data)
    assert events[-1] == ev.Ended({"openai_responses": {"tool_usage": {"a": 1}, "service_tier": "default"}})
    assert ev.ChoiceFinished(Finish("other", "incomplete")) in events


def test_usage_and_finish_of_an_incomplete_answer() -> None:
    data = CREATED + frame(
        "response.incomplete",
        response=response(ANSWER, status="incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USAGE),
    )
    answer = assemble(decode(data))
    assert (answer.choices[0].finish, answer.usage) == (Finish("length"), Usage(3, output_tokens=2))


def test_progress_is_passed_over_and_the_unknown_is_kept() -> None:
    data = (
        frame("ping")
        + CREATED
        + frame("response.web_search_call.searching", output_index=0, item_id="ws_1")
        + frame("response.code_interpreter_call_code.delta", output_index=0, item_id="ci_1", delta="x")
        + frame("keepalive")
        + frame("response.steer.accepted", steer={})
        + done()
    )
    kinds = [type(event).__name__ for event in decode(data)]
    assert kinds == ["Heartbeat", "Started", "Heartbeat", "OpaqueEvent", "ChoiceFinished", "Ended"]


def test_log_probabilities_of_deltas_or_of_the_end() -> None:
    entry = {"token": "a", "logprob": -1.0}
    told = frame("response.output_text.delta", output_index=0, content_index=0, delta="a", logprobs=[entry])
    for start in (told, b""):
        events = decode(CREATED + start + done(message(text("a", logprobs=[entry]))))
        assert assemble(events).choices[0].logprobs == {"content": [entry]}


KINDS = st.sampled_from(
    [
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_text.annotation.added",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.completed",
        "response.failed",
        "error",
        "",
    ]
)
TYPES = st.sampled_from(
    [*PREFIXES, "output_text", "refusal", "reasoning_text"],
)
ODD = st.one_of(
    st.none(), st.text(max_size=3), st.integers(-1, 2), st.lists(st.integers(), max_size=1), st.just({"type": "x"})
)
ENTRY = st.fixed_dictionaries(
    {"type": TYPES}, optional={"text": ODD, "refusal": ODD, "annotations": ODD, "logprobs": ODD, "url": ODD}
)
ITEM = st.fixed_dictionaries(
    {"type": TYPES},
    optional=dict.fromkeys(
        ("id", "call_id", "name", "arguments", "input", "action", "encrypted_content", "result"), ODD
    )
    | {"content": st.one_of(ODD, st.lists(ENTRY, max_size=2)), "summary": st.one_of(ODD, st.lists(ENTRY, max_size=2))},
)
RESPONSE = st.fixed_dictionaries(
    {},
    optional={
        "output": st.one_of(ODD, st.lists(ITEM, max_size=2)),
        "usage": ODD,
        "status": ODD,
        "incomplete_details": ODD,
    },
)
EVENT = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "output_index": st.one_of(st.integers(0, 1), ODD),
        "content_index": ODD,
        "summary_index": ODD,
        "delta": st.one_of(st.text(max_size=3), ODD),
        "text": ODD,
        "arguments": ODD,
        "item": st.one_of(ITEM, ODD),
        "part": st.one_of(ENTRY, ODD),
        "annotation": ODD,
        "logprobs": ODD,
        "response": st.one_of(RESPONSE, ODD),
        "error": ODD,
        "code": ODD,
    },
)


@settings(max_examples=100)
@given(st.lists(EVENT, max_size=8))
def test_nonsense_is_a_legal_stream_that_never_raises(values: list[Any]) -> None:
    data = CREATED + b"".join(b"data: " + dump(value) + b"\n\n" for value in values)
    events = decode(data)
    StreamEncoder(GenerateRequest("m", ())).feed(events)
    tap = StreamTap(PLAIN)
    tap.feed(data)
    tap.close()


@settings(max_examples=100)
@given(RESPONSE)
def test_a_nonsense_answer_is_read_or_refused(value: Any) -> None:
    try:
        answer = decode_response(dump(value), PLAIN).value
    except FailureError:
        return
    again = decode_response(encode_response(answer).body, PLAIN).value
    assert again.choices[0].finish is not None


def test_a_call_that_begins_in_an_item_that_is_done_is_closed_at_the_end() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": ""}
    thought: dict[str, Any] = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "s"}
    events = decode(
        CREATED
        + frame("response.output_item.done", output_index=0, item=thought)
        + frame("response.output_item.added", output_index=0, item=call)
        + done()
    )
    assert [type(event) for event in events[-3:]] == [ev.PartFinished, ev.ChoiceFinished, ev.Ended]
