"""``toolConfig``: what the model may call, and how far it must.

Two rules of the service shape it: a conversation that holds calls or results needs it, and it must name at least one tool; and
there is no word for "call none". So tools of which none may be called are left out, unless the history needs them.
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import Json, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.bedrock_converse.cache import CacheWriter
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import report
from anykey.protocols.names import sent_name

NAME_LIMIT = 64
NO_CALLS = "Do not call any tool now. Answer in words."
_EMPTY_SCHEMA: Json = {"type": "object", "properties": {}}
_GONE = "This tool is not there any more."


class ToolConfig(NamedTuple):
    """``wire`` None: nothing is sent. ``sentence``: for the system text, where a tool is named that must not be called."""

    wire: Json | None
    sentence: str | None = None


def encode_tool_config(
    request: GenerateRequest, dialect: Dialect, cache: CacheWriter, log: LossLog, *, thinking: bool
) -> ToolConfig:
    """``thinking``: by a budget, so no tool can be forced."""
    choice = request.tool_choice
    history = _called(request.messages)
    forbidden = choice is not None and choice.mode == "none"
    if forbidden and choice is not None:
        report(choice.extras, "tool_choice", log)
        if not history:
            for position in range(len(request.tools)):
                log.emulated(f"tools[{position}]", "not sent, because tool_choice does not allow it")
            _drop_parallel(request, log)
            return ToolConfig(None)
    tools = _encode_tools(request, dialect, cache, log)
    cache.region = "messages"
    if not tools:
        _report_no_tools(request, log, forbidden=forbidden)
        if not history:
            return ToolConfig(None)
        log.emulated("tools", "the tools of the history are named again, since its calls cannot be told without")
        return ToolConfig({"tools": [_stub(name) for name in history]}, NO_CALLS)
    _drop_parallel(request, log)
    wire: Json = {"tools": tools}
    if forbidden:
        log.emulated("tool_choice", "the system text forbids calls, since there is no such choice here")
        return ToolConfig(wire, NO_CALLS)
    if choice is not None:
        wire["toolChoice"] = _encode_choice(choice, dialect, log, thinking=thinking)
    return ToolConfig(wire)


def _called(messages: tuple[Message, ...]) -> list[str]:
    """The names of the tools that the history calls, as they are sent; of a result without a call any name."""
    names: dict[str, None] = {}
    answered = False
    for message in messages:
        for part in message.parts:
            if type(part) is ToolCallPart and part.kind != "hosted":
                names[sent_name(part.name, NAME_LIMIT)] = None
            answered = answered or type(part) is ToolResultPart
    return list(names) or (["tool"] if answered else [])


def _stub(name: str) -> Json:
    return {"toolSpec": {"name": name, "description": _GONE, "inputSchema": {"json": _EMPTY_SCHEMA}}}


def _report_no_tools(request: GenerateRequest, log: LossLog, *, forbidden: bool) -> None:
    if request.tool_choice is not None and not forbidden:
        log.dropped("tool_choice", "there are no tools to choose from")
    if request.parallel_tool_calls is not None:
        log.dropped("parallel_tool_calls", "there are no tools to choose from")


def _drop_parallel(request: GenerateRequest, log: LossLog) -> None:
    if request.parallel_tool_calls is not None:
        log.dropped("parallel_tool_calls", "this protocol has no such option")


def _encode_tools(request: GenerateRequest, dialect: Dialect, cache: CacheWriter, log: LossLog) -> list[Json]:
    """``tools``, only the allowed ones when the choice names them."""
    cache.region = "tools"
    wire: list[Json] = []
    choice = request.tool_choice
    allowed = set(choice.names) if choice is not None and choice.mode == "allowed" else None
    for position, tool in enumerate(request.tools):
        path = f"tools[{position}]"
        if allowed is not None and tool.name not in allowed:
            log.emulated(path, "not sent, because tool_choice does not allow it")
            continue
        spec = _encode_tool(tool, path, dialect, log)
        if spec is None:
            continue
        wire.append({"toolSpec": spec})
        if not isinstance(tool, CustomTool) and tool.cache is not None:
            cache.write(wire, tool.cache, path)
    return wire


def _encode_tool(tool: Tool, path: str, dialect: Dialect, log: LossLog) -> Json | None:
    """A free-text tool is a function by now (``plain_tools``)."""
    match tool:
        case FunctionTool():
            return _encode_function(tool, path, dialect, log)
        case HostedTool():
            log.dropped(path, f"a {tool.kind} tool is run by {tool.origin}'s own provider only")
        case CustomTool():
            log.dropped(path, "there are no free-text tools here")
    return None


def _encode_function(tool: FunctionTool, path: str, dialect: Dialect, log: LossLog) -> Json:
    spec: Json = {"name": sent_name(tool.name, NAME_LIMIT)}
    if tool.description:
        spec["description"] = tool.description
    schema = tool.parameters or _EMPTY_SCHEMA
    spec["inputSchema"] = {"json": schema if "type" in schema else {"type": "object", **schema}}
    if tool.strict is not None:
        if dialect.strict_tools:
            spec["strict"] = tool.strict
        else:
            log.dropped(f"{path}.strict", "this model is not held to the schema of a tool")
    report(tool.extras, path, log)
    return spec


def _encode_choice(choice: ToolChoice, dialect: Dialect, log: LossLog, *, thinking: bool) -> Json:
    report(choice.extras, "tool_choice", log)
    named = choice.mode == "named"
    if not (named or choice.mode == "required" or choice.required):
        return {"auto": {}}
    if thinking or not dialect.forced_tool_choice:
        why = "the model thinks first" if thinking else "this model takes no forced choice"
        log.approximated("tool_choice", f"sent as auto: {why}")
        return {"auto": {}}
    return {"tool": {"name": sent_name(choice.names[0], NAME_LIMIT)}} if named else {"any": {}}
