"""The request of a coding agent in the middle of its work, 76 KB, spelled in each of the four protocols.

A long system prompt, twenty tools with schemas, and ten turns in which the model calls a tool and gets a file or a
test report back: the shape that coding agents send on every turn. The text is generated, the same on every run, and
is full of quotes, newlines and indentation, because escapes are what a JSON reader pays for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

AGENT_REQUEST_BYTES = 76_000
TURNS = 10
TOOLS = 20
MAX_TOKENS = 8_192

_VERBS = ("read", "list", "search", "replace", "run", "fetch", "rename", "compare", "format", "outline")
_NOUNS = ("file", "folder", "symbol", "command", "page")
_RULES = (
    'Say what you will change before you change it, and quote the line: "{noun} {number}".',
    "Never {verb} a {noun} outside the work tree; ask the person first when rule {number} seems to forbid it.",
    "A failing test is information. {verb} the {noun} that it names, then run only that test again ({number}).",
    "Prefer the smallest edit that makes step {number} true; keep the style of the {noun} that you {verb}.",
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the history: what the person asked, the tool the model called, and what the tool gave back."""

    asked: str
    said: str
    call_id: str
    tool: str
    arguments: Json
    result: str


def system_prompt() -> str:
    """About 11 KB of numbered house rules."""
    rules = [
        f"{number}. "
        + _RULES[number % len(_RULES)].format(
            verb=_VERBS[number % len(_VERBS)], noun=_NOUNS[number % len(_NOUNS)], number=number
        )
        for number in range(1, 111)
    ]
    return "You are a coding agent in a terminal.\n\n# Rules\n" + "\n".join(rules)


def tool_schemas() -> list[tuple[str, str, Json]]:
    """Twenty tools as (name, description, JSON schema of the input)."""
    return [_tool_schema(number) for number in range(TOOLS)]


def _tool_schema(number: int) -> tuple[str, str, Json]:
    verb, noun = _VERBS[number % len(_VERBS)], _NOUNS[(number // 2) % len(_NOUNS)]
    description = (
        f"Use this to {verb} one {noun}. Paths are absolute.\n- Give `limit` when the {noun} may be long.\n"
        f'- The answer starts with the word "{verb}" and has one entry a line; an empty answer means that nothing '
        f"was found.\n- Calls that do not depend on each other may be made together."
    )
    properties: Json = {
        "path": {"type": "string", "description": f"Absolute path of the {noun} to {verb}."},
        "pattern": {"type": "string", "description": "A regular expression; \\d+ matches a number."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 2000, "description": "At most so many lines."},
        "mode": {"type": "string", "enum": ["plain", "numbered", "summary"], "description": "How to show it."},
        "edits": {
            "type": "array",
            "description": "Edits in order; each replaces one exact text.",
            "items": {
                "type": "object",
                "properties": {"old": {"type": "string"}, "new": {"type": "string"}},
                "required": ["old", "new"],
                "additionalProperties": False,
            },
        },
    }
    schema: Json = {"type": "object", "properties": properties, "required": ["path"], "additionalProperties": False}
    return f"{verb}_{noun}_{number}", description, schema


def file_listing(number: int, lines: int) -> str:
    """A numbered listing of a small program, as a file-reading tool shows it; about 45 bytes a line."""
    body = (
        'def step_{n}(name: str) -> str:\n    """Step {n} of part {p}."""\n    if name == "{n}":\n'
        '        return f"part {p}: {{name!r}}\\t\u2713"\n    raise KeyError(name)  # seen in run {n}\n'
    )
    text = "".join(body.format(n=n, p=number) for n in range(lines // 5 + 1))
    numbered = (f"{at:>6}\u2192{line}" for at, line in enumerate(text.splitlines(), 1))
    return "\n".join(list(numbered)[:lines])


def history(padding: str) -> list[Turn]:
    """The ten turns; `padding` ends the last result, so that the whole can be brought to one size."""
    tools = tool_schemas()
    return [
        Turn(
            asked=f"Now part {number}: why does step {number} fail, and what is the smallest change that mends it?",
            said=f"I look at the file of part {number} first.",
            call_id=f"call_{number:04d}bench",
            tool=tools[number][0],
            arguments={"path": f"/srv/project/part_{number}/steps.py", "limit": 85, "mode": "numbered"},
            result=file_listing(number, 85) + (padding if number == TURNS - 1 else ""),
        )
        for number in range(TURNS)
    ]


def chat_agent_request(model: str, padding: str) -> Json:
    """The request as Chat Completions spells it."""
    messages: list[Json] = [{"role": "system", "content": system_prompt()}]
    for turn in history(padding):
        function = {"name": turn.tool, "arguments": json.dumps(turn.arguments)}
        call = {"id": turn.call_id, "type": "function", "function": function}
        messages += [
            {"role": "user", "content": turn.asked},
            {"role": "assistant", "content": turn.said, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": turn.call_id, "content": turn.result},
            {"role": "assistant", "content": f"That explains it: {turn.tool} shows the wrong key."},
        ]
    messages.append({"role": "user", "content": "Sum it up in one sentence."})
    tools = [
        {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}
        for name, description, schema in tool_schemas()
    ]
    return {"model": model, "max_tokens": MAX_TOKENS, "messages": messages, "tools": tools}


def messages_agent_request(model: str, padding: str) -> Json:
    """The request as Anthropic Messages spells it, with the cache marks that agents set."""
    cached = {"type": "ephemeral"}
    messages: list[Json] = []
    for turn in history(padding):
        call = {"type": "tool_use", "id": turn.call_id, "name": turn.tool, "input": turn.arguments}
        result = {"type": "tool_result", "tool_use_id": turn.call_id, "content": turn.result}
        messages += [
            {"role": "user", "content": [{"type": "text", "text": turn.asked}]},
            {"role": "assistant", "content": [{"type": "text", "text": turn.said}, call]},
            {"role": "user", "content": [result]},
            {"role": "assistant", "content": f"That explains it: {turn.tool} shows the wrong key."},
        ]
    last = {"type": "text", "text": "Sum it up in one sentence.", "cache_control": cached}
    messages.append({"role": "user", "content": [last]})
    tools = [
        {"name": name, "description": description, "input_schema": schema}
        for name, description, schema in tool_schemas()
    ]
    system = [{"type": "text", "text": system_prompt(), "cache_control": cached}]
    return {"model": model, "max_tokens": MAX_TOKENS, "system": system, "messages": messages, "tools": tools}


def responses_agent_request(model: str, padding: str) -> Json:
    """The request as OpenAI Responses spells it: every message, call and output an item, nothing stored."""
    items: list[Json] = []
    for turn in history(padding):
        items += [
            {"type": "message", "role": "user", "content": turn.asked},
            _responses_answer(turn.said),
            {
                "type": "function_call",
                "call_id": turn.call_id,
                "name": turn.tool,
                "arguments": json.dumps(turn.arguments),
            },
            {"type": "function_call_output", "call_id": turn.call_id, "output": turn.result},
            _responses_answer(f"That explains it: {turn.tool} shows the wrong key."),
        ]
    items.append({"type": "message", "role": "user", "content": "Sum it up in one sentence."})
    tools = [
        {"type": "function", "name": name, "description": description, "strict": False, "parameters": schema}
        for name, description, schema in tool_schemas()
    ]
    head: Json = {"model": model, "instructions": system_prompt(), "input": items, "tools": tools}
    return head | {"max_output_tokens": MAX_TOKENS, "parallel_tool_calls": True, "store": False}


def _responses_answer(text: str) -> Json:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def gemini_agent_request(model: str, padding: str) -> Json:  # noqa: ARG001 - the model stands in the URL
    """The request as generateContent spells it."""
    contents: list[Json] = []
    for turn in history(padding):
        call = {"id": turn.call_id, "name": turn.tool, "args": turn.arguments}
        result = {"id": turn.call_id, "name": turn.tool, "response": {"output": turn.result}}
        contents += [
            {"role": "user", "parts": [{"text": turn.asked}]},
            {"role": "model", "parts": [{"text": turn.said}, {"functionCall": call}]},
            {"role": "user", "parts": [{"functionResponse": result}]},
            {"role": "model", "parts": [{"text": f"That explains it: {turn.tool} shows the wrong key."}]},
        ]
    contents.append({"role": "user", "parts": [{"text": "Sum it up in one sentence."}]})
    functions = [
        {"name": name, "description": description, "parametersJsonSchema": schema}
        for name, description, schema in tool_schemas()
    ]
    return {
        "systemInstruction": {"parts": [{"text": system_prompt()}]},
        "contents": contents,
        "tools": [{"functionDeclarations": functions}],
        "generationConfig": {"maxOutputTokens": MAX_TOKENS},
    }


def sized(build: Callable[[str, str], Json], model: str) -> bytes:
    """The JSON of `build(model, padding)` brought to AGENT_REQUEST_BYTES; ValueError when it is longer without any."""
    bare = _wire(build(model, ""))
    missing = AGENT_REQUEST_BYTES - len(bare)
    if missing < 0:
        raise ValueError(f"the request is {-missing} bytes longer than it may be")
    return _wire(build(model, "=" * missing))


def _wire(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
