"""Tools and the choice among them, neutral to wire."""

from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.tools_encoding import ToolWriter
from tests.unit.protocols.openai_responses.test_tools_decoding import CHOICES, LARK, NAME, SCHEMA, TOOLS, read


def write(*tools: Tool, dialect: Dialect | None = None, layout: Any = None) -> tuple[list[Any], list[Any], list[str]]:
    log = LossLog("request")
    extras = {NAME: {"tool_layout": layout}} if layout else {}
    entries, placed = ToolWriter(dialect or Dialect(), log).tools(GenerateRequest("m", (), tools=tools, extras=extras))
    return entries, placed, [f"{loss.kind} {loss.path}" for loss in log.losses]


@pytest.mark.parametrize(("wire", "tool"), TOOLS)
def test_a_tool_comes_back(wire: dict[str, Any], tool: Tool) -> None:
    assert write(tool) == ([wire], [], [])


@pytest.mark.parametrize("kind", ["apply_patch", "shell", "local_shell", "tool_search"])
def test_a_client_run_tool_comes_back_where_it_is_known(kind: str) -> None:
    wire = {"type": kind, **({"execution": "client"} if kind == "tool_search" else {})}
    (tool,), _ = read(wire)
    assert write(tool)[0] == [wire]
    (entry,), _, _ = write(tool, dialect=Dialect(native_tools=False))
    assert (entry["type"], entry["name"], entry["strict"]) == ("function", kind, False)


def test_strict_is_said_even_where_nobody_asked() -> None:
    assert write(FunctionTool("f"))[0] == [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}]
    entries, _, losses = write(FunctionTool("f", strict=True, cache=CacheHint()), dialect=Dialect(strict_tools=False))
    assert "strict" not in entries[0]
    assert losses == ["dropped tools[0].cache_control", "dropped tools[0].strict"]


def test_a_grammar_is_said_flat() -> None:
    nested = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD"}}
    for form in (LARK, nested, {"type": "text"}):
        (entry,), _, _ = write(CustomTool("p", None, form))
        assert entry["format"] == (LARK if form is nested else form)


def test_namespaces_are_closed_again() -> None:
    inner = [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}, {"type": "custom", "name": "g"}]
    wire = [
        {"type": "namespace", "name": "n", "description": "d", "tools": inner},
        {"type": "custom", "name": "p"},
        {"type": "namespace", "name": "o", "description": "", "tools": inner[:1]},
    ]
    tools, layout = read(*wire)
    assert write(*tools, layout=layout)[0] == wire


def test_tools_go_back_to_the_input() -> None:
    tools = (FunctionTool("a"), CustomTool("exec", namespace="n"), FunctionTool("found"))
    layout = {"additional_tools": [[0, [["n", "exec"]]]], "loaded": [[None, "found"]]}
    entries, placed, _ = write(*tools, layout=layout)
    assert [entry["name"] for entry in entries] == ["a"]
    group = {"type": "namespace", "name": "n", "description": "", "tools": [{"type": "custom", "name": "exec"}]}
    assert placed == [(0, [group])]


def test_anothers_tool_for_the_same_purpose() -> None:
    value = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.org"]}
    options = {"allowed_domains": ["a.org"], "max_uses": 3, "user_location": {"country": "CN"}, "context_size": "low"}
    tool = HostedTool("anthropic_messages", "web_search_20250305", "web_search", value, None, "web_search", options)
    wire = {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.org"]},
        "user_location": {"type": "approximate", "country": "CN"},
        "search_context_size": "low",
    }
    known = Dialect(hosted_tools="web_search,file_search")
    assert write(tool, dialect=known) == ([wire], [], ["dropped tools[0].max_uses"])
    assert write(tool) == ([], [], ["dropped tools[0]"])
    store = HostedTool("gemini_generate", "fileSearch", None, {}, purpose="file_search")
    assert write(store, dialect=known) == ([], [], ["dropped tools[0]"])


def choose(choice: ToolChoice, *tools: Tool, dialect: Dialect | None = None) -> tuple[Any, list[str]]:
    log = LossLog("request")
    return ToolWriter(dialect or Dialect(), log).choice(choice, tools), [loss.code for loss in log.losses]


@pytest.mark.parametrize(("wire", "choice"), CHOICES)
def test_a_choice_comes_back(wire: Any, choice: ToolChoice) -> None:
    tools = [tool for kind in ("apply_patch", "shell") for tool in read({"type": kind})[0]]
    assert choose(choice, FunctionTool("f"), *tools) == (wire, [])


def test_a_choice_that_cannot_be_made() -> None:
    plain = Dialect(named_tool_choice=False, allowed_tool_choice=False)
    assert choose(ToolChoice("named", ("f",)), dialect=plain) == ("required", ["approximated:tool_choice.name"])
    allowed = ToolChoice("allowed", ("f",), extras={NAME: {"x": 1}})
    assert choose(allowed, dialect=plain) == ("auto", ["approximated:tool_choice.tools", "dropped:tool_choice.x"])


def test_a_choice_knows_free_text_tools() -> None:
    assert choose(ToolChoice("named", ("p",)), CustomTool("p"))[0] == {"type": "custom", "name": "p"}


def test_what_a_grammar_of_chat_says_besides_is_a_loss() -> None:
    form = {"type": "grammar", "x": 1, "grammar": {"syntax": "lark", "definition": "a", "y": 1}}
    (entry,), _, losses = write(CustomTool("f", None, form))
    assert entry["format"] == {"type": "grammar", "syntax": "lark", "definition": "a"}
    assert losses == ["dropped tools[0].format.x", "dropped tools[0].format.grammar.y"]


def test_what_a_place_says_besides_is_a_loss() -> None:
    place = {"type": "approximate", "city": "Bern", "x": 1}
    tool = HostedTool(
        "anthropic_messages",
        "web_search_20250305",
        "web_search",
        {"type": "web_search_20250305", "name": "web_search", "user_location": place},
        purpose="web_search",
        options={"user_location": {"city": "Bern"}},
    )
    (entry,), _, losses = write(tool, dialect=Dialect(hosted_tools="web_search"))
    assert entry["user_location"] == {"type": "approximate", "city": "Bern"}
    assert losses == ["dropped tools[0].user_location.x"]
