"""When two requests say the same: the neutral form without the differences that the codecs document as meaning nothing."""

from typing import Any

import msgspec

from anykey.conversation.message import Message
from anykey.conversation.parts import (
    MediaPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.tools import FunctionTool, Tool
from anykey.protocols.plain_tools import LAYOUT

USUAL_LIMIT = 32000
USUAL_BUDGET = 8192
USUAL_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
_SYSTEM = ("system", "developer")


def normal(request: GenerateRequest) -> GenerateRequest:
    """For one protocol: an empty text and an empty message are none, refusals are one, no arguments are an empty object, a PDF
    without a name has the usual one, no metadata are none, neighbours of one role are one message with its tool results first.
    Who asks how likely the other words were asks for log probabilities. Whether usage is told in a stream is not asked of the
    model."""
    messages: list[Message] = []
    for message in request.messages:
        parts = _spoken(message.parts)
        last = messages[-1] if messages else None
        if (
            last is not None
            and last.role == message.role
            and message.role in ("user", "assistant")
            and last.extras == message.extras
            and not message.name
        ):
            messages[-1] = msgspec.structs.replace(last, parts=_results_first((*last.parts, *parts)))
        elif parts:
            messages.append(msgspec.structs.replace(message, parts=_results_first(parts)))
    return msgspec.structs.replace(
        request,
        messages=tuple(messages),
        metadata=request.metadata or None,
        include_usage=None,
        logprobs=request.logprobs or request.top_logprobs is not None,
        extras={origin: plain for origin, keys in request.extras.items() if (plain := _plain_extras(keys))},
    )


def _plain_extras(keys: dict[str, Any]) -> dict[str, Any]:
    """Without what the encoder itself says where Google's own tools stand beside functions."""
    return {key: value for key, value in keys.items() if key != "toolConfig.includeServerSideToolInvocations"}


def _spoken(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    spoken = [_normal_part(part) for part in parts if part not in (TextPart(""), ReasoningPart(""))]
    refusals = [part for part in spoken if isinstance(part, RefusalPart)]
    if len(refusals) < 2:
        return tuple(spoken)
    whole = RefusalPart("".join(part.text for part in refusals))
    first = next(index for index, part in enumerate(spoken) if isinstance(part, RefusalPart))
    others = [part for part in spoken[first + 1 :] if not isinstance(part, RefusalPart)]
    return (*spoken[:first], whole, *others)


def _normal_part(part: Part) -> Part:
    if isinstance(part, ToolCallPart) and part.kind == "function" and not part.arguments:
        return msgspec.structs.replace(part, arguments="{}")
    if isinstance(part, ToolCallPart) and part.kind == "local_shell":
        ordered = msgspec.json.encode(_value(part.arguments), order="sorted").decode()
        return msgspec.structs.replace(part, arguments=ordered)
    if isinstance(part, MediaPart) and part.kind == "document" and part.data and not part.title:
        return msgspec.structs.replace(part, title="document.pdf")
    return _normal_result(part) if isinstance(part, ToolResultPart) else part


def _normal_result(part: ToolResultPart) -> ToolResultPart:
    return msgspec.structs.replace(part, content=tuple(item for item in part.content if item != TextPart("")))


def _results_first(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResultPart)))


def essence(request: GenerateRequest) -> dict[str, Any]:
    """For two protocols: who said what in which order, and every option; not how messages are divided.

    System text at the beginning is the instructions wherever it stands; texts that follow one another are one text, and
    an empty line may stand between them. A limit, a
    schema, a budget or a file name that the other protocol requires is the usual one if the caller gave none.
    No effort is no thinking. Where in the conversation the tools were listed is nobody else's business.
    """
    said: list[tuple[str, Any]] = []
    for part in request.instructions:
        _say(said, "system", part)
    for message in request.messages:
        role = "system" if message.role in _SYSTEM else "user" if message.role == "tool" else message.role
        for part in message.parts:
            _say(said, role, part)
    options = msgspec.structs.asdict(request)
    for key in ("messages", "instructions", "include_usage"):
        del options[key]
    labels: dict[str, Any] = dict(options["metadata"] or {})
    for key in ("end_user", "user_id"):  # where Gemini and Messages have him
        options["end_user"] = labels.pop(key, None) or options["end_user"]
    options["metadata"] = labels or None
    options["max_output_tokens"] = options["max_output_tokens"] or USUAL_LIMIT
    if request.reasoning in (Reasoning(effort="none"), Reasoning("off")):
        options["reasoning"] = Reasoning("off")
    elif request.reasoning == Reasoning("on"):
        options["reasoning"] = Reasoning("on", budget_tokens=USUAL_BUDGET)
    options["tools"] = [_usual_tool(tool) for tool in request.tools]
    options["extras"] = {origin: keys for origin, keys in request.extras.items() if keys.keys() != {LAYOUT}}
    options["logprobs"] = request.logprobs or request.top_logprobs is not None
    return {"said": said, **options}


def _usual_tool(tool: Tool) -> Tool:
    if not isinstance(tool, FunctionTool):
        return tool
    return msgspec.structs.replace(
        tool, parameters=tool.parameters or USUAL_SCHEMA, strict=tool.strict or False, kind="function"
    )


def _say(said: list[tuple[str, Any]], role: str, part: Part) -> None:
    match part:
        case TextPart(text="", cache=None):
            return
        case TextPart(cache=None) if said and said[-1][0] == role and isinstance(said[-1][1], str):
            said[-1] = (role, said[-1][1] + part.text.replace("\n", ""))
        case TextPart(cache=None):
            said.append((role, part.text.replace("\n", "")))
        case ToolCallPart():
            arguments: Any = {"input": part.arguments} if part.kind == "custom" else _value(part.arguments)
            said.append((role, (part.id, f"{part.namespace}__{part.name}" if part.namespace else part.name, arguments)))
        case ToolResultPart():
            said.append((role, msgspec.structs.replace(_normal_result(part), kind="function")))
        case _:
            said.append((role, _normal_part(part)))


def _value(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return arguments


def differences(first: Any, second: Any, path: str = "") -> list[str]:
    """Where two values differ, for people to read; empty when they are equal."""
    first, second = msgspec.to_builtins(first), msgspec.to_builtins(second)
    if isinstance(first, dict) and isinstance(second, dict):
        keys: list[Any] = sorted({*first, *second})  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
        return [line for key in keys for line in differences(first.get(key), second.get(key), f"{path}.{key}")]  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType] - parsed JSON
    if isinstance(first, list | tuple) and isinstance(second, list | tuple) and len(first) == len(second):  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
        pairs: list[Any] = list(enumerate(zip(first, second, strict=True)))  # pyright: ignore[reportUnknownArgumentType] - parsed JSON
        return [line for number, (one, two) in pairs for line in differences(one, two, f"{path}[{number}]")]
    return [] if first == second else [f"{path}: {first!r} is not {second!r}"]
