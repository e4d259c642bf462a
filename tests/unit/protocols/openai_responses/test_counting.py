"""``POST /v1/responses/input_tokens``."""

import json

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.tools import FunctionTool
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_responses.counting import COUNTER
from anykey.protocols.openai_responses.dialect import Dialect

HERE = RequestPath()


@pytest.mark.parametrize("given", [{}, {"input": None}, {"input": []}])
def test_there_may_be_instructions_alone(given: dict[str, object]) -> None:
    body = json.dumps({"model": "m", "instructions": "Be brief.", **given}).encode()
    asked = COUNTER.decode_count_request(body, HERE).value
    assert (asked.messages, asked.instructions) == ((), (TextPart("Be brief."),))


def test_a_question_is_a_request() -> None:
    asked = COUNTER.decode_count_request(b'{"model": "m", "input": "hi"}', HERE).value
    assert asked.messages[0].parts == (TextPart("hi"),)
    with pytest.raises(FailureError):
        COUNTER.decode_count_request(b"[]", HERE)


def test_what_concerns_the_answer_is_not_asked() -> None:
    request = GenerateRequest(
        "m",
        (Message("user", (TextPart("hi"),)),),
        instructions=(TextPart("s"),),
        tools=(FunctionTool("f", parameters={"type": "object"}),),
        reasoning=Reasoning(effort="high"),
        max_output_tokens=5000,
        temperature=1.0,
        service_tier="auto",
        stream=True,
    )
    body = json.loads(COUNTER.encode_count_request(request, Dialect()).body)
    assert {"model", "input", "tools"} <= set(body) <= {"model", "input", "instructions", "tools", "reasoning"}


def test_the_endpoint_and_its_answer() -> None:
    assert COUNTER.count_url("https://h/v1/responses", "m") == "https://h/v1/responses/input_tokens"
    assert json.loads(COUNTER.encode_count(7)) == {"object": "response.input_tokens", "input_tokens": 7}
    assert COUNTER.decode_count(COUNTER.encode_count(7)) == 7
    assert json.loads(COUNTER.prepare_count(b'{"model": "a", "input": "x"}', "b")) == {"model": "b", "input": "x"}
