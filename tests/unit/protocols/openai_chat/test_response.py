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
from anykey.conversation.usage import Usage
from anykey.protocols.openai_chat.codec import CODEC
from tests.unit.protocols.openai_chat.samples import PLAIN, codes, dump

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
NO_ANSWER = {"refusal": None}


def body(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion", "created": 7, "model": "m", "choices": [choice], **more}


def read(wire: dict[str, Any]) -> GenerateResponse:
    return CODEC.decode_response(dump(wire), PLAIN).value


def tell(*parts: Part, finish: Finish | None = None, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    answer = GenerateResponse("c1", "m", (Choice(parts, finish or Finish("stop")),), **fields)
    told, losses = CODEC.encode_response(answer)
    assert all(loss.side == "response" for loss in losses)
    return json.loads(told), codes(losses)


@pytest.mark.parametrize(
    "wire",
    [
        body({"content": "hi", "refusal": None}),
        body({"content": None, "refusal": None, "tool_calls": [CALL, {**CALL, "id": "2"}]}, "tool_calls"),
        body({"content": "hi", "refusal": None, "reasoning_content": "so"}, "length"),
        body({"content": None, "refusal": "no"}),
        body({"content": "", "refusal": None}, "content_filter"),
        body({"content": None, "refusal": None, "function_call": {"name": "f", "arguments": "{}"}}, "function_call"),
        body(
            {"content": "hi", "refusal": None, "audio": {"id": "a", "data": "AA", "expires_at": 1, "transcript": "t"}}
        ),
        body({"content": "hi", "refusal": None, "images": [{"type": "image_url", "image_url": {"url": "https://x"}}]}),
        body({"content": "hi", "refusal": None, "annotations": [{"type": "file", "file": {"name": "x"}}]}),
        body({"content": "hi", "refusal": None, "padding": "x"}, system_fingerprint="fp", service_tier="default"),
        body(
            {
                "content": None,
                "refusal": None,
                "reasoning_content": "so",
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "so",
                        "signature": "s",
                        "format": "anthropic-claude-v1",
                        "index": 0,
                    },
                    {"type": "reasoning.encrypted", "data": "g", "format": "openai-responses-v1", "index": 1},
                    {"type": "reasoning.odd"},
                ],
                "tool_calls": [CALL, {"type": "mcp"}],
            },
            "tool_calls",
        ),
    ],
)
def test_an_answer_of_this_protocol_comes_back(wire: dict[str, Any]) -> None:
    told, losses = CODEC.encode_response(read(wire))
    assert json.loads(told) == wire
    assert losses == ()


def test_more_choices_keep_their_numbers_logprobs_and_extras() -> None:
    wire = body({"content": "a", "refusal": None})
    logprobs = {"content": [{"token": "b"}], "refusal": None}
    wire["choices"].append({**wire["choices"][0], "index": 1, "logprobs": logprobs, "native_finish_reason": "x"})
    assert json.loads(CODEC.encode_response(read(wire)).body) == wire


@pytest.mark.parametrize(
    ("word", "message", "finish"),
    [
        ("stop", {"content": "a"}, Finish("stop")),
        ("eos", {"content": "a"}, Finish("stop", "eos")),
        ("MAX_TOKENS", {"content": "a"}, Finish("length", "MAX_TOKENS")),
        ("model_length", {"content": "a"}, Finish("context_window", "model_length")),
        ("odd", {"content": "a"}, Finish("other", "odd")),
        ("stop", {"tool_calls": [CALL]}, Finish("tool_calls", "stop")),
        (None, {"tool_calls": [CALL]}, Finish("tool_calls")),
        ("length", {"tool_calls": [CALL]}, Finish("length")),
        ("stop", {"refusal": "no"}, Finish("refusal", "stop")),
        (None, {"content": "a"}, None),
        ("", {"content": "a"}, None),
    ],
)
def test_why_it_ended(word: str | None, message: dict[str, Any], finish: Finish | None) -> None:
    assert read(body(message, word)).choices[0].finish == finish


@pytest.mark.parametrize(
    ("finish", "word", "losses"),
    [
        (Finish("stop", "end_turn"), "stop", []),
        (Finish("stop_sequence", None, "END"), "stop", ["dropped:choices[0].stop_sequence"]),
        (Finish("context_window"), "length", ["approximated:choices[0].finish_reason"]),
        (Finish("pause", "pause_turn"), "stop", ["approximated:choices[0].finish_reason"]),
        (Finish("other", "odd"), "stop", ["approximated:choices[0].finish_reason"]),
        (Finish("refusal"), "content_filter", []),
    ],
)
def test_how_the_end_is_told(finish: Finish, word: str, losses: list[str]) -> None:
    told, found = tell(TextPart("a"), finish=finish)
    assert told["choices"][0]["finish_reason"] == word
    assert found == losses


def test_calls_are_told_as_calls_whatever_the_word() -> None:
    told, _ = tell(ToolCallPart("1", "f", ""), finish=Finish("tool_calls", "stop"))
    choice = told["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]}


def test_a_refusal_is_explained() -> None:
    detail = {"type": "refusal", "category": "cyber", "explanation": "No."}
    told, losses = tell(finish=Finish("refusal", detail=detail))
    assert told["choices"][0]["message"]["refusal"] == "No."
    assert losses == ["dropped:choices[0].stop_details.category"]


def test_an_answer_of_another_protocol() -> None:
    told, losses = tell(
        ReasoningPart("so", OpaqueState("anthropic_messages", "sig")),
        TextPart("ab"),
        TextPart(
            "cd", citations=(Citation("anthropic_messages", {}, "https://x", "X"), Citation("anthropic_messages", {}))
        ),
        ToolCallPart("s", "web_search", "{}", "hosted"),
        OpaquePart("anthropic_messages", "web_search_tool_result", {}),
        ToolCallPart("1", "f", "{}", extras={"anthropic_messages": {"caller": {}}}),
        TextPart("e"),
        MediaPart("document", text="x"),
        finish=Finish("tool_calls"),
        usage=Usage(3, output_tokens=4),
        extras={"anthropic_messages": {"container": {}}},
    )
    message = told["choices"][0]["message"]
    assert message["content"] == "abcde"
    assert message["reasoning_content"] == "so"
    assert message["reasoning_details"][0]["format"] == "anthropic-claude-v1"
    assert message["annotations"] == [
        {"type": "url_citation", "url_citation": {"start_index": 2, "end_index": 4, "title": "X", "url": "https://x"}}
    ]
    assert told["usage"]["total_tokens"] == 7
    assert (told["id"], told["created"]) == ("c1", 0)
    assert losses == [
        "dropped:choices[0].content[2].citations[1]",
        "dropped:choices[0].content[3]",
        "dropped:choices[0].content[4]",
        "dropped:choices[0].content[5].caller",
        "approximated:choices[0].content[6]",
        "dropped:choices[0].content[7]",
        "dropped:container",
    ]


def test_an_answer_without_an_id_gets_one() -> None:
    answer = GenerateResponse("", "m", (Choice((RefusalPart("no"),)),))
    told = json.loads(CODEC.encode_response(answer).body)
    assert told["id"].startswith("chatcmpl-")
    assert told == json.loads(CODEC.encode_response(answer).body)


def test_content_in_pieces_is_told_as_one_text() -> None:
    pieces = [{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}, {"type": "text", "text": "hi"}]
    answer = read(body({"content": pieces}))
    assert answer.choices[0].parts == (ReasoningPart("so"), TextPart("hi"))
    assert json.loads(CODEC.encode_response(answer).body)["choices"][0]["message"]["content"] == "hi"


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        ({"error": {"message": "no", "code": "rate_limit_exceeded"}}, "rate_limited"),
        ({"error": "no"}, "upstream_error"),
        ({"id": "x"}, "upstream_error"),
        ([], "upstream_error"),
        ({"choices": "x"}, "upstream_error"),
    ],
)
def test_what_is_no_answer_is_a_failure(wire: Any, kind: str) -> None:
    with pytest.raises(FailureError) as caught:
        CODEC.decode_response(dump(wire), PLAIN)
    assert caught.value.failure.kind == kind
