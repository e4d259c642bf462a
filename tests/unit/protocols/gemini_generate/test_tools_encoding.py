from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.tools_encoding import ToolWriter
from anykey.protocols.names import sent_name

F = FunctionTool("f", "d", {"type": "object", "properties": {"a": {"type": "string"}}})
WIRE_F = {"name": "f", "description": "d", "parametersJsonSchema": F.parameters}
SEARCH = HostedTool(
    "anthropic_messages",
    "web_search_20250305",
    "web_search",
    {"type": "web_search_20250305", "max_uses": 3},
    purpose="web_search",
    options={"max_uses": 3},
)


def written(dialect: Dialect | None = None, *tools: Tool, **more: Any) -> tuple[Json, list[str]]:
    log, body = LossLog("request"), dict[str, Any]()
    ToolWriter(dialect or Dialect(), log).write(body, GenerateRequest("m", (), tools=tools, **more))
    return body, [f"{loss.kind}:{loss.path}" for loss in log.losses]


def test_all_functions_are_one_tool() -> None:
    tools = (
        F,
        FunctionTool("g"),
        FunctionTool("h", extras={"gemini_generate": {"behavior": "X"}, "openai_chat": {"y": 1}}),
    )
    assert written(None, *tools) == (
        {"tools": [{"functionDeclarations": [WIRE_F, {"name": "g"}, {"name": "h", "behavior": "X"}]}]},
        ["dropped:tools[2].y"],
    )


def test_schemas_go_in_the_subset_where_json_schema_is_not_taken() -> None:
    body, losses = written(
        Dialect(json_schema=False), F, FunctionTool("g", parameters={"type": "object", "properties": {}})
    )
    assert body["tools"][0]["functionDeclarations"] == [
        {"name": "f", "description": "d", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
        {"name": "g"},
    ]
    assert losses == []


def test_names_and_marks_are_sent_as_they_can_be() -> None:
    body, losses = written(None, FunctionTool("f.g", cache=CacheHint()))
    assert body["tools"] == [{"functionDeclarations": [{"name": sent_name("f.g")}]}]
    assert losses == ["emulated:tools[0].name", "dropped:tools[0].cache_control"]


def test_a_hosted_tool_is_exchanged_by_its_purpose() -> None:
    assert written(None, SEARCH) == (
        {"tools": [{"googleSearch": {}}]},
        ["approximated:tools[0]", "dropped:tools[0].max_uses"],
    )
    assert written(Dialect(hosted_tools="web_fetch"), SEARCH) == ({}, ["dropped:tools[0]"])
    image = HostedTool("openai_responses", "image_generation", None, {}, purpose="image_generation")
    assert written(None, image) == ({}, ["dropped:tools[0]"])


def test_a_hosted_tool_beside_functions_needs_a_model_that_mixes() -> None:
    assert written(None, F, SEARCH) == ({"tools": [{"functionDeclarations": [WIRE_F]}]}, ["dropped:tools[1]"])
    body, _ = written(Dialect(mixed_tools=True), F, SEARCH, tool_choice=ToolChoice("auto"))
    assert body == {
        "tools": [{"functionDeclarations": [WIRE_F]}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}, "includeServerSideToolInvocations": True},
    }


def test_googles_own_tools_are_sent_as_they_came() -> None:
    own = HostedTool("gemini_generate", "googleMaps", None, {"googleMaps": {"x": 1}})
    assert written(None, F, own) == ({"tools": [{"functionDeclarations": [WIRE_F]}, {"googleMaps": {"x": 1}}]}, [])


@pytest.mark.parametrize(
    ("choice", "calling", "losses"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}, []),
        (ToolChoice("required"), {"mode": "ANY"}, []),
        (ToolChoice("none"), {"mode": "NONE"}, []),
        (ToolChoice("named", ("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}, []),
        (ToolChoice("allowed", ("f",), required=True), {"mode": "ANY", "allowedFunctionNames": ["f"]}, []),
        (
            ToolChoice("allowed", ("f",)),
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
            ["approximated:tool_choice"],
        ),
        (ToolChoice("auto", extras={"gemini_generate": {"mode": "VALIDATED"}}), {"mode": "VALIDATED"}, []),
        (ToolChoice("auto", extras={"openai_chat": {"x": 1}}), {"mode": "AUTO"}, ["dropped:tool_choice.x"]),
    ],
)
def test_a_choice_is_sent(choice: ToolChoice, calling: Json, losses: list[str]) -> None:
    body, said = written(None, F, tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": calling}
    assert said == losses


def test_a_choice_without_functions_is_sent_only_if_it_forces_none() -> None:
    assert written(None, tool_choice=ToolChoice("none"))[0] == {
        "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}
    }
    assert written(None, tool_choice=ToolChoice("required")) == ({}, ["dropped:tool_choice"])


def test_limits_without_the_validated_mode_hold_only_where_a_call_is_forced() -> None:
    body, losses = written(Dialect(validated_calls=False), F, tool_choice=ToolChoice("allowed", ("f",)))
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}
    assert losses == ["dropped:tool_choice.names"]


STRICT = FunctionTool("f", strict=True)


@pytest.mark.parametrize(
    ("choice", "validated", "mode", "losses"),
    [
        (None, True, "VALIDATED", ["approximated:tools[0].strict"]),
        (ToolChoice("auto"), True, "VALIDATED", ["approximated:tools[0].strict"]),
        (ToolChoice("auto"), False, "AUTO", ["dropped:tools[0].strict"]),
        (ToolChoice("none"), True, "NONE", ["dropped:tools[0].strict"]),
    ],
)
def test_a_strict_tool_has_all_calls_validated(
    choice: ToolChoice | None, validated: bool, mode: str, losses: list[str]
) -> None:
    body, said = written(Dialect(validated_calls=validated), STRICT, tool_choice=choice)
    assert body["toolConfig"]["functionCallingConfig"]["mode"] == mode
    assert said == losses


def test_calls_come_in_parallel() -> None:
    assert written(None, F, parallel_tool_calls=False)[1] == ["dropped:parallel_tool_calls"]
    assert written(None, F, parallel_tool_calls=True)[1] == []
