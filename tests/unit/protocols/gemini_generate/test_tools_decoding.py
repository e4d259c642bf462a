from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import Json
from anykey.conversation.tools import FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.spelling import fields_of
from anykey.protocols.gemini_generate.tools_decoding import decode_tool_config, decode_tools, has_upper_types


def read(value: Any, *, respell: bool = False) -> tuple[Tool, ...]:
    return decode_tools(value, "tools", respell=respell)


@pytest.mark.parametrize(
    "declaration",
    [
        {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}},
        {"name": "f", "description": "d", "parameters_json_schema": {"type": "object"}},
        {"name": "f", "description": "d", "parameters": {"type": "OBJECT"}},
    ],
)
def test_a_function_has_one_schema_in_several_spellings(declaration: Json) -> None:
    tool = FunctionTool("f", "d", {"type": "object"})
    assert read([{"functionDeclarations": [declaration]}]) == (tool,)
    assert read({"function_declarations": declaration}) == (tool,)


def test_upper_types_in_a_json_schema_are_respelled_where_there_are_any() -> None:
    declaration = {"name": "f", "description": "d", "parametersJsonSchema": {"type": "OBJECT"}}
    assert read([{"functionDeclarations": [declaration]}], respell=True) == (
        FunctionTool("f", "d", {"type": "object"}),
    )
    assert has_upper_types(b'{"type": "OBJECT"}')
    assert has_upper_types(b'{"type":["STRING"]}')
    assert not has_upper_types(b'{"type":"object","text":"OBJECT"}')


def test_what_a_function_says_besides_is_kept() -> None:
    declaration = {
        "name": "f",
        "behavior": "BLOCKING",
        "parameters": {"a": 1},
        "parametersJsonSchema": {"type": "object"},
    }
    extras = {"gemini_generate": {"behavior": "BLOCKING", "parameters": {"a": 1}}}
    assert read([{"functionDeclarations": [declaration]}]) == (
        FunctionTool("f", None, {"type": "object"}, extras=extras),
    )


def test_googles_own_tools_have_a_purpose_each() -> None:
    wire: list[Json] = [
        {"googleSearch": {"exclude_domains": ["a.test"]}, "urlContext": {}},
        {"code_execution": {}},
        {"googleMaps": {}},
    ]
    assert read(wire) == (
        HostedTool(
            "gemini_generate",
            "googleSearch",
            None,
            {"googleSearch": {"exclude_domains": ["a.test"]}},
            purpose="web_search",
            options={"blocked_domains": ["a.test"]},
        ),
        HostedTool("gemini_generate", "urlContext", None, {"urlContext": {}}, purpose="web_fetch"),
        HostedTool("gemini_generate", "codeExecution", None, {"codeExecution": {}}, purpose="code_execution"),
        HostedTool("gemini_generate", "googleMaps", None, {"googleMaps": {}}),
    )
    assert read(None) == ()
    assert read([{"googleSearch": None}]) == ()


@pytest.mark.parametrize(
    ("calling", "choice", "left"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto"), {}),
        ({"mode": "any"}, ToolChoice("required"), {}),
        ({"mode": "NONE"}, ToolChoice("none"), {}),
        ({"mode": "ANY", "allowedFunctionNames": []}, ToolChoice("required"), {}),
        ({"mode": "ANY", "allowed_function_names": ["f"]}, ToolChoice("named", ("f",)), {}),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice("allowed", ("f", "g"), required=True), {}),
        ({"mode": "VALIDATED"}, ToolChoice("auto", extras={"gemini_generate": {"mode": "VALIDATED"}}), {}),
        (
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
            ToolChoice("allowed", ("f",), extras={"gemini_generate": {"mode": "VALIDATED"}}),
            {},
        ),
        (
            {"mode": "NONE", "allowedFunctionNames": ["f"]},
            ToolChoice("none", extras={"gemini_generate": {"allowedFunctionNames": ["f"]}}),
            {},
        ),
        (
            {"streamFunctionCallArguments": True},
            None,
            {"toolConfig.functionCallingConfig.streamFunctionCallArguments": True},
        ),
    ],
)
def test_a_choice_is_read(calling: Json, choice: ToolChoice | None, left: Json) -> None:
    kept: Json = {}
    assert decode_tool_config(fields_of({"function_calling_config": calling}, "toolConfig"), kept) == choice
    assert kept == left


def test_the_rest_of_the_config_is_left_under_its_path() -> None:
    kept: Json = {}
    assert decode_tool_config(Fields({"retrievalConfig": {"x": 1}}, "toolConfig"), kept) is None
    assert kept == {"toolConfig.retrievalConfig": {"x": 1}}
    assert decode_tool_config(None, kept) is None


@pytest.mark.parametrize(
    ("calling", "named"),
    [
        ({"mode": "MAYBE"}, "mode: expected one of AUTO"),
        ({"mode": "ANY", "allowedFunctionNames": [1]}, "allowedFunctionNames"),
    ],
)
def test_a_choice_that_cannot_be_read_is_named(calling: Json, named: str) -> None:
    with pytest.raises(FailureError, match=named):
        decode_tool_config(Fields({"functionCallingConfig": calling}, "toolConfig"), {})


def test_a_function_needs_a_name() -> None:
    with pytest.raises(FailureError, match=r"tools\[0\].functionDeclarations\[0\].name: this field is required"):
        read([{"functionDeclarations": [{"description": "d"}]}])
