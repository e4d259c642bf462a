import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.parts import OpaquePart, OpaqueState, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.conversation.verify import StreamChecker, check_stream
from anykey.protocols.anthropic_messages.stream_decoding import CUT_SHORT, StreamDecoder


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}  \n\n".encode() for e in events)


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, **fields}


BEGIN: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "usage": {"input_tokens": 9, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}
TEXT = (
    start(0, type="text", text=""),
    delta(0, "text_delta", text="Grüß"),
    delta(0, "text_delta", text=" dich"),
    stop(0),
)
WHOLE = sse(
    BEGIN,
    start(0, type="thinking", thinking="", signature=""),
    {"type": "ping"},
    delta(0, "thinking_delta", thinking="hm"),
    delta(0, "thinking_delta", thinking="", estimated_tokens=5),
    delta(0, "signature_delta", signature="s+/="),
    stop(0),
    start(1, type="text", text="", citations=[]),
    delta(1, "citations_delta", citation={"type": "web_search_result_location", "url": "https://x", "title": "t"}),
    delta(1, "text_delta", text="Grüß ☂"),
    stop(1),
    start(2, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
    delta(2, "input_json_delta", partial_json='{"q":'),
    delta(2, "input_json_delta", partial_json="1}"),
    stop(2),
    start(3, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[]),
    stop(3),
    start(4, type="tool_use", id="toolu_1", name="n", input={}, caller={"type": "direct"}),
    delta(4, "input_json_delta", partial_json=""),
    delta(4, "input_json_delta", partial_json='{"a": '),
    delta(4, "input_json_delta", partial_json="1}"),
    stop(4),
    start(5, type="tool_use", id="toolu_2", name="none", input={}),
    stop(5),
    start(6, type="redacted_thinking", data="d"),
    stop(6),
    start(7, type="compaction", content=None),
    delta(7, "compaction_delta", content="sum"),
    stop(7),
    end(
        "tool_use",
        usage={"input_tokens": 12, "output_tokens": 30, "output_tokens_details": {"thinking_tokens": 4}},
        context_management={"applied_edits": []},
    ),
    STOP,
)


def decode(data: bytes, *cuts: int) -> list[ev.StreamEvent]:
    decoder, checker = StreamDecoder(), StreamChecker()
    events = [event for left, right in pairwise([0, *cuts, len(data)]) for event in decoder.feed(data[left:right])]
    events += decoder.close()
    for event in events:
        checker.check(event)
    assert checker.done
    assert not decoder.feed(data)
    assert not decoder.close()
    return events


def broken(data: bytes) -> ev.Broke:
    last = decode(data)[-1]
    assert isinstance(last, ev.Broke)
    return last


def test_a_whole_stream() -> None:
    answer = assemble(decode(WHOLE))
    state = OpaqueState("anthropic_messages", "s+/=")
    parts = answer.choices[0].parts
    assert parts[0] == ReasoningPart("hm", state)
    assert isinstance(parts[1], TextPart)
    assert (parts[1].text, parts[1].citations[0].url) == ("Grüß ☂", "https://x")
    assert parts[2] == ToolCallPart("srvtoolu_1", "web_search", '{"q":1}', "hosted", extras={"anthropic_messages": {}})
    assert parts[4] == ToolCallPart(
        "toolu_1", "n", '{"a": 1}', extras={"anthropic_messages": {"caller": {"type": "direct"}}}
    )
    assert parts[5] == ToolCallPart("toolu_2", "none", "{}")
    assert parts[6] == ReasoningPart("", OpaqueState("anthropic_messages", "d"), redacted=True)
    assert parts[7] == OpaquePart("anthropic_messages", "compaction", {"type": "compaction", "content": "sum"})
    assert (answer.id, answer.model, answer.choices[0].finish) == ("msg_1", "claude", Finish("tool_calls"))
    assert answer.usage == Usage(12, output_tokens=26, reasoning_tokens=4)
    assert answer.extras == {"anthropic_messages": {"context_management": {"applied_edits": []}}}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, len(WHOLE)), max_size=12).map(sorted), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cut_and_any_line_end_tell_the_same(cuts: list[int], line_end: bytes) -> None:
    assert decode(WHOLE.replace(b"\n", line_end), *cuts) == decode(WHOLE)


def test_every_single_byte_alone() -> None:
    assert decode(WHOLE, *range(1, len(WHOLE))) == decode(WHOLE)


def test_an_empty_answer_and_one_without_a_final_event() -> None:
    assert assemble(decode(sse(BEGIN, end(), STOP))).choices[0].parts == ()
    assert isinstance(decode(sse(BEGIN, *TEXT, end()))[-1], ev.Ended)
    assert assemble(decode(sse(BEGIN, *TEXT, STOP))).choices[0].finish == Finish("stop")


def test_a_block_that_is_never_stopped_and_a_start_that_never_came() -> None:
    answer = assemble(decode(sse(BEGIN, *TEXT[:-1], end(), STOP)))
    assert answer.choices[0].parts == (TextPart("Grüß dich"),)
    answer = assemble(decode(sse(BEGIN, delta(0, "text_delta", text="x"), end(), STOP)))
    assert answer.choices[0].parts == (TextPart("x"),)
    assert assemble(decode(sse(*TEXT, end(), STOP))).id == ""


def test_content_that_stands_in_the_start() -> None:
    blocks = (
        start(0, type="text", text="x"),
        stop(0),
        start(1, type="tool_use", id="i", name="n", input={"a": 1}),
        stop(1),
    )
    answer = assemble(decode(sse(BEGIN, *blocks, end("tool_use"), STOP)))
    assert answer.choices[0].parts == (TextPart("x"), ToolCallPart("i", "n", '{"a":1}'))


def test_an_index_that_comes_again_is_another_block() -> None:
    answer = assemble(decode(sse(BEGIN, *TEXT[:2], *TEXT, end(), STOP)))
    assert [part.text for part in answer.choices[0].parts if isinstance(part, TextPart)] == ["Grüß", "Grüß dich"]


def test_what_is_not_known_is_kept_and_a_ping_is_a_heartbeat() -> None:
    odd = {"type": "new_event", "x": 1}
    events = decode(
        sse({"type": "ping"}, odd, BEGIN, odd, *TEXT[:2], delta(0, "new_delta", y=1), *TEXT[2:], end(), STOP)
    )
    assert isinstance(events[0], ev.Heartbeat)
    assert [event.value for event in events if isinstance(event, ev.OpaqueEvent)] == [odd, delta(0, "new_delta", y=1)]


def test_usage_may_come_before_or_after_the_finish_and_nulls_do_not_count() -> None:
    usage = {"input_tokens": None, "output_tokens": 5}
    events = decode(sse(BEGIN, *TEXT, end(None, usage={"output_tokens": 3}), end(), end("end_turn", usage=usage), STOP))
    assert assemble(events).usage == Usage(9, output_tokens=5)


def test_done_is_no_event_of_this_protocol_but_some_send_it() -> None:
    done = b"event: data\ndata: [DONE]\n\n"
    assert decode(sse(BEGIN, *TEXT, end(), STOP) + done) == decode(sse(BEGIN, *TEXT, end(), STOP))
    assert isinstance(decode(sse(BEGIN, *TEXT, end()) + done)[-1], ev.Ended)
    assert broken(sse(BEGIN, *TEXT) + done).failure.message == CUT_SHORT


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (sse(BEGIN, *TEXT), "upstream_error", CUT_SHORT),
        (b"", "upstream_error", CUT_SHORT),
        (sse(BEGIN) + b'event: content_block_delta\ndata: {"type":"con', "upstream_error", CUT_SHORT),
        (sse(BEGIN, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}), "overloaded", "busy"),
        (sse(BEGIN) + b'data: {"error":{"type":"rate_limit_error","message":"slow"}}\n\n', "rate_limited", "slow"),
        (sse(BEGIN) + b'event: error\ndata: {"message":"bad"}\n\n', "upstream_error", "bad"),
        (sse(BEGIN) + b"data: {]\n\n", "upstream_error", "not JSON"),
        (sse(BEGIN) + b'data: "\xff"\n\n', "upstream_error", "not JSON"),
        (sse(BEGIN) + b"data: []\n\n", "upstream_error", "no object"),
        (
            sse(BEGIN, start(0, type="text", text=""), delta(0, "input_json_delta", partial_json="x")),
            "upstream_error",
            "cannot hold",
        ),
        (sse(BEGIN, delta(0, "input_json_delta", partial_json="x")), "upstream_error", "not open"),
        (sse(BEGIN, start(0, type="tool_use", name="n")), "upstream_error", "id"),
        (sse(BEGIN, end(), start(0, type="text", text="")), "upstream_error", "after the stop reason"),
        (
            sse(
                BEGIN,
                start(0, type="server_tool_use", id="i", name="n"),
                delta(0, "input_json_delta", partial_json="{"),
                stop(0),
            ),
            "upstream_error",
            "not JSON",
        ),
        (b"data: " + b"x" * (8 * 1024 * 1024 + 10), "upstream_error", "larger"),
    ],
)
def test_what_breaks_a_stream(data: bytes, kind: str, words: str) -> None:
    failure = broken(data).failure
    assert failure.kind == kind
    assert words in failure.message


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert decode(sse(BEGIN, *TEXT, end(), STOP)[:-1]) == decode(sse(BEGIN, *TEXT, end(), STOP))
    assert isinstance(decode(sse(BEGIN, *TEXT, end())[:-2])[-1], ev.Ended)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                BEGIN,
                *TEXT,
                end(),
                STOP,
                {"type": "ping"},
                start(1, type="tool_use", id="i", name="n"),
                delta(1, "input_json_delta", partial_json="{}"),
                stop(1),
                delta(0, "signature_delta", signature="s"),
                {"type": "x"},
            ]
        ),
        max_size=12,
    )
)
def test_any_order_of_events_is_legal_or_broken(events: list[dict[str, Any]]) -> None:
    check_stream(decode(sse(*events)))
