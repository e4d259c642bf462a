"""``POST /v1/messages/count_tokens``."""

import json

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.tools import FunctionTool, ToolChoice
from anykey.protocols.anthropic_messages.counting import COUNTER
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.codec import RequestPath

HERE = RequestPath()


def test_a_question_is_a_request_without_a_limit() -> None:
    body = {"model": "m", "system": "s", "messages": [{"role": "user", "content": "hi"}]}
    asked = COUNTER.decode_count_request(json.dumps(body).encode(), HERE).value
    assert (asked.model, asked.max_output_tokens) == ("m", None)
    with pytest.raises(FailureError):
        COUNTER.decode_count_request(b'{"model": "m"}', HERE)


def test_what_concerns_the_answer_is_not_asked() -> None:
    request = GenerateRequest(
        "m",
        (Message("user", (TextPart("hi"),)),),
        instructions=(TextPart("s"),),
        tools=(FunctionTool("f"),),
        tool_choice=ToolChoice("auto"),
        reasoning=Reasoning("on", budget_tokens=2000),
        max_output_tokens=5000,
        temperature=1.0,
        stop=("x",),
        end_user="ann",
        service_tier="auto",
        stream=True,
    )
    body = json.loads(COUNTER.encode_count_request(request, Dialect()).body)
    assert set(body) == {"model", "messages", "system", "tools", "tool_choice", "thinking"}


def test_the_endpoint_and_its_answer() -> None:
    assert COUNTER.count_url("https://h/v1/messages", "m") == "https://h/v1/messages/count_tokens"
    assert COUNTER.encode_count(7) == b'{"input_tokens":7}'
    assert COUNTER.decode_count(COUNTER.encode_count(7)) == 7
    assert json.loads(COUNTER.prepare_count(b'{"model": "a"}', "b")) == {"model": "b"}
