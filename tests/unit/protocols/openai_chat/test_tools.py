from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, OpaquePart, ToolCallPart
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.names import sent_name
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.tools import (
    ToolWriter,
    argument_text,
    decode_tool_call,
    decode_tool_choice,
    decode_tools,
    encode_tool_call,
)
from tests.unit.protocols.openai_chat.samples import FULL, PLAIN, codes

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOLS: list[tuple[dict[str, Any], Tool]] = [
    (
        {"type": "function", "function": {"name": "read", "description": "d", "parameters": SCHEMA, "strict": True}},
        FunctionTool("read", "d", SCHEMA, strict=True),
    ),
    ({"type": "function", "function": {"name": "now"}}, FunctionTool("now")),
    (
        {"type": "function", "function": {"name": "now", "x": 1}, "y": 2},
        FunctionTool("now", extras={"openai_chat": {"function": {"x": 1}, "y": 2}}),
    ),
    (
        {"type": "custom", "custom": {"name": "patch", "description": "d", "format": {"type": "text"}}},
        CustomTool("patch", "d", {"type": "text"}),
    ),
    ({"type": "odd", "odd": 1}, HostedTool("openai_chat", "odd", None, {"type": "odd", "odd": 1})),
]


def written(tool: Tool, dialect: Dialect) -> tuple[list[dict[str, Any]], list[str]]:
    log = LossLog("request")
    return ToolWriter(dialect, log).tools((tool,)), codes(log.losses)


@pytest.mark.parametrize(("wire", "tool"), TOOLS)
def test_a_tool_reads_and_comes_back(wire: dict[str, Any], tool: Tool) -> None:
    assert decode_tools([wire], "tools") == (tool,)
    entries, losses = written(tool, FULL)
    assert entries == [wire]
    assert losses == []


def test_what_an_upstream_does_not_take_is_a_loss() -> None:
    entries, losses = written(FunctionTool("f", strict=True, cache=CacheHint()), PLAIN)
    assert entries == [{"type": "function", "function": {"name": "f"}}]
    assert losses == ["dropped:tools[0].strict", "dropped:tools[0].cache_control"]
    assert written(FunctionTool("f", strict=False), PLAIN)[1] == []
    hosted = HostedTool("anthropic_messages", "web_search_20250305", "web_search", {})
    assert written(hosted, FULL) == ([], ["dropped:tools[0]"])


def test_a_tool_may_carry_a_cache_mark() -> None:
    entries, losses = written(FunctionTool("f", cache=CacheHint("1h")), Dialect(cache_control=True))
    assert entries[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert losses == []


def test_a_grammar_stands_in_an_object_of_its_own() -> None:
    flat = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
    nested = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD"}}
    for form in (flat, nested):
        entries, losses = written(CustomTool("patch", "d", form), FULL)
        assert entries == [{"type": "custom", "custom": {"name": "patch", "description": "d", "format": nested}}]
        assert losses == []


def test_a_long_name_is_shortened_everywhere() -> None:
    name = "x" * 70
    entries, losses = written(FunctionTool(name), PLAIN)
    assert entries[0]["function"]["name"] == sent_name(name)
    assert losses == ["emulated:tools[0].name"]
    choice = ToolWriter(PLAIN, LossLog("request")).choice(ToolChoice("named", (name,)))
    assert choice == {"type": "function", "function": {"name": sent_name(name)}}


CHOICES: list[tuple[Any, ToolChoice]] = [
    ("auto", ToolChoice("auto")),
    ("none", ToolChoice("none")),
    ("required", ToolChoice("required")),
    ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", ("f",))),
    ({"type": "custom", "custom": {"name": "f"}}, ToolChoice("named", ("f",), custom=True)),
    (
        {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
        },
        ToolChoice("allowed", ("f",), required=True),
    ),
]


@pytest.mark.parametrize(("wire", "choice"), CHOICES)
def test_a_choice_reads_and_comes_back(wire: Any, choice: ToolChoice) -> None:
    assert decode_tool_choice(wire, "tool_choice") == choice
    assert ToolWriter(FULL, LossLog("request")).choice(choice) == wire


@pytest.mark.parametrize("wire", ["any", {"type": "odd"}, {"type": "allowed_tools", "tools": [{"type": "mcp"}]}, 3])
def test_an_unknown_choice_is_left_to_the_caller(wire: Any) -> None:
    assert decode_tool_choice(wire, "tool_choice") is None


@pytest.mark.parametrize(
    ("choice", "word", "loss"),
    [
        (ToolChoice("named", ("f",)), "required", "approximated:tool_choice.name"),
        (ToolChoice("allowed", ("f",)), "auto", "approximated:tool_choice.tools"),
        (ToolChoice("allowed", ("f",), required=True), "required", "approximated:tool_choice.tools"),
    ],
)
def test_where_no_tool_can_be_named_the_choice_is_a_word(choice: ToolChoice, word: str, loss: str) -> None:
    log = LossLog("request")
    assert ToolWriter(Dialect(named_tool_choice=False), log).choice(choice) == word
    assert codes(log.losses) == [loss]


CALLS: list[tuple[dict[str, Any], ToolCallPart]] = [
    ({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}, ToolCallPart("1", "f", "{}")),
    ({"id": "1", "type": "custom", "custom": {"name": "f", "input": "x"}}, ToolCallPart("1", "f", "x", "custom")),
    (
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"g": 1}},
        ToolCallPart("1", "f", "{}", extras={"openai_chat": {"extra_content": {"g": 1}}}),
    ),
]


@pytest.mark.parametrize(("wire", "call"), CALLS)
def test_a_call_reads_and_comes_back(wire: dict[str, Any], call: ToolCallPart) -> None:
    assert decode_tool_call(wire, "p") == call
    assert encode_tool_call(call, call.name) == wire


def test_a_call_may_lack_what_servers_leave_out() -> None:
    call = decode_tool_call({"function": {"name": "f", "arguments": None}}, "p")
    assert isinstance(call, ToolCallPart)
    assert call.id.startswith("call_")
    assert call.arguments == ""
    assert encode_tool_call(call, "f")["function"]["arguments"] == "{}"
    empties = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "custom": {"name": ""}}
    assert decode_tool_call(empties, "p") == ToolCallPart("1", "f", "{}")


def test_a_call_of_unknown_type_is_kept_whole() -> None:
    assert decode_tool_call({"type": "mcp", "x": 1}, "p") == OpaquePart(
        "openai_chat", "tool_calls.mcp", {"type": "mcp", "x": 1}
    )


def test_a_call_without_a_function_is_refused() -> None:
    with pytest.raises(FailureError, match=r"p\.function: this field is required"):
        decode_tool_call({"id": "1", "type": "function"}, "p")


def test_arguments_as_an_object_are_written_out() -> None:
    assert argument_text({"a": 1}) == '{"a":1}'
    assert argument_text(None) == ""


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "function": {"name": "f", "x_new": 1}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "x", "tools": []}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [], "x_new": 1}},
        {
            "type": "allowed_tools",
            "allowed_tools": {"tools": [{"type": "function", "function": {"name": "f"}, "x_new": 1}]},
        },
    ],
)
def test_a_choice_that_says_more_than_is_understood_is_refused(choice: Any) -> None:
    with pytest.raises(FailureError, match=r"x_new|mode"):
        decode_tool_choice(choice, "tool_choice")
