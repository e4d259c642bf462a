"""``:countTokens``."""

import json

from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import FunctionTool
from anykey.protocols.codec import RequestPath
from anykey.protocols.gemini_generate.counting import COUNTER
from anykey.protocols.gemini_generate.dialect import Dialect

HERE = RequestPath("asked", False)
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]


def test_contents_alone_or_a_whole_request_are_asked() -> None:
    alone = {"contents": CONTENTS}
    whole = {"generateContentRequest": {"model": "models/asked", "contents": CONTENTS}}
    for body in (alone, whole):
        asked = COUNTER.decode_count_request(json.dumps(body).encode(), HERE).value
        assert (asked.model, asked.messages[0].parts) == ("asked", (TextPart("hi"),))


def test_instructions_and_tools_are_counted_as_a_whole_request() -> None:
    request = GenerateRequest(
        "gemini-x",
        (Message("user", (TextPart("hi"),)),),
        instructions=(TextPart("s"),),
        tools=(FunctionTool("f", parameters={"type": "object", "properties": {}}),),
        service_tier="flex",
        stream=True,
    )
    body = json.loads(COUNTER.encode_count_request(request, Dialect()).body)
    (inner,) = body.values()
    assert list(body) == ["generateContentRequest"]
    assert inner["model"] == "models/gemini-x"
    assert set(inner) == {"model", "contents", "systemInstruction", "tools"}


def test_only_a_whole_request_names_the_model() -> None:
    alone = json.dumps({"contents": CONTENTS}).encode()
    assert COUNTER.prepare_count(alone, "up") is alone
    whole = json.dumps({"generateContentRequest": {"model": "models/asked", "contents": CONTENTS}}).encode()
    inner = json.loads(COUNTER.prepare_count(whole, "up"))["generateContentRequest"]
    assert inner == {"model": "models/up", "contents": CONTENTS}


def test_the_endpoint_and_its_answer() -> None:
    base = "https://h/v1beta/models"
    assert COUNTER.count_url(base, "gemini-x") == f"{base}/gemini-x:countTokens"
    assert COUNTER.count_url(base, "tunedModels/a") == "https://h/v1beta/tunedModels/a:countTokens"
    assert COUNTER.encode_count(7) == b'{"totalTokens":7}'
    assert COUNTER.decode_count(b'{"totalTokens": 7, "promptTokensDetails": []}') == 7
