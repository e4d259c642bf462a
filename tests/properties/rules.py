"""The rules of a legal request on the wire, as the providers enforce them with a 400."""

import re
from typing import Any

from tests.properties.words import Json

LEGAL_ID = re.compile(r"[a-zA-Z0-9_-]+")
LEGAL_CHAT_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LEGAL_MESSAGES_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
LEGAL_GEMINI_NAME = re.compile(r"[a-zA-Z0-9_.:-]{1,128}")


def check_messages_request(body: Json) -> None:
    """Messages: turns alternate and the user's is the last, results answer the calls just before them and come first, ids are
    plain and come once, a limit is told, nothing is empty, at most four cache breakpoints stand anywhere."""
    assert isinstance(body["max_tokens"], int)
    for first, second in zip(body["messages"], body["messages"][1:], strict=False):
        assert "system" in (first["role"], second["role"]) or first["role"] != second["role"], "two turns of one role"
    messages: list[Json] = [message for message in body["messages"] if message["role"] != "system"]
    assert messages
    for block in blocks_of(body.get("system")):
        check_text(block)
    seen: set[str] = set()
    waiting: list[str] = []
    for message in messages:
        blocks = blocks_of(message["content"])
        assert blocks, "an empty turn"
        for block in blocks:
            check_text(block)
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        kinds = [block["type"] == "tool_result" for block in blocks]
        assert kinds == sorted(kinds, reverse=True), "a tool result after something else"
        assert set(results) <= set(waiting), "a result without a call in the turn before"
        assert len(results) == len(set(results)), "two results of one call"
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for block in blocks:
            if block["type"] == "tool_use":
                assert block["id"] not in seen, "an id twice"
                assert LEGAL_ID.fullmatch(block["id"])
                assert LEGAL_MESSAGES_NAME.fullmatch(block["name"])
                assert isinstance(block["input"], dict)
                seen.add(block["id"])
    assert marks_in(body) <= 4
    thinking: Json = body.get("thinking") or {}
    if thinking.get("type") == "enabled":
        assert 1024 <= thinking["budget_tokens"] < body["max_tokens"]


def check_text(block: Json) -> None:
    """A block is not an empty text, nor is what a tool result holds."""
    assert block["type"] != "text" or block["text"], "an empty text block"
    for inner in blocks_of(block.get("content")) if block["type"] == "tool_result" else ():
        check_text(inner)


def blocks_of(content: Any) -> list[Json]:
    """Content as a list, whatever its short form."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def marks_in(value: Any) -> int:
    """How many ``cache_control`` stand where the protocol reads them (not inside a tool's input or schema)."""
    if isinstance(value, list):
        return sum(marks_in(item) for item in value)  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    if not isinstance(value, dict):
        return 0
    inner: Json = value  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    opaque = ("input", "input_schema", "x_unknown", "value", "metadata")
    return ("cache_control" in inner) + sum(marks_in(item) for key, item in inner.items() if key not in opaque)


def check_chat_request(body: Json) -> None:
    """Chat: every tool message answers a call of the assistant's message before it, each call once; names and types are legal."""
    messages: list[Json] = body["messages"]
    assert messages
    waiting: set[str] = set()
    for message in messages:
        role, content = message["role"], message.get("content")
        assert isinstance(content, str | list | None)
        if role == "tool":
            assert message["tool_call_id"] in waiting, "a result without a call before it"
            waiting.discard(message["tool_call_id"])
            assert content is not None
            continue
        if role == "function":
            continue
        assert role in ("system", "developer", "user", "assistant")
        assert not waiting, "a call without its result"
        if role != "assistant":
            assert content is not None
        calls: list[Json] = message.get("tool_calls", [])
        assert content is not None or any(key in message for key in ("tool_calls", "function_call", "refusal", "audio"))
        for call in calls:
            kind = call["type"]
            if kind in ("function", "custom"):
                assert LEGAL_CHAT_NAME.fullmatch(call[kind]["name"])
        waiting = {call["id"] for call in calls if "id" in call}
        assert len(waiting) == len([call for call in calls if "id" in call]), "an id twice"
    for tool in body.get("tools", []):
        if tool["type"] in ("function", "custom"):
            assert LEGAL_CHAT_NAME.fullmatch(tool[tool["type"]]["name"])
    assert body.get("tools") != [], "an empty list of tools"
    assert len(body.get("stop", [])) <= 4


def check_responses_request(body: Json) -> None:
    """Responses: every output answers a call before it, every call of the client's is answered, each once; names are legal; no
    list of tools is empty; whether anything is stored is always said."""
    assert body["input"]
    items: list[Json] = [] if isinstance(body["input"], str) else body["input"]
    assert isinstance(body["store"], bool)
    waiting: set[str] = set()
    for item in items:
        kind = item["type"]
        if kind == "message":
            assert isinstance(item["content"], str | list)
        elif kind.endswith("_call_output"):
            assert item["call_id"] in waiting, "an output without a call before it"
            waiting.discard(item["call_id"])
        elif kind in ("function_call", "custom_tool_call"):
            assert LEGAL_CHAT_NAME.fullmatch(item["name"])
            assert item["call_id"] not in waiting, "an id twice"
            waiting.add(item["call_id"])
        elif kind.endswith("_call") and "call_id" in item:
            waiting.add(item["call_id"])
        elif kind == "tool_search_output":
            waiting.discard(item["call_id"])
    assert not waiting, "a call without its output"
    assert body.get("tools") != [], "an empty list of tools"
    for tool in _opened(body.get("tools", [])):
        if tool["type"] in ("function", "custom"):
            assert LEGAL_CHAT_NAME.fullmatch(tool["name"])


def _opened(tools: list[Json]) -> list[Json]:
    """The tools of namespaces are tools like others."""
    return [inner for tool in tools for inner in (tool["tools"] if tool["type"] == "namespace" else [tool])]


def check_gemini_request(body: Json) -> None:
    """Gemini: turns alternate and none is empty, a part says one thing, the results of a turn answer the calls of the turn
    before it, all of them and no others; names are legal."""
    contents: list[Json] = body["contents"]
    assert contents
    assert [content["role"] for content in contents] == (["user", "model"] * len(contents))[: len(contents)] or [
        content["role"] for content in contents
    ] == (["model", "user"] * len(contents))[: len(contents)], "two turns of one role"
    waiting: list[str] = []
    for content in contents:
        parts: list[Json] = content["parts"]
        assert parts, "an empty turn"
        assert all(parts), "an empty part"
        results = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
        assert sorted(results) == sorted(waiting), "results that are not those of the calls before them"
        waiting = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
        for name in waiting:
            assert LEGAL_GEMINI_NAME.fullmatch(name)
    assert not waiting, "a call without its result"
    tools: list[Json] = body.get("tools", [])
    assert len([tool for tool in tools if "functionDeclarations" in tool]) <= 1
    assert all(tools), "an empty tool"
    names = [function["name"] for tool in tools for function in tool.get("functionDeclarations", ())]
    assert len(names) == len(set(names)), "a name twice"
    for name in names:
        assert LEGAL_GEMINI_NAME.fullmatch(name)
    assert len(body.get("generationConfig", {}).get("stopSequences", [])) <= 5
