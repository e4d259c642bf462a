from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.anthropic_messages.cache import CacheWriter
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.tools import decode_tool_choice, decode_tools, encode_tool_choice, encode_tools
from anykey.protocols.fields import Fields


def ask(
    tools: tuple[Tool, ...] = (), choice: ToolChoice | None = None, parallel: bool | None = None
) -> GenerateRequest:
    message = Message("user", (TextPart("hi"),))
    return GenerateRequest("m", (message,), tools=tools, tool_choice=choice, parallel_tool_calls=parallel)


def encode(
    tools: tuple[Tool, ...], dialect: Dialect | None = None, choice: ToolChoice | None = None
) -> tuple[list[Any], list[str]]:
    log = LossLog("request")
    wire = encode_tools(ask(tools, choice), dialect or Dialect(), CacheWriter(log, enabled=True), log)
    return wire, [f"{loss.kind} {loss.path}" for loss in log.losses]


TOOLS: list[dict[str, Any]] = [
    {"name": "t", "input_schema": {"type": "object", "properties": {}}},
    {
        "name": "t",
        "description": "d",
        "input_schema": {"type": "object"},
        "strict": True,
        "cache_control": {"type": "ephemeral"},
    },
    {
        "name": "t",
        "input_schema": {"type": "object"},
        "defer_loading": True,
        "eager_input_streaming": True,
        "input_examples": [{}],
    },
    {"type": "web_search_20250305", "name": "web_search", "max_uses": 8, "cache_control": {"type": "ephemeral"}},
    {"type": "mcp_toolset", "mcp_server_name": "s"},
    {"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral"}},
    {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9},
    {"type": "memory_20250818", "name": "memory"},
]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_comes_back(tool: dict[str, Any]) -> None:
    assert encode(decode_tools([tool])) == ([tool], [])


def test_the_clients_own_tools_and_the_providers_are_told_apart() -> None:
    own, hosted = decode_tools(
        [{"type": "custom", "name": "t", "input_schema": {}}, {"type": "web_fetch_20250910", "name": "web_fetch"}]
    )
    assert isinstance(own, FunctionTool)
    assert isinstance(hosted, HostedTool)
    assert (hosted.kind, hosted.name, hosted.purpose) == ("web_fetch_20250910", "web_fetch", "web_fetch")
    with pytest.raises(FailureError, match=r"tools\.0\.name: Field required"):
        decode_tools([{"input_schema": {}}])


def test_a_missing_schema_is_the_empty_one_and_a_root_is_an_object() -> None:
    wire, _ = encode((FunctionTool("a"), FunctionTool("b", parameters={"properties": {"x": {}}})))
    assert wire[0]["input_schema"] == {"type": "object", "properties": {}}
    assert wire[1]["input_schema"] == {"type": "object", "properties": {"x": {}}}


def test_a_name_that_is_too_long_is_shortened() -> None:
    (tool,), _ = encode((FunctionTool("n" * 200),))
    assert len(tool["name"]) == 128


def test_tools_of_other_protocols() -> None:
    wire, losses = encode((CustomTool("patch", "Edits."), HostedTool("openai_responses", "web_search", None, {})))
    assert wire == []
    assert losses == ["dropped tools[0]", "dropped tools[1]"]


def test_strict_is_dropped_where_it_is_not_taken() -> None:
    wire, losses = encode((FunctionTool("a", strict=True),), Dialect(strict_tools=False))
    assert "strict" not in wire[0]
    assert losses == ["dropped tools[0].strict"]


def test_allowed_tools_are_the_only_ones_sent() -> None:
    wire, losses = encode((FunctionTool("a"), FunctionTool("b")), choice=ToolChoice("allowed", ("b",), required=True))
    assert [tool["name"] for tool in wire] == ["b"]
    assert losses == ["emulated tools[0]"]


def choose(choice: ToolChoice | None, parallel: bool | None = None, **options: Any) -> tuple[Any, list[str]]:
    log = LossLog("request")
    options = {"thinking": False, "tools": True, "dialect": Dialect()} | options
    dialect = options.pop("dialect")
    return encode_tool_choice(ask(choice=choice, parallel=parallel), dialect, log, **options), [
        loss.path for loss in log.losses
    ]


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "auto"},
        {"type": "any", "disable_parallel_tool_use": True},
        {"type": "tool", "name": "t", "disable_parallel_tool_use": False},
        {"type": "none"},
    ],
)
def test_a_choice_comes_back(wire: dict[str, Any]) -> None:
    choice, parallel = decode_tool_choice(Fields(dict(wire), "tool_choice"))
    assert choose(choice, parallel) == (wire, [])


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(FailureError, match=r"tool_choice\.type: "):
        decode_tool_choice(Fields({"type": "some"}, "tool_choice"))


@pytest.mark.parametrize(
    ("choice", "parallel", "options", "wire", "losses"),
    [
        (None, False, {}, {"type": "auto", "disable_parallel_tool_use": True}, []),
        (None, False, {"tools": False}, None, ["parallel_tool_calls"]),
        (ToolChoice("none"), False, {}, {"type": "none"}, ["parallel_tool_calls"]),
        (ToolChoice("required"), None, {"thinking": True}, {"type": "auto"}, ["tool_choice"]),
        (
            ToolChoice("named", ("t",)),
            None,
            {"dialect": Dialect(forced_tool_choice=False)},
            {"type": "auto"},
            ["tool_choice"],
        ),
        (ToolChoice("allowed", ("t",), required=True), None, {}, {"type": "any"}, []),
        (ToolChoice("allowed", ("t",)), None, {}, {"type": "auto"}, []),
        (None, None, {}, None, []),
    ],
)
def test_choices_of_other_protocols(
    choice: ToolChoice | None,
    parallel: bool | None,
    options: dict[str, Any],
    wire: Any,
    losses: list[str],
) -> None:
    assert choose(choice, parallel, **options) == (wire, losses)
