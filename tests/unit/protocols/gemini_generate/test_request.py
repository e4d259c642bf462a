import json
from typing import Any

import msgspec
import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, Json, TextPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.tools import CustomTool, FunctionTool, ToolChoice
from anykey.protocols.codec import RequestPath
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.request import decode_count_request, decode_request, encode_request

HERE = RequestPath("m", stream=False)
HI = Message("user", (TextPart("hi"),))
FULL = Dialect(thinking="budget", labels=True)
BODY: Json = {
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "systemInstruction": {"parts": [{"text": "be good"}]},
    "tools": [
        {"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]},
        {"googleSearch": {}},
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}, "includeServerSideToolInvocations": True},
    "generationConfig": {
        "temperature": 1.0,
        "thinkingConfig": {"thinkingBudget": 5000, "includeThoughts": True},
        "responseModalities": ["TEXT"],
    },
    "safetySettings": [{"category": "X", "threshold": "Y"}],
    "cachedContent": "cachedContents/1",
    "serviceTier": "flex",
    "labels": {"team_name": "a"},
    "store": False,
}
SNAKE: Json = {
    "contents": BODY["contents"],
    "system_instruction": BODY["systemInstruction"],
    "tools": [
        {"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]},
        {"google_search": {}},
    ],
    "tool_config": {"function_calling_config": {"mode": "AUTO"}, "include_server_side_tool_invocations": True},
    "generation_config": {
        "temperature": 1.0,
        "thinking_config": {"thinking_budget": 5000, "include_thoughts": True},
        "response_modalities": ["TEXT"],
    },
    "safety_settings": BODY["safetySettings"],
    "cached_content": "cachedContents/1",
    "service_tier": "FLEX",
    "labels": BODY["labels"],
    "store": False,
}


def read(body: Any, path: RequestPath = HERE) -> GenerateRequest:
    decoded = decode_request(json.dumps(body).encode(), path)
    assert decoded.losses == ()
    return decoded.value


def written(request: GenerateRequest, dialect: Dialect | None = None) -> tuple[Json, list[str]]:
    body, losses = encode_request(request, dialect or Dialect())
    return json.loads(body), [loss.code for loss in losses]


def test_both_spellings_are_the_same_request_and_come_back() -> None:
    request = read(BODY)
    assert read(SNAKE) == request
    assert written(request, FULL) == (BODY, [])


def test_the_path_says_the_model_and_whether_it_streams() -> None:
    request = read({**BODY, "model": "models/x"}, RequestPath("y", stream=True))
    assert (request.model, request.stream) == ("y", True)
    assert read({"contents": "hi", "model": "models/x"}, RequestPath()).model == "x"
    assert "model" not in written(request, FULL)[0]


def test_a_count_asks_for_contents_or_a_whole_request() -> None:
    assert decode_count_request(b'{"contents":"hi"}', HERE).value.messages == (HI,)
    whole = {"generateContentRequest": {"model": "models/x", "contents": "hi", "systemInstruction": "be good"}}
    request = decode_count_request(json.dumps(whole).encode(), RequestPath()).value
    assert (request.model, request.messages, request.instructions) == ("x", (HI,), (TextPart("be good"),))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "contents: this field is required"),
        ([], "expected an object"),
        ({"contents": "hi", "tools": "x"}, "tools: expected an array"),
        ({"contents": "hi", "generationConfig": []}, "generationConfig: expected an object"),
        ({"contents": "hi", "generationConfig": {"topP": 1, "top_p": 1}}, "generationConfig.topP: .* both spellings"),
    ],
)
def test_what_cannot_be_read_is_named(body: Any, named: str) -> None:
    with pytest.raises(FailureError, match=named):
        read(body)


def test_a_request_needs_a_model() -> None:
    with pytest.raises(FailureError, match="model: this field is required"):
        read({"contents": "hi"}, RequestPath())


@pytest.mark.parametrize(
    ("tier", "sent", "losses"),
    [
        ("default", "standard", []),
        ("flex", "flex", []),
        ("priority", "priority", []),
        ("standard_only", "standard", ["approximated:service_tier"]),
        ("scale", "priority", ["approximated:service_tier"]),
        ("auto", None, ["dropped:service_tier"]),
    ],
)
def test_a_tier_is_googles_word(tier: str, sent: str | None, losses: list[str]) -> None:
    body, said = written(GenerateRequest("m", (HI,), service_tier=tier))
    assert (body.get("serviceTier"), said) == (sent, losses)
    assert written(GenerateRequest("m", (HI,), service_tier=tier), Dialect(service_tier=False))[1] == [
        "dropped:service_tier"
    ]


def test_who_asks_goes_into_labels_where_there_are_any() -> None:
    request = GenerateRequest("m", (HI,), metadata={"user_id": "u", "n": 1}, end_user="u")
    assert written(request) == (
        written(GenerateRequest("m", (HI,)))[0],
        ["dropped:metadata.user_id", "dropped:metadata.n"],
    )
    assert written(request, FULL)[0]["labels"] == {"user_id": "u"}
    named = GenerateRequest("m", (HI,), end_user="u")
    assert written(named)[1] == ["dropped:end_user"]
    assert written(named, FULL)[0]["labels"] == {"end_user": "u"}


def test_what_has_no_place_is_named() -> None:
    request = GenerateRequest(
        "m", (HI,), verbosity="low", cache_key="k", cache=CacheHint(), extras={"openai_chat": {"logit_bias": {}}}
    )
    assert written(request)[1] == [
        "dropped:cache_control",
        "dropped:verbosity",
        "dropped:cache_key",
        "dropped:logit_bias",
    ]


def test_a_model_of_pictures_is_asked_for_them_unless_the_caller_says() -> None:
    painter = Dialect(image_output=True)
    assert written(GenerateRequest("m", (HI,)), painter)[0]["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"]
    }
    said = GenerateRequest("m", (HI,), extras={"gemini_generate": {"generationConfig.responseModalities": ["IMAGE"]}})
    assert written(said, painter)[0]["generationConfig"] == {"responseModalities": ["IMAGE"]}


def test_free_text_tools_and_groups_are_plain_functions() -> None:
    request = GenerateRequest(
        "m",
        (HI,),
        tools=(
            CustomTool("patch", "d", {"type": "grammar", "syntax": "lark", "definition": "g"}),
            FunctionTool("f", namespace="n"),
        ),
        tool_choice=ToolChoice("named", ("f",)),
    )
    body, losses = written(request)
    assert [tool["name"] for tool in body["tools"][0]["functionDeclarations"]] == ["patch", "n__f"]
    assert "g" in body["tools"][0]["functionDeclarations"][0]["description"]
    assert body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == ["n__f"]
    assert losses == ["emulated:tools", "emulated:tools.namespace"]


def test_a_callers_wish_to_see_thoughts_is_passed_on() -> None:
    request = GenerateRequest("m", (HI,), reasoning=Reasoning("on", None, 9000))
    assert written(request, FULL)[0]["generationConfig"] == {
        "thinkingConfig": {"thinkingBudget": 9000, "includeThoughts": True}
    }


def test_a_request_is_not_changed_by_being_sent() -> None:
    request = read(BODY)
    before = msgspec.json.encode(request)
    encode_request(request, Dialect(mixed_tools=True, image_output=True))
    assert msgspec.json.encode(request) == before


def test_what_a_system_instruction_says_besides_goes_back_to_its_place() -> None:
    body = {**BODY, "systemInstruction": {"role": "user", "parts": [{"text": "be good"}], "x": 1}}
    sent, _ = written(read(body), FULL)
    assert sent["systemInstruction"] == {"parts": [{"text": "be good"}], "x": 1}
