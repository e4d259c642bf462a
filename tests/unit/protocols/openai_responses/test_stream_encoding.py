import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.failures import Failure
from anykey.conversation.parts import (
    Citation,
    MediaPart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.openai_responses.stream_encoding import HEARTBEAT, StreamEncoder
from tests.unit.protocols.openai_responses.wire import decode, read, tell

REQUEST = GenerateRequest("asked", ())
BEGIN = ev.Started("chatcmpl-1", "m", 5)
END = [ev.ChoiceFinished(Finish("stop")), ev.UsageReported(Usage(3, 1, output_tokens=2)), ev.Ended()]


def encode(*events: ev.StreamEvent, body: bytes = b"") -> tuple[list[dict[str, Any]], list[str]]:
    encoder = StreamEncoder(REQUEST, body)
    data = b"".join(encoder.feed([event]) for event in events)
    assert StreamEncoder(REQUEST, body).feed(list(events)) == data
    return read(data), [loss.code for loss in encoder.losses]


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [record["type"].removeprefix("response.") for record in records]


def test_the_full_sequence_of_a_text() -> None:
    records, losses = encode(BEGIN, *tell(0, TextPart(""), ev.TextDelta(0, 'a"\u2028'), ev.TextDelta(0, "b")), *END)
    assert not losses
    assert kinds(records) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert records[0]["response"]["status"] == "in_progress"
    assert (records[0]["response"]["output"], records[0]["response"]["usage"]) == ([], None)
    assert records[2]["item"] | {"id": ""} == {
        "type": "message",
        "id": "",
        "status": "in_progress",
        "content": [],
        "role": "assistant",
    }
    assert records[4]["logprobs"] == records[6]["logprobs"] == []
    assert (records[4]["delta"], records[6]["text"]) == ('a"\u2028', 'a"\u2028b')
    end = records[-1]["response"]
    assert end["output"] == [records[-2]["item"]]
    assert end["output"][0]["content"] == [records[7]["part"]]
    assert (end["status"], end["model"], end["created_at"]) == ("completed", "m", 5)
    assert (end["usage"]["total_tokens"], end["usage"]["input_tokens_details"]["cached_tokens"]) == (6, 1)


def test_the_request_is_repeated_in_every_response_object() -> None:
    body = b'{\n"model": "m", "input": "x",\n"tools": [{"type":\n"function"}], "store": false}'
    records, _ = encode(BEGIN, *END, body=body)
    for record in records:
        assert (record["response"]["tools"], record["response"]["store"]) == ([{"type": "function"}], False)
        assert record["response"]["tool_choice"] == "auto"


def test_a_thought_with_its_state() -> None:
    state = OpaqueState("openai_responses", "sealed")
    thought = tell(0, ReasoningPart(""), ev.ReasoningDelta(0, "a"), ev.ReasoningDelta(0, "b"), ev.StateDelta(0, state))
    records, losses = encode(BEGIN, *thought, *END)
    assert not losses
    assert kinds(records)[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert records[2]["item"]["summary"] == []
    assert "encrypted_content" not in records[2]["item"]
    assert records[-2]["item"]["encrypted_content"] == "sealed"
    assert records[-2]["item"]["summary"] == [{"type": "summary_text", "text": "ab"}]


def test_a_thought_without_words() -> None:
    hidden = ReasoningPart("", OpaqueState("openai_responses", "sealed"), redacted=True)
    records, _ = encode(BEGIN, *tell(0, hidden), *END)
    assert kinds(records)[2:-1] == ["output_item.added", "output_item.done"]
    assert records[3]["item"]["encrypted_content"] == "sealed"


def test_interleaved_calls_keep_their_places() -> None:
    records, _ = encode(
        BEGIN,
        ev.PartStarted(0, ToolCallPart("a", "f", "")),
        ev.PartStarted(1, ToolCallPart("b", "g", "", "custom", namespace="n")),
        ev.ArgumentsDelta(1, "x"),
        ev.ArgumentsDelta(0, "{}"),
        ev.PartFinished(0),
        ev.ArgumentsDelta(1, "y"),
        ev.PartFinished(1),
        *tell(2, ToolCallPart("c", "h", "")),
        ev.ChoiceFinished(Finish("tool_calls")),
        ev.Ended(),
    )
    ends = [record for record in records if record["type"].endswith(("arguments.done", "input.done"))]
    assert [(end["output_index"], end.get("arguments", end.get("input"))) for end in ends] == [
        (0, "{}"),
        (1, "xy"),
        (2, "{}"),
    ]
    output = records[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["function_call", "custom_tool_call", "function_call"]
    assert (output[1]["input"], output[1]["namespace"]) == ("xy", "n")
    assert all(item["status"] == "completed" for item in output)


def test_texts_share_a_message_until_something_else_comes() -> None:
    records, _ = encode(
        BEGIN,
        *tell(0, TextPart(""), ev.TextDelta(0, "a")),
        *tell(1, RefusalPart(""), ev.RefusalDelta(1, "no")),
        *tell(2, ToolCallPart("c", "f", "{}")),
        *tell(3, TextPart(""), ev.TextDelta(3, "b")),
        *END,
    )
    output = records[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "message"]
    assert [content["type"] for content in output[0]["content"]] == ["output_text", "refusal"]
    assert [record["content_index"] for record in records if record["type"].endswith("content_part.added")] == [0, 1, 0]


def test_texts_that_are_open_together_are_two_messages() -> None:
    events = [
        ev.PartStarted(0, TextPart("")),
        ev.PartStarted(1, TextPart("")),
        ev.TextDelta(0, "a"),
        ev.TextDelta(1, "b"),
    ]
    records, _ = encode(BEGIN, *events, ev.PartFinished(0), ev.PartFinished(1), *END)
    assert [item["content"][0]["text"] for item in records[-1]["response"]["output"]] == ["a", "b"]


def test_citations_stand_at_the_end_of_their_text() -> None:
    citation = Citation("gemini_generate", {}, "https://a", "t")
    told = tell(0, TextPart(""), ev.CitationAdded(0, citation), ev.TextDelta(0, "abc"))
    records, losses = encode(BEGIN, *told, *END)
    assert not losses
    (added,) = [record for record in records if record["type"].endswith("annotation.added")]
    assert added["annotation"] == {
        "type": "url_citation",
        "start_index": 0,
        "end_index": 3,
        "url": "https://a",
        "title": "t",
    }
    assert records[-1]["response"]["output"][0]["content"][0]["annotations"] == [added["annotation"]]


@pytest.mark.parametrize(
    ("part", "item", "steps"),
    [
        (
            ToolCallPart("c", "apply_patch", '{"operation":{"type":"delete_file","path":"a"}}', "apply_patch"),
            "apply_patch_call",
            [],
        ),
        (ToolCallPart("c", "shell", '{"commands":[]}', "shell"), "shell_call", []),
        (ToolCallPart("c", "web_search", "{}", "hosted"), "web_search_call", ["in_progress", "searching", "completed"]),
        (MediaPart("image", data="aGk="), "image_generation_call", ["in_progress", "generating", "completed"]),
    ],
)
def test_items_that_come_whole(part: Part, item: str, steps: list[str]) -> None:
    records, losses = encode(BEGIN, *tell(0, part), *END)
    assert not losses
    assert kinds(records)[2:-1] == ["output_item.added", *[f"{item}.{step}" for step in steps], "output_item.done"]
    assert (records[2]["item"]["type"], records[2]["item"]["status"]) == (item, "in_progress")
    assert records[-1]["response"]["output"] == [records[-2]["item"]]


@pytest.mark.parametrize(
    ("finish", "terminal", "details", "status"),
    [
        (Finish("stop"), "completed", None, "completed"),
        (Finish("length"), "incomplete", {"reason": "max_output_tokens"}, "incomplete"),
        (Finish("content_filter"), "incomplete", {"reason": "content_filter"}, "incomplete"),
    ],
)
def test_the_end_is_told_in_the_last_item_too(finish: Finish, terminal: str, details: Any, status: str) -> None:
    for part in (TextPart("a"), ToolCallPart("c", "f", '{"')):
        records, _ = encode(BEGIN, *tell(0, part), ev.ChoiceFinished(finish), ev.Ended())
        assert records[-1]["type"] == f"response.{terminal}"
        assert (records[-1]["response"]["status"], records[-1]["response"]["incomplete_details"]) == (terminal, details)
        assert records[-2]["item"]["status"] == status


def test_why_the_model_declined_is_a_refusal() -> None:
    finish = Finish("refusal", detail={"type": "refusal", "explanation": "no"})
    records, _ = encode(BEGIN, ev.ChoiceFinished(finish), ev.Ended())
    assert "refusal.done" in kinds(records)
    assert records[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "no"}]


def test_a_broken_answer_ends_with_a_failed_response() -> None:
    failure = Failure("rate_limited", "Slow down.", retry_after_s=2)
    records, _ = encode(
        BEGIN, *tell(0, TextPart("a")), ev.PartStarted(1, ToolCallPart("c", "f", "")), ev.Broke(failure), *END
    )
    assert kinds(records)[-1] == "failed"
    end = records[-1]["response"]
    assert (end["status"], end["error"]["code"]) == ("failed", "rate_limit_exceeded")
    assert end["error"]["message"] == "Slow down. Please try again in 2s."
    assert [item["type"] for item in end["output"]] == ["message"]


def test_an_answer_that_broke_before_it_began() -> None:
    records, _ = encode(ev.Broke(Failure("upstream_error", "x")))
    assert kinds(records) == ["created", "in_progress", "failed"]
    assert records[-1]["response"]["model"] == "asked"


def test_what_has_no_place_is_a_loss() -> None:
    _, losses = encode(
        BEGIN,
        ev.PartStarted(0, TextPart("", extras={"anthropic_messages": {"x": 1}}), choice=1),
        ev.TextDelta(0, "a", 1),
        ev.PartFinished(0, 1),
        ev.ChoiceFinished(Finish("stop"), 1),
        *tell(0, ReasoningPart("a", OpaqueState("anthropic_messages", "s"))),
        *tell(1, ToolCallPart("s", "bash", "{}", "hosted")),
        ev.LogprobsAdded({"content": [{"token": "a"}]}),
        ev.OpaqueEvent("openai_chat", "audio", {}),
        *END,
    )
    assert losses == [
        "dropped:choices",
        "dropped:choices.content.state",
        "dropped:choices.content",
        "dropped:choices.logprobs.content",
        "dropped:audio",
    ]


def test_log_probabilities_follow_their_delta() -> None:
    told = tell(0, TextPart(""), ev.TextDelta(0, "a"), ev.LogprobsAdded({"content": [{"token": "a", "logprob": -1.0}]}))
    records, losses = encode(BEGIN, *told, *END)
    entry = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    assert [record["logprobs"] for record in records if record["type"].endswith("text.delta")] == [[], [entry]]
    assert records[-1]["response"]["output"][0]["content"][0]["logprobs"] == [entry]
    assert not losses


def test_own_events_are_passed_on_with_new_numbers() -> None:
    steer: dict[str, Any] = {"type": "response.steer.accepted", "sequence_number": 77, "steer": {}}
    progress = {"type": "response.image_generation_call.partial_image", "output_index": 4}
    records, losses = encode(
        BEGIN,
        ev.OpaqueEvent("openai_responses", "response.steer.accepted", steer),
        ev.OpaqueEvent("openai_responses", "response.image_generation_call.partial_image", progress),
        *END,
    )
    assert records[2] == {**steer, "sequence_number": 2}
    assert losses == ["dropped:response.image_generation_call.partial_image"]


def test_an_own_event_that_says_nothing_but_its_type_is_an_object() -> None:
    records, losses = encode(BEGIN, ev.OpaqueEvent("openai_responses", "response.x", {"type": "response.x"}), *END)
    assert records[2] == {"type": "response.x", "sequence_number": 2}
    assert not losses


def test_a_heartbeat_is_a_comment() -> None:
    encoder = StreamEncoder(REQUEST)
    assert encoder.heartbeat() == HEARTBEAT
    assert encoder.feed([ev.Heartbeat()]) == HEARTBEAT


def test_late_extras_are_in_the_item() -> None:
    late = {"openai_responses": {"message": {"phase": "final_answer"}}}
    records, _ = encode(BEGIN, ev.PartStarted(0, TextPart("a")), ev.PartFinished(0, 0, late), *END)
    assert records[-2]["item"]["phase"] == "final_answer"


TEXT = st.text(max_size=8)
PARTS = st.one_of(
    st.builds(TextPart, TEXT),
    st.builds(RefusalPart, TEXT),
    st.builds(ReasoningPart, st.text(min_size=1, max_size=8)),
    st.builds(ToolCallPart, st.just("c"), st.just("f"), st.just('{"a":1}')),
    st.builds(ToolCallPart, st.just("c"), st.just("f"), TEXT, st.just("custom")),
)


@given(st.lists(PARTS, max_size=6))
def test_what_is_told_is_read_again(parts: list[Any]) -> None:
    events: list[ev.StreamEvent] = [BEGIN]
    for index, part in enumerate(parts):
        events += tell(index, part)
    events += END
    check_stream(events)
    data = StreamEncoder(REQUEST).feed(events)
    read(data)
    again = assemble(decode(data)).choices[0].parts
    assert [(type(part), said(part)) for part in again] == [(type(part), said(part)) for part in parts]


def said(part: Any) -> Any:
    return (part.arguments, part.kind) if isinstance(part, ToolCallPart) else part.text


def test_the_last_event_is_one_line_of_json() -> None:
    data = StreamEncoder(REQUEST, b'{"instructions": "a\\nb"}').feed([BEGIN, *END])
    assert json.loads(data.decode().rsplit("data: ", 1)[1])["response"]["instructions"] == "a\nb"
