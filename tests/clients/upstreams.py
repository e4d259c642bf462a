"""What a scripted model does for a coding agent: answers, calls one tool, tells what the tool found. Wire written by hand."""

import json
from typing import Any

from tests.fakes.answers import CHAT
from tests.fakes.wire import RecordedCall, Script, WireConnection
from tests.sdk.said import Answer, Block, Json, chat, messages, text

USAGE: tuple[Json, Json] = (
    {"prompt_tokens": 120, "completion_tokens": 11, "total_tokens": 131},
    {"input_tokens": 120, "output_tokens": 11},
)


def say(protocol: str, said: str) -> Answer:
    """Text: 120 tokens in, 11 out."""
    return text(protocol, said, usage=USAGE)


def call_tool(protocol: str, name: str, arguments: Json) -> Answer:
    """One tool call, in fragments when it is streamed."""
    spelled = json.dumps(arguments)
    parts = (spelled[:7], spelled[7:])
    if protocol == CHAT:
        whole: Json = {"id": "call_77", "type": "function", "function": {"name": name, "arguments": spelled}}
        begun = {**whole, "index": 0, "function": {"name": name, "arguments": ""}}
        deltas: list[Json] = [{"tool_calls": [begun]}]
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in parts]
        return chat({"content": None, "tool_calls": [whole]}, deltas, "tool_calls", USAGE[0])
    block = {"type": "tool_use", "id": "toolu_77", "name": name, "input": arguments}
    told: list[Json] = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return messages([Block(block, {**block, "input": {}}, told)], {"stop_reason": "tool_use"}, USAGE[1])


def tool_result(asked: Json) -> str | None:
    """The text of the tool result that a request of either protocol ends with; None when it ends otherwise."""
    last = asked["messages"][-1]
    if last["role"] == "tool":
        return _text(last["content"])
    if last["role"] == "user" and isinstance(last["content"], list):
        content: list[Any] = last["content"]
        results = [block for block in content if block["type"] == "tool_result"]
        return _text(results[0]["content"]) if results else None
    return None


def tool_names(asked: Json) -> list[str]:
    """The tools that a request of either protocol offers."""
    return [tool.get("function", tool)["name"] for tool in asked.get("tools", [])]


def reading(protocol: str, tool: str, arguments: Json) -> Script:
    """A model that reads a file with `tool` and then says all that it was given."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked = call.json()
        found = tool_result(asked)
        if found is not None:
            answer = say(protocol, f"I was given: {found}")
        elif tool in tool_names(asked):
            answer = call_tool(protocol, tool, arguments)
        else:
            answer = say(protocol, "A title")
        await give(answer, asked, connection)

    return script


async def give(answer: Answer, asked: Json, connection: WireConnection) -> None:
    """Send an answer whole or as a stream, as it was asked for."""
    if not asked.get("stream"):
        await connection.json(200, answer.whole)
        return
    await connection.sse_start()
    await connection.sse(*answer.stream)
    await connection.sse_end()


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks: list[Json] = content
    return "\n".join(block["text"] for block in blocks if block["type"] == "text")
