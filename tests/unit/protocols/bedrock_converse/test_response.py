import json
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import TextPart
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.protocols.bedrock_converse.response import decode_response

ANSWER: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
    "metrics": {"latencyMs": 12},
    "performanceConfig": {"latency": "standard"},
}


def test_an_answer() -> None:
    answer, losses = decode_response(json.dumps(ANSWER).encode())
    assert answer.choices[0].parts == (TextPart("Hello"),)
    assert answer.choices[0].finish == Finish("stop")
    assert answer.usage == Usage(7, output_tokens=3)
    assert (answer.id, answer.model, answer.extras, losses) == ("", "", {}, ())


def test_what_else_it_says() -> None:
    more = {"trace": {"a": 1}, "serviceTier": {"type": "flex"}, "additionalModelResponseFields": None}
    answer = decode_response(json.dumps({**ANSWER, **more}).encode()).value
    assert answer.extras == {"bedrock_converse": {"trace": {"a": 1}}}
    assert answer.service_tier == "flex"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "no content"),
        (b'{"output": {"message": {"content": ["x"]}}}', "no content"),
        (b'{"message": "It fell over."}', "It fell over."),
    ],
)
def test_what_is_no_answer(body: bytes, words: str) -> None:
    with pytest.raises(FailureError, match=words) as caught:
        decode_response(body)
    assert caught.value.failure.kind == "upstream_error"
