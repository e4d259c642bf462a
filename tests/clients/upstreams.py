"""What a scripted model does for a coding agent, and how to read what it was asked, in each protocol."""

import json
from typing import Any, cast

import pytest

from tests.clients.turns import Turn, told
from tests.fakes.agents import GEMINI, RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.wire import RecordedCall, Script, WireConnection
from tests.sdk.said import Answer, Json

TARGETS = {
    CHAT: "/v1/chat/completions",
    MESSAGES: "/v1/messages",
    RESPONSES: "/v1/responses",
    GEMINI: "/v1beta/models/upstream-model:streamGenerateContent?alt=sse",
}
"""The path of a streamed call."""
# State has a place in Chat only where the server gives it one.
DETAILS = 'reasoning_details = true\necho_reasoning = "always"\nreasoning_field = "reasoning"'
REPLAY = 'echo_reasoning = "always"'


def over(*protocols: str, full: tuple[str, ...] = ()) -> list[Any]:
    """Parameters of a test: these protocols, and with `--full` those of `full` too."""
    return [*protocols, *(pytest.param(protocol, marks=pytest.mark.full) for protocol in full)]


def serving(protocol: str, url: str, *models: str, chat: str = "", by_name: bool = False) -> str:
    """A configuration with one provider at `url` that speaks `protocol` and is the model behind each of these names; it has
    one model, or with `by_name` one under each name. `chat` is the dialect of a provider that speaks Chat."""
    base = url + ("/v1" if protocol in (CHAT, RESPONSES) else "")
    lines = ["[providers.lab]", 'kind = "custom"', f'protocol = "{protocol}"', f'base_url = "{base}"']
    lines.append('api_key = { env = "LAB_KEY" }')
    if protocol == CHAT and chat:
        lines += [f"[providers.lab.dialect.{CHAT}]", chat]
    for model in models or ("test-model",):
        lines += [f'[models."{model}"]', f'deployments = ["lab/{model if by_name else "upstream-model"}"]']
    return "\n".join([*lines, ""])


def say(protocol: str, said: str) -> Answer:
    """Text: 120 tokens in, 11 out."""
    return told(protocol, Turn(said))


def playing(protocol: str, *turns: Turn) -> Script:
    """A model that takes its turns in order, one for each tool result it has been given, and the last again and again.

    `{result}` in a text stands for the last result. A call that offers no tools wants a title and gets one.
    """

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked = call.json()
        if not tool_names(asked):
            await give(say(protocol, "A title"), call, connection)
            return
        found = tool_results(asked)
        number = min(len(found), len(turns) - 1)
        turn = turns[number]
        turn = turn._replace(text=turn.text.replace("{result}", found[-1] if found else ""))
        await give(told(protocol, turn, number), call, connection)

    return script


def reciting(protocol: str, *turns: Turn) -> Script:
    """A model that takes its turns in order, one for each call, the last again and again."""
    calls = 0

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        nonlocal calls
        number = min(calls, len(turns) - 1)
        calls += 1
        await give(told(protocol, turns[number], number), call, connection)

    return script


def reading(protocol: str, tool: str, arguments: Json) -> Script:
    """A model that reads a file with `tool` and then says all that it was given."""
    return playing(protocol, Turn(tool=tool, arguments=arguments), Turn("I was given: {result}"))


async def give(answer: Answer, call: RecordedCall, connection: WireConnection) -> None:
    """Send an answer whole or as a stream, as it was asked for."""
    if not (call.json().get("stream") or "streamGenerateContent" in call.target):
        await connection.json(200, answer.whole)
        return
    await connection.sse_start()
    await connection.sse(*answer.stream)
    await connection.sse_end()


def tool_names(asked: Json) -> list[str]:
    """The tools that a request of any protocol offers."""
    tools: list[Json] = asked.get("tools", [])
    declared = [one for tool in tools for one in tool.get("functionDeclarations", [])]
    return [one["name"] for one in declared] or [
        tool.get("function", tool)["name"] for tool in tools if "name" in tool.get("function", tool)
    ]


def tool_results(asked: Json) -> list[str]:
    """The texts of all tool results in a request of any protocol, in order."""
    if "input" in asked:
        items: list[Json] = asked["input"]
        return [_text(item["output"]) for item in items if item.get("type") == "function_call_output"]
    if "contents" in asked:
        parts = [part for content in asked["contents"] for part in content["parts"]]
        return [_text(part["functionResponse"]["response"]) for part in parts if "functionResponse" in part]
    found: list[str] = []
    for message in asked["messages"]:
        if message["role"] == "tool":
            found.append(_text(message["content"]))
        elif message["role"] == "user" and isinstance(message["content"], list):
            blocks: list[Json] = message["content"]
            found += [_text(block["content"]) for block in blocks if block["type"] == "tool_result"]
    return found


def states(asked: Json) -> list[str]:
    """The reasoning state in a request of any protocol, in order."""
    if "input" in asked:
        return [item["encrypted_content"] for item in asked["input"] if item.get("type") == "reasoning"]
    if "contents" in asked:
        parts = [part for content in asked["contents"] for part in content["parts"]]
        return [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]
    found: list[str] = []
    for message in asked["messages"]:
        found += [detail["signature"] for detail in message.get("reasoning_details", [])]
        if message["role"] == "assistant" and isinstance(message["content"], list):
            found += [block["signature"] for block in message["content"] if block["type"] == "thinking"]
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, dict):  # Gemini's: an object, whose text is under a name of the client's own
        fields = cast("Json", content)
        return "\n".join(value for value in fields.values() if isinstance(value, str)) or json.dumps(fields)
    blocks: list[Json] = content
    return "\n".join(block["text"] for block in blocks if "text" in block)
