"""Tools and the choice among them, wire to neutral."""

from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.openai_responses.client_tools import CLIENT_TOOLS
from anykey.protocols.openai_responses.tools_decoding import ToolReader, decode_tool_choice

NAME = "openai_responses"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
LARK = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
SEARCH = {
    "type": "web_search",
    "filters": {"allowed_domains": ["a.org"]},
    "search_context_size": "low",
    "user_location": {"type": "approximate", "country": "CN"},
    "external_web_access": False,
}
OPTIONS = {"allowed_domains": ["a.org"], "context_size": "low", "user_location": {"country": "CN"}}
TOOLS: list[tuple[dict[str, Any], Tool]] = [
    (
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": False},
        FunctionTool("f", "d", SCHEMA, strict=False),
    ),
    (
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": True, "defer_loading": True},
        FunctionTool("f", None, SCHEMA, strict=True, extras={NAME: {"defer_loading": True}}),
    ),
    ({"type": "custom", "name": "p", "description": "d", "format": LARK}, CustomTool("p", "d", LARK)),
    (SEARCH, HostedTool(NAME, "web_search", None, SEARCH, purpose="web_search", options=OPTIONS)),
    (
        {"type": "computer_use_preview", "display_width": 1},
        HostedTool(
            NAME, "computer_use_preview", None, {"type": "computer_use_preview", "display_width": 1}, purpose="computer"
        ),
    ),
    (
        {"type": "mcp", "server_label": "s"},
        HostedTool(NAME, "mcp", None, {"type": "mcp", "server_label": "s"}, purpose="mcp"),
    ),
    ({"type": "tool_search"}, HostedTool(NAME, "tool_search", None, {"type": "tool_search"})),
    (
        {"type": "shell", "environment": {"type": "container_auto"}},
        HostedTool(
            NAME, "shell", None, {"type": "shell", "environment": {"type": "container_auto"}}, purpose="code_execution"
        ),
    ),
]


def read(*values: Any) -> tuple[list[Tool], dict[str, Any]]:
    reader = ToolReader()
    reader.add(list(values), "tools")
    return reader.tools, reader.layout()


@pytest.mark.parametrize(("wire", "tool"), TOOLS)
def test_a_tool_is_read(wire: dict[str, Any], tool: Tool) -> None:
    assert read(wire) == ([tool], {})


@pytest.mark.parametrize("kind", CLIENT_TOOLS)
def test_a_tool_that_the_client_runs_is_a_function(kind: Any) -> None:
    (tool,), _ = read({"type": kind, "execution": "client"})
    usual = CLIENT_TOOLS[kind]
    assert tool == FunctionTool(kind, usual.description, usual.parameters, kind=kind)


def test_a_client_may_describe_its_search_itself() -> None:
    (tool,), _ = read({"type": "tool_search", "execution": "client", "description": "d", "parameters": SCHEMA})
    assert tool == FunctionTool("tool_search", "d", SCHEMA, kind="tool_search")


def test_namespaces_are_opened() -> None:
    inner = [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]
    tools, layout = read({"type": "namespace", "name": "n", "description": "d", "tools": inner})
    assert tools == [FunctionTool("f", namespace="n"), CustomTool("g", namespace="n")]
    assert layout == {"namespaces": {"n": {"description": "d"}}}


def test_a_tool_offered_twice_is_there_once() -> None:
    reader = ToolReader()
    reader.add([TOOLS[0][0]], "tools")
    reader.add_loaded([TOOLS[0][0]], "input[0].tools")
    reader.add_placed([TOOLS[0][0]], "input[1].tools", 1)
    assert (len(reader.tools), reader.layout()) == (1, {})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"type": "function"}, r"tools\[0\]\.name: this field is required"),
        ({"type": "function", "name": "f", "strict": 1}, r"tools\[0\]\.strict: expected true or false"),
        ({"name": "f"}, r"tools\[0\]\.type: this field is required"),
        ({"type": "namespace", "name": "n", "tools": [3]}, r"tools\[0\]\.tools\[0\]: expected an object"),
    ],
)
def test_what_cannot_be_read_is_named(value: Any, message: str) -> None:
    with pytest.raises(FailureError, match=message):
        read(value)


def test_tools_are_an_array() -> None:
    with pytest.raises(FailureError, match="tools: expected an array"):
        ToolReader().add({}, "tools")
    assert ToolReader().add(None, "tools") == []


CHOICES: list[tuple[Any, ToolChoice]] = [
    ("auto", ToolChoice("auto")),
    ("required", ToolChoice("required")),
    ({"type": "function", "name": "f"}, ToolChoice("named", ("f",))),
    ({"type": "custom", "name": "p"}, ToolChoice("named", ("p",), custom=True)),
    ({"type": "apply_patch"}, ToolChoice("named", ("apply_patch",))),
    (
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "shell"}]},
        ToolChoice("allowed", ("f", "shell"), required=True),
    ),
]


@pytest.mark.parametrize(("wire", "choice"), CHOICES)
def test_a_choice_is_read(wire: Any, choice: ToolChoice) -> None:
    assert decode_tool_choice(wire, "tool_choice") == choice


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "web_search_preview"},
        {"type": "mcp", "server_label": "s"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f", "x": 1}]},
    ],
)
def test_a_choice_without_a_neutral_word_is_left_to_the_caller(wire: Any) -> None:
    assert decode_tool_choice(wire, "tool_choice") is None


@pytest.mark.parametrize("wire", [3, {"name": "f"}, {"type": "allowed_tools", "mode": "x"}])
def test_a_choice_that_says_nothing_is_refused(wire: Any) -> None:
    with pytest.raises(FailureError, match="tool_choice"):
        decode_tool_choice(wire, "tool_choice")
