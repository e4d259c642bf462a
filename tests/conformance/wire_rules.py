"""The rules of a legal request of Responses and of generateContent, as the providers enforce them with a 400. Those of Chat and
Messages are in `tests/properties/rules.py`."""

import re
from collections.abc import Callable
from itertools import pairwise

from anykey.conversation.parts import Json
from tests.properties.rules import check_chat_request, check_messages_request

LEGAL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
LEGAL_GEMINI_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
ITEM_IDS = {"message": "msg_", "function_call": "fc_", "custom_tool_call": "ctc_"}
FORMATS = {"object", "array", "string", "number", "integer", "boolean", "null"}
TOOL_PARTS = (
    "functionDeclarations",
    "googleSearch",
    "googleSearchRetrieval",
    "urlContext",
    "codeExecution",
    "fileSearch",
)


def check_responses_request(body: Json) -> None:
    """Every output answers one call before it, ids of what is said and called have their prefixes, functions have schemas."""
    assert body["input"], "nothing is asked"
    items: list[Json] = [] if isinstance(body["input"], str) else body["input"]
    waiting: set[str] = set()
    for item in items:
        kind: str = item.get("type", "message")
        if kind.endswith("_call") and "call_id" in item:
            assert item["call_id"] not in waiting, "a call id twice"
            waiting.add(item["call_id"])
        if kind in ("function_call", "custom_tool_call"):
            assert LEGAL_NAME.fullmatch(item["name"])
            assert isinstance(item["arguments" if kind == "function_call" else "input"], str)
        if kind.endswith("_output") and "call_id" in item:
            assert item["call_id"] in waiting, "an output without a call"
            waiting.discard(item["call_id"])
        if kind == "message":
            assert item["role"] in ("user", "assistant", "system", "developer")
            assert item["content"] is not None
        if "id" in item and kind in ITEM_IDS:
            assert item["id"].startswith(ITEM_IDS[kind])
        if kind == "reasoning":
            assert isinstance(item["summary"], list)
    for tool in body.get("tools", ()):
        if tool["type"] == "function":
            assert LEGAL_NAME.fullmatch(tool["name"])
            assert "parameters" in tool
    assert body.get("tools") != [], "an empty list of tools"


def check_gemini_request(body: Json) -> None:
    """Turns alternate and calls come after a turn of the user, no part is empty, the results of a turn answer the calls of the
    turn before by name, kinds of tools are known."""
    contents: list[Json] = body["contents"]
    assert contents
    assert all(content["role"] in ("user", "model") for content in contents)
    assert all(first["role"] != second["role"] for first, second in pairwise(contents)), "two turns of one role"
    assert not any("functionCall" in part for part in contents[0]["parts"]), "calls before any turn of the user"
    waiting: list[str] = []
    for content in contents:
        assert content["parts"], "a turn without parts"
        assert all(part != {"text": ""} and set(part) - {"thought", "thoughtSignature"} for part in content["parts"])
        results = [part["functionResponse"]["name"] for part in content["parts"] if "functionResponse" in part]
        assert sorted(results) == sorted(waiting) or not results, "results of other calls"
        assert not waiting or results, "calls without results"
        waiting = [part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part]
        assert all(LEGAL_GEMINI_NAME.fullmatch(name) for name in waiting)
    for tool in body.get("tools", ()):
        assert set(tool) <= set(TOOL_PARTS), sorted(tool)
        for declared in tool.get("functionDeclarations", ()):
            assert LEGAL_GEMINI_NAME.fullmatch(declared["name"])
            assert not {"parameters", "parametersJsonSchema"} <= set(declared), "two schemas"
    assert body.get("tools") != [], "an empty list of tools"


CHECKS: dict[str, Callable[[Json], None]] = {
    "openai_chat": check_chat_request,
    "anthropic_messages": check_messages_request,
    "openai_responses": check_responses_request,
    "gemini_generate": check_gemini_request,
}
