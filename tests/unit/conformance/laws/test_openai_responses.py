"""A lawful Responses answer and stream pass; each spoiled one is named."""

from typing import Any

import pytest

from anykey.conformance.laws.openai_responses import check_answer, check_stream
from tests.unit.conformance.laws.spoiling import GONE, body, changed, records

MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}],
}
CALL: dict[str, Any] = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
CUSTOM: dict[str, Any] = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "g", "input": "x"}
THOUGHT: dict[str, Any] = {"type": "reasoning", "id": "rs_1", "summary": []}
HEAD: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
WHOLE: dict[str, Any] = {
    **HEAD,
    "status": "completed",
    "output": [THOUGHT, MESSAGE, CALL, CUSTOM],
    "usage": {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 10,
    },
}
_TEXT: dict[str, Any] = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_ARGUMENTS: dict[str, Any] = {"item_id": "fc_1", "output_index": 1}
EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": {**HEAD, "status": "in_progress", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}},
    {"type": "response.content_part.added", **_TEXT, "part": {"type": "output_text", "text": ""}},
    {"type": "response.output_text.delta", **_TEXT, "delta": "h"},
    {"type": "response.output_text.delta", **_TEXT, "delta": "i"},
    {"type": "response.output_text.done", **_TEXT, "text": "hi"},
    {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
    {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", **_ARGUMENTS, "delta": "{}"},
    {"type": "response.function_call_arguments.done", **_ARGUMENTS, "arguments": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    {"type": "response.completed", "response": {**WHOLE, "output": [MESSAGE, CALL]}},
]
STREAM: list[Any] = [{"sequence_number": number, **event} for number, event in enumerate(EVENTS)]


SPOILED: list[tuple[str, Any, str]] = [
    ("4.sequence_number", 3, "event 4 (response.output_text.delta) has the sequence_number 3"),
    ("0.type", "response.queued", "the first event's type"),
    ("3.item_id", GONE, "event 3 (response.output_text.delta): item_id"),
    ("4.delta", "", "event 5 (response.output_text.done): text is not what the deltas said"),
    ("9.arguments", "{ }", "event 9 (response.function_call_arguments.done): arguments is not what"),
    ("6.item.id", "msg_2", "event 6 (response.output_item.done): the item's id changed"),
    ("8.output_index", 0, "event 8 (response.function_call_arguments.delta): no item is open"),
    ("11.response.output", [MESSAGE], "the last event does not repeat the items"),
    ("11.response.usage", GONE, "the last event's response.usage"),
    ("11.type", "response.done", "the last event's type"),
    ("6.type", "response.other", "an item was added and never done"),
]


def test_lawful_answers() -> None:
    assert check_answer(body(WHOLE)) == []
    assert check_stream(records(STREAM, named=True)) == []
    assert check_stream(records([*STREAM, {"type": "x"}], named=True)[:-1]) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("id", GONE),
        ("object", "chat.completion"),
        ("created_at", "now"),
        ("model", ""),
        ("status", "failed"),
        ("parallel_tool_calls", GONE),
        ("tool_choice", GONE),
        ("tools", GONE),
        ("output.0.id", GONE),
        ("output.0.summary", GONE),
        ("output.1.id", ""),
        ("output.1.role", "user"),
        ("output.1.content.0.type", "text"),
        ("output.1.content.0.text", None),
        ("output.1.content.0.annotations", GONE),
        ("output.2.call_id", GONE),
        ("output.2.name", GONE),
        ("output.2.arguments", "{"),
        ("output.3.input", GONE),
        ("output.3.type", ""),
        ("usage", GONE),
        ("usage.total_tokens", 9),
        ("usage.input_tokens_details.cached_tokens", GONE),
        ("usage.output_tokens_details.reasoning_tokens", None),
    ],
)
def test_a_spoiled_answer_is_named(path: str, new: Any) -> None:
    assert len(check_answer(body(changed(WHOLE, path, new)))) == 1


@pytest.mark.parametrize(("path", "new", "said"), SPOILED)
def test_a_spoiled_stream_is_named(path: str, new: Any, said: str) -> None:
    breaches = check_stream(records(changed(STREAM, path, new), named=True))
    assert breaches
    assert any(breach.startswith(said) for breach in breaches)


def test_names_and_ends_are_looked_at() -> None:
    unnamed = check_stream(records(STREAM))
    assert len(unnamed) == len(STREAM)
    assert check_stream([]) == ["the stream holds no event"]
    twice = [*STREAM, {**STREAM[-1], "sequence_number": len(STREAM)}]
    assert check_stream(records(twice, named=True)) == ["there is more than one terminal event"]
    assert check_answer(b"null") == ["the answer is no JSON object"]
