import json
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import (
    Citation,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.protocols.anthropic_messages.response import decode_response, encode_response, message_id

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "x", "citations": [{"type": "web_search_result_location", "url": "u", "title": "t"}]},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": 1}},
        {"type": "tool_use", "id": "toolu_1", "name": "n", "input": {"a": 1}, "caller": {"type": "direct"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 2},
    "container": {"id": "c"},
}


def encode(*parts: Part, finish: Finish | None = None, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    response = GenerateResponse("id", "m", (Choice(parts, finish or Finish("stop")),), **fields)
    body, losses = encode_response(response)
    assert all(loss.side == "response" for loss in losses)
    return json.loads(body), [f"{loss.kind} {loss.path}" for loss in losses]


def test_an_answer_comes_back() -> None:
    response, losses = decode_response(json.dumps(MESSAGE).encode())
    assert not losses
    body, losses = encode_response(response)
    assert (json.loads(body), losses) == (MESSAGE, ())


def test_an_answer_without_content_is_one() -> None:
    response = decode_response(json.dumps(MESSAGE | {"content": [], "stop_reason": None}).encode()).value
    assert response.choices == (Choice((), None),)
    assert json.loads(encode_response(response).body)["content"] == []
    assert decode_response(json.dumps(MESSAGE | {"content": "plain"}).encode()).value.choices[0].parts == (
        TextPart("plain"),
    )


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"content": [{"type": "text"}]}', b'{"content": 3}', b"\xff"]
)
def test_what_cannot_be_read_is_the_upstreams_fault(body: bytes) -> None:
    with pytest.raises(FailureError) as caught:
        decode_response(body)
    assert caught.value.failure.kind == "upstream_error"


def test_an_error_in_the_clothes_of_a_success() -> None:
    with pytest.raises(FailureError) as caught:
        decode_response(b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}')
    assert (caught.value.failure.kind, caught.value.failure.message) == ("overloaded", "busy")


@pytest.mark.parametrize(
    ("part", "block", "losses"),
    [
        (ReasoningPart("hm"), {"type": "thinking", "thinking": "hm", "signature": ""}, []),
        (
            ReasoningPart("hm", OpaqueState("xai", "s")),
            {"type": "thinking", "thinking": "hm", "signature": ""},
            ["dropped content[0].state"],
        ),
        (
            ReasoningPart("", OpaqueState("xai", "s"), redacted=True),
            None,
            ["dropped content[0].state", "dropped content[0]"],
        ),
        (ReasoningPart(""), None, []),
        (TextPart(""), None, []),
        (
            TextPart("x", citations=(Citation("openai_chat", {}),)),
            {"type": "text", "text": "x"},
            ["dropped content[0].citations"],
        ),
        (ToolCallPart("i", "n", ""), {"type": "tool_use", "id": "i", "name": "n", "input": {}}, []),
        (
            ToolCallPart("i", "n", "{"),
            {"type": "tool_use", "id": "i", "name": "n", "input": {"_raw": "{"}},
            ["approximated content[0].arguments"],
        ),
        (
            ToolCallPart("i", "n", "p", "custom"),
            {"type": "tool_use", "id": "i", "name": "n", "input": {"input": "p"}},
            ["emulated content[0]"],
        ),
        (ToolCallPart("i", "n", "{}", "hosted"), None, ["dropped content[0]"]),
        (
            MediaPart("image", "image/png", "x"),
            {"type": "text", "text": "[The model made a medium of the kind image here, which cannot be shown.]"},
            ["dropped content[0]"],
        ),
        (OpaquePart("openai_chat", "audio", {}), None, ["dropped content[0]"]),
    ],
)
def test_parts_of_other_protocols(part: Part, block: Any, losses: list[str]) -> None:
    body, found = encode(part)
    assert (body["content"], found) == ([block] if block else [], losses)


def test_a_refusal_is_text_and_the_stop_reason() -> None:
    body, _ = encode(RefusalPart("I cannot."))
    assert (body["content"], body["stop_reason"]) == ([{"type": "text", "text": "I cannot."}], "refusal")


def test_what_stands_at_the_top_of_another_protocols_answer_is_named() -> None:
    body, losses = encode(TextPart("x"), service_tier="flex", extras={"openai_chat": {"system_fingerprint": "f"}})
    assert losses == ["dropped service_tier", "dropped system_fingerprint"]
    assert body["usage"] == {"input_tokens": 0, "output_tokens": 0}
    two = GenerateResponse("id", "m", (Choice(()), Choice((), index=1, logprobs={})))
    assert [loss.path for loss in encode_response(two).losses] == ["choices[1]"]


def test_ids_have_the_shape_clients_know() -> None:
    assert message_id("msg_bdrk_1") == "msg_bdrk_1"
    assert message_id("chatcmpl-1") == message_id("chatcmpl-1") != message_id("chatcmpl-2")
    assert len(message_id("")) == len("msg_") + 24


def test_a_sealed_thought_after_a_medium_told_in_words_has_no_place() -> None:
    sound = MediaPart("audio", "audio/wav", "AA")
    sealed = ReasoningPart("", OpaqueState("anthropic_messages", "s"), redacted=True)
    body, losses = encode(sound, sealed)
    assert [block["type"] for block in body["content"]] == ["text"]
    assert losses[-1] == "dropped content[1].state"
