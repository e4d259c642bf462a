from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Citation, ToolCallPart
from anykey.conversation.tools import HostedTool
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.hosted import decode_hosted, encode_citation, encode_hosted, hosted_blocks

SEARCHING = Dialect(hosted_tools="web_search,web_fetch,code_execution")
ACTION = b'{"type":"search","queries":["x","y"],"sources":[{"type":"url","url":"https://a"},{"url":"https://a"},{}]}'


def codes(log: LossLog) -> list[str]:
    return [f"{loss.kind} {loss.path}" for loss in log.losses]


def sent(tool: HostedTool, dialect: Dialect = SEARCHING) -> tuple[Any, list[str]]:
    log = LossLog("request")
    return encode_hosted(tool, "tools[0]", dialect, log), codes(log)


@pytest.mark.parametrize(
    ("kind", "purpose"),
    [
        ("web_search_20260318", "web_search"),
        ("web_fetch_20250910", "web_fetch"),
        ("code_execution_20260120", "code_execution"),
        ("computer_20250124", "computer"),
        ("computer_toolset_20260801", "computer"),
        ("mcp_toolset", "mcp"),
        ("tool_search_tool_bm25_20251119", None),
    ],
)
def test_what_a_tool_is_for(kind: str, purpose: str | None) -> None:
    assert decode_hosted(kind, None, {"type": kind}).purpose == purpose


def test_what_of_a_search_crosses() -> None:
    wire = {"max_uses": 2, "allowed_domains": ["a.example"], "user_location": {"type": "approximate", "city": "Bonn"}}
    tool = decode_hosted("web_search_20250305", "web_search", wire)
    assert tool.options == {"max_uses": 2, "allowed_domains": ["a.example"], "user_location": {"city": "Bonn"}}


def test_another_protocols_search_is_sent_as_our_own() -> None:
    value = {
        "type": "web_search",
        "filters": {"allowed_domains": ["a"]},
        "search_context_size": "low",
        "return_token_budget": 1,
    }
    options = {
        "allowed_domains": ["a"],
        "blocked_domains": ["b"],
        "context_size": "low",
        "user_location": {"city": "Bonn"},
    }
    tool = HostedTool("openai_responses", "web_search", None, value, purpose="web_search", options=options)
    block, losses = sent(tool)
    assert block == {
        "type": "web_search_20250305",
        "name": "web_search",
        "allowed_domains": ["a"],
        "user_location": {"type": "approximate", "city": "Bonn"},
    }
    assert losses == [
        "dropped tools[0].blocked_domains",
        "dropped tools[0].context_size",
        "dropped tools[0].return_token_budget",
    ]
    assert sent(tool, Dialect()) == (None, ["dropped tools[0]"])


def test_a_tool_of_gemini_is_an_object_under_its_name() -> None:
    tool = HostedTool("gemini_generate", "codeExecution", None, {"codeExecution": {"x": 1}}, purpose="code_execution")
    assert sent(tool) == ({"type": "code_execution_20250825", "name": "code_execution"}, ["dropped tools[0].x"])


def told(part: ToolCallPart) -> tuple[list[Any], list[str]]:
    log = LossLog("response")
    return hosted_blocks(part, "content[0]", log), codes(log)


def test_a_search_with_known_addresses_has_its_result() -> None:
    (call, result), losses = told(ToolCallPart("ws_1", "web_search", ACTION.decode(), "hosted"))
    assert (call["type"], call["name"], call["input"]) == ("server_tool_use", "web_search", {"query": "x"})
    assert call["id"].startswith("srvtoolu_")
    assert result["tool_use_id"] == call["id"]
    assert [entry["url"] for entry in result["content"]] == ["https://a"]
    assert losses == ["approximated content[0]"]


@pytest.mark.parametrize(("name", "arguments"), [("web_search", '{"query":"x"}'), ("web_search", "{"), ("mcp", "{}")])
def test_a_call_without_a_result_is_named(name: str, arguments: str) -> None:
    assert told(ToolCallPart("1", name, arguments, "hosted")) == ([], ["dropped content[0]"])


def test_our_own_call_keeps_its_type() -> None:
    extras = {"anthropic_messages": {"type": "mcp_tool_use", "server_name": "s"}}
    block = {"type": "mcp_tool_use", "id": "1", "name": "n", "input": {"a": 1}, "server_name": "s"}
    assert told(ToolCallPart("1", "n", '{"a":1}', "hosted", extras=extras)) == ([block], [])


def test_a_citation_needs_an_address() -> None:
    assert encode_citation(Citation("openai_chat", {"type": "file_citation"})) is None
    found = encode_citation(Citation("gemini_generate", {}, "https://a", "A", "words", 1, 3))
    assert found == {
        "type": "web_search_result_location",
        "url": "https://a",
        "title": "A",
        "cited_text": "words",
        "encrypted_index": "",
    }
