"""A lawful Messages answer and stream pass; each spoiled one is named."""

from typing import Any

import pytest

from anykey.conformance.laws.anthropic_messages import check_answer, check_failure, check_models, check_stream
from tests.unit.conformance.laws.spoiling import GONE, body, changed, records

HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
WHOLE: dict[str, Any] = {
    **HEAD,
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "hi"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 3},
}
STREAM: list[Any] = [
    {"type": "message_start", "message": {**WHOLE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": WHOLE["content"][3]},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
]
ERROR = {"type": "error", "error": {"type": "not_found_error", "message": "no"}, "request_id": "r"}
MODEL = {"type": "model", "id": "m", "display_name": "M", "created_at": "2026-01-01T00:00:00Z"}


def test_lawful_answers() -> None:
    assert check_answer(body(WHOLE)) == []
    assert check_stream(records(STREAM, named=True)) == []
    assert check_failure(404, body(ERROR)) == []
    assert check_models(body({"data": [MODEL], "has_more": False})) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("id", ""),
        ("type", "completion"),
        ("role", "user"),
        ("model", GONE),
        ("content.0.thinking", GONE),
        ("content.0.signature", None),
        ("content.1.data", ""),
        ("content.2.text", 7),
        ("content.3.id", GONE),
        ("content.3.name", ""),
        ("content.3.input", "{}"),
        ("stop_reason", "stop"),
        ("stop_sequence", GONE),
        ("usage.input_tokens", GONE),
        ("usage.output_tokens", 1.5),
    ],
)
def test_a_spoiled_answer_is_named(path: str, new: Any) -> None:
    assert len(check_answer(body(changed(WHOLE, path, new)))) == 1


@pytest.mark.parametrize(
    ("path", "new", "said"),
    [
        ("0.message.id", "", "event 0 (message_start): message.id"),
        ("0.message.usage", GONE, "event 0 (message_start): message.usage"),
        ("1.index", 1, "event 1 (content_block_start): index is 1, not 0"),
        ("3.delta.type", "input_json_delta", "event 3 (content_block_delta): in a text block delta.type"),
        ("3.index", 1, "event 3 (content_block_delta): no block 1 is open"),
        ("4", {"type": "ping"}, "event 5 (content_block_start): the block before it is still open"),
        ("6.delta.partial_json", "{", "event 7 (content_block_stop): the input of the call"),
        ("8.delta.stop_reason", None, "event 8 (message_delta): delta.stop_reason"),
        ("8.usage.output_tokens", GONE, "event 8 (message_delta): usage.output_tokens"),
        ("8", {"type": "ping"}, "event 9 (message_stop): no message_delta came before it"),
        ("9", {"type": "ping"}, "the stream has no message_stop at its end"),
        ("2.type", "pong", "event 2 (pong): no such event is known"),
    ],
)
def test_a_spoiled_stream_is_named(path: str, new: Any, said: str) -> None:
    breaches = check_stream(records(changed(STREAM, path, new), named=True))
    assert breaches[0].startswith(said)


def test_order_and_names_are_looked_at() -> None:
    assert check_stream(records([STREAM[0], *STREAM], named=True)) == ["event 1 (message_start): there was one before"]
    assert len(check_stream(records(STREAM))) == len(STREAM)
    assert check_stream([]) == ["the stream has no message_stop at its end"]
    assert check_answer(b"7") == ["the answer is no JSON object"]


@pytest.mark.parametrize(
    ("path", "new"), [("type", GONE), ("error.type", "server_error"), ("error.message", ""), ("error", "no")]
)
def test_a_spoiled_error_is_named(path: str, new: Any) -> None:
    assert len(check_failure(404, body(changed(ERROR, path, new)))) == 1
    assert check_failure(502, b"<html>") == ["the body of HTTP 502 is no JSON object"]


@pytest.mark.parametrize(("path", "new"), [("has_more", GONE), *((f"data.0.{key}", GONE) for key in MODEL)])
def test_a_spoiled_list_is_named(path: str, new: Any) -> None:
    assert len(check_models(body(changed({"data": [MODEL], "has_more": False}, path, new)))) == 1
    assert check_models(b"[]") == ["the list is no JSON object"]
