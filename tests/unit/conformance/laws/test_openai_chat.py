"""A lawful Chat answer and stream pass; each spoiled one is named."""

from typing import Any

import pytest

from anykey.conformance.laws.openai_chat import check_answer, check_stream
from tests.unit.conformance.laws.spoiling import GONE, body, changed, records

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "x"}}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "m"}
WHOLE: dict[str, Any] = {
    **HEAD,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi", "tool_calls": [CALL, CUSTOM]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": USAGE,
}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {**HEAD, "object": "chat.completion.chunk", "choices": choices, **more}


STREAM: list[Any] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "hi"}),
    chunk(
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]}
    ),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
    chunk({}, "tool_calls"),
    chunk(usage=USAGE),
    "[DONE]",
]


SPOILED: list[tuple[str, Any, str]] = [
    ("0.choices.0.delta.role", GONE, "chunk 0: choices[0].delta.role"),
    ("1.id", "other", "the chunks have different ids"),
    ("1.object", "chat.completion", "chunk 1: object"),
    ("1.choices.0.delta.content", 7, "chunk 1: choices[0].delta.content"),
    ("2.choices.0.delta.tool_calls.0.id", GONE, "chunk 2: choices[0].delta.tool_calls[0].id"),
    ("2.choices.0.delta.tool_calls.0.function.name", "", "chunk 2: choices[0].delta.tool_calls[0].function.name"),
    ("4.choices.0.delta.tool_calls.0.function.arguments", "", "the arguments of a tool call"),
    ("5.choices.0.finish_reason", None, "a choice has no finish reason"),
    ("6.choices", [{"index": 0, "delta": {}}], "chunk 6: usage comes in a chunk that has choices"),
    ("6", chunk(), "no usage is reported"),
    ("7", chunk(), "the stream does not end with [DONE]"),
]


def test_lawful_answers() -> None:
    assert check_answer(body(WHOLE)) == []
    assert check_stream(records(STREAM)) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("id", ""),
        ("object", "chat.completion.chunk"),
        ("created", "now"),
        ("model", GONE),
        ("choices", []),
        ("choices.0.index", GONE),
        ("choices.0.finish_reason", None),
        ("choices.0.finish_reason", "end_turn"),
        ("choices.0.message.role", "user"),
        ("choices.0.message.content", [{"type": "text"}]),
        ("choices.0.message.tool_calls.0.id", ""),
        ("choices.0.message.tool_calls.0.type", GONE),
        ("choices.0.message.tool_calls.0.function.name", GONE),
        ("choices.0.message.tool_calls.0.function.arguments", {"a": 1}),
        ("choices.0.message.tool_calls.1.custom.input", GONE),
        ("usage", GONE),
        ("usage.completion_tokens", -1),
        ("usage.total_tokens", 9),
    ],
)
def test_a_spoiled_answer_is_named(path: str, new: Any) -> None:
    assert len(check_answer(body(changed(WHOLE, path, new)))) == 1


@pytest.mark.parametrize(("path", "new", "said"), SPOILED)
def test_a_spoiled_stream_is_named(path: str, new: Any, said: str) -> None:
    (breach,) = check_stream(records(changed(STREAM, path, new)))
    assert breach.startswith(said)


def test_content_after_the_finish_reason_and_a_second_one_are_named() -> None:
    late = [*STREAM[:6], chunk({"content": "more"}), *STREAM[6:]]
    assert check_stream(records(late)) == ["chunk 6: choices[0].delta comes after the finish reason"]
    twice = [*STREAM[:6], STREAM[5], *STREAM[6:]]
    assert check_stream(records(twice)) == ["chunk 6: choices[0].finish_reason comes twice"]
    assert check_stream([])
    assert check_answer(b"[]") == ["the answer is no JSON object"]
