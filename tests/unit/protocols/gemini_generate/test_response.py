import json
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import Citation, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.response import decode_response, encode_response
from tests.unit.protocols.gemini_generate.answers import HIDES, answering, chunk, codes, dump, state, whole

BODY: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "hm", "thought": True},
                    {"functionCall": {"id": "1", "name": "f", "args": {"a": [1.5, None]}}, "thoughtSignature": "c2ln"},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
            "avgLogprobs": -0.25,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 5,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 10,
        "trafficType": "ON_DEMAND",
    },
    "modelVersion": "m",
    "responseId": "r",
    "createTime": "2026-05-04T20:01:02Z",
}


def test_an_answer_is_read() -> None:
    assert whole(BODY) == GenerateResponse(
        "r",
        "m",
        (
            Choice(
                (ReasoningPart("hm", state("c2ln", "call")), ToolCallPart("1", "f", '{"a":[1.5,null]}')),
                Finish("tool_calls"),
                extras={"gemini_generate": {"avgLogprobs": -0.25}},
            ),
        ),
        Usage(5, output_tokens=3, reasoning_tokens=2, extras={"gemini_generate": {"trafficType": "ON_DEMAND"}}),
        1777924862,
    )


def test_an_answer_comes_back() -> None:
    body, losses = encode_response(whole(BODY))
    assert json.loads(body) == BODY
    assert losses == ()


def test_a_blocked_prompt_comes_back() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "m", "responseId": "r"}
    assert json.loads(encode_response(whole(blocked)).body) == blocked


def test_the_chunks_of_a_json_array_are_one_answer() -> None:
    assert whole([chunk({"text": "a"}), chunk({"text": "b"}, finishReason="STOP")]) == answering(TextPart("ab"))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "not JSON"),
        (b"3", "no part of one"),
        (b"{}", "no candidates"),
        (b'{"candidates":[]}', "no candidates"),
        (b'{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}', "cannot be read"),
        (b'{"error":{"code":500,"message":"went wrong","status":"INTERNAL"}}', "went wrong"),
    ],
)
def test_what_is_no_answer_is_a_failure(body: bytes, word: str) -> None:
    with pytest.raises(FailureError) as caught:
        decode_response(body, Dialect())
    assert caught.value.failure.kind == "upstream_error"
    assert word in caught.value.failure.message


def test_an_answer_of_another_protocol() -> None:
    citation = Citation("openai_chat", {}, "https://a", "A", None, 0, 2)
    answer = GenerateResponse(
        "",
        "",
        (
            Choice((TextPart("éa", citations=(citation,)),), Finish("length")),
            Choice((), Finish("content_filter"), 1, {"content": [{"token": "t", "logprob": -1}]}),
        ),
        Usage(3, output_tokens=2),
        service_tier="default",
        extras={"openai_chat": {"system_fingerprint": "f"}},
    )
    body, losses = encode_response(answer, HIDES)
    told = json.loads(body)
    assert told["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"] == {
        "endIndex": 3,
        "text": "éa",
    }
    assert told["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert told["candidates"][1] == {
        "content": {"parts": [], "role": "model"},
        "finishReason": "SAFETY",
        "index": 1,
        "logprobsResult": {"chosenCandidates": [{"token": "t", "logProbability": -1}]},
    }
    assert told["usageMetadata"]["serviceTier"] == "standard"
    assert told["modelVersion"] == "asked"
    assert len(told["responseId"]) == 24
    assert codes(losses) == ["dropped:system_fingerprint"]


def test_keys_of_a_choice_that_have_no_place() -> None:
    answer = GenerateResponse("r", "m", (Choice((), None, extras={"anthropic_messages": {"k": 1}}),))
    assert codes(encode_response(answer).losses) == ["dropped:choices[0].k"]


def test_what_cannot_be_read_is_a_loss() -> None:
    _, losses = decode_response(dump(chunk({"text": 3}, finishReason="STOP")), Dialect())
    assert codes(losses) == ["dropped:choices[0].parts[0]"]
