"""What client programs send back after an answer, in each protocol: the answer as they keep it, a result for every call, and a
word of the user."""

from collections.abc import Callable
from typing import Any

from anykey.conversation.parts import Json

RESULT = "done"
GO_ON = "go on"
FOUND: Json = {"type": "function", "name": "found", "description": RESULT, "parameters": {"type": "object"}}
"""What a client's own search for tools finds."""


def _chat(body: Json, answer: Json) -> Json:
    message: Json = answer["choices"][0]["message"]
    calls: list[Json] = message.get("tool_calls") or []
    results: list[Json] = [{"role": "tool", "tool_call_id": call["id"], "content": RESULT} for call in calls]
    return {**body, "messages": [*body["messages"], message, *results, {"role": "user", "content": GO_ON}]}


def _messages(body: Json, answer: Json) -> Json:
    blocks: list[Json] = answer["content"] or [{"type": "text", "text": "."}]
    uses = [block["id"] for block in blocks if block["type"] == "tool_use"]
    replies: list[Json] = [{"type": "tool_result", "tool_use_id": use, "content": RESULT} for use in uses]
    replies.append({"type": "text", "text": GO_ON})
    turns: list[Json] = [{"role": "assistant", "content": blocks}, {"role": "user", "content": replies}]
    return {**body, "messages": [*body["messages"], *turns]}


def _responses(body: Json, answer: Json) -> Json:
    """As programs do that keep nothing at the server: the items of the output become items of the input."""
    asked: Any = body["input"]
    before: list[Json] = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    said: list[Json] = answer["output"]
    results: list[Json] = [
        {"type": item["type"] + "_output", "call_id": item["call_id"], "output": RESULT}
        for item in said
        if item["type"] in ("function_call", "custom_tool_call")
    ]
    results += [
        {"type": "tool_search_output", "call_id": item["call_id"], "execution": "client", "tools": [FOUND]}
        for item in said
        if item["type"] == "tool_search_call" and item.get("execution") == "client"
    ]
    return {**body, "input": [*before, *said, *results, {"role": "user", "content": GO_ON}]}


def _gemini(body: Json, answer: Json) -> Json:
    said: Json = answer["candidates"][0].get("content") or {"role": "model", "parts": [{"text": "."}]}
    parts: list[Json] = [
        part for part in said["parts"] if not part.get("thought")
    ]  # no program gives its thoughts back
    results: list[Json] = []
    for part in parts:
        if call := part.get("functionCall"):
            known = {"id": call["id"]} if "id" in call else {}
            results.append({"functionResponse": {**known, "name": call["name"], "response": {"output": RESULT}}})
    contents: list[Json] = [*body["contents"], {"role": "model", "parts": parts or [{"text": "."}]}]
    return {**body, "contents": [*contents, {"role": "user", "parts": [*results, {"text": GO_ON}]}]}


NEXT_TURN: dict[str, Callable[[Json, Json], Json]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini_generate": _gemini,
}
"""The body of the next call, from the body of this one and its whole answer."""
