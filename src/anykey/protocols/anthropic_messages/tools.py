"""Tools and how far the model must call them, both ways."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.anthropic_messages.cache import CacheWriter, decode_cache
from anykey.protocols.anthropic_messages.client_tools import client_tool
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import NAME, keep, put
from anykey.protocols.anthropic_messages.hosted import decode_hosted, encode_hosted
from anykey.protocols.anthropic_messages.shapes import is_object
from anykey.protocols.fields import Fields
from anykey.protocols.names import sent_name

NAME_LIMIT = 128
_EMPTY_SCHEMA: Json = {"type": "object", "properties": {}}
_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
_WORDS = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}


def decode_tools(values: list[Any]) -> tuple[Tool, ...]:
    """``tools``: those without a type (or ``custom``) are the client's own, the others are the provider's."""
    return tuple(_decode_tool(value, f"tools.{position}") for position, value in enumerate(values))


def _decode_tool(value: Any, path: str) -> Tool:
    return _plain_tool(value) or _decode_other(value, path)


def _plain_tool(value: Any) -> Tool | None:
    """A name, a description and a schema, which is what nearly all of an agent's many tools are."""
    if not is_object(value) or len(value) != 3:
        return None
    name, description, schema = value.get("name"), value.get("description"), value.get("input_schema")
    if type(name) is str and type(description) is str and is_object(schema):
        return FunctionTool(name, description, schema)
    return None


def _decode_other(value: Any, path: str) -> Tool:
    fields = Fields(value, path)
    kind = fields.text("type")
    cache = decode_cache(fields.object("cache_control"))
    name = fields.text("name")
    if kind is not None and kind != "custom":
        wire: Json = {key: item for key, item in value.items() if key != "cache_control"}
        known = client_tool(kind)
        if known is not None and name is not None:
            del wire["name"]
            return FunctionTool(name, known.description, known.parameters, None, cache, keep(wire))
        return msgspec.structs.replace(decode_hosted(kind, name, wire), cache=cache)
    if name is None:
        raise invalid("Field required", f"{path}.name")
    description, schema, strict = fields.text("description"), fields.object("input_schema"), fields.flag("strict")
    return FunctionTool(name, description, schema, strict, cache, keep(fields.rest()))


def decode_tool_choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """``tool_choice`` and, told by its ``disable_parallel_tool_use``, whether several calls at once are allowed."""
    word = fields.required_text("type")
    mode = _MODES.get(word)
    if mode is None:
        raise invalid(f'Input should be "auto", "any", "tool" or "none", got {word!r}', fields.at("type"))
    disabled = fields.flag("disable_parallel_tool_use")
    names = (fields.required_text("name"),) if mode == "named" else ()
    choice = ToolChoice(mode, names, extras=keep(fields.rest()))  # pyright: ignore[reportArgumentType] - a word of _MODES
    return choice, None if disabled is None else not disabled


def encode_tools(request: GenerateRequest, dialect: Dialect, cache: CacheWriter, log: LossLog) -> list[Json]:
    """``tools`` of an upstream request, only the allowed ones when the choice names them."""
    cache.region = "tools"
    wire: list[Json] = []
    choice = request.tool_choice
    allowed = set(choice.names) if choice is not None and choice.mode == "allowed" else None
    for position, tool in enumerate(request.tools):
        path = f"tools[{position}]"
        if allowed is not None and tool.name not in allowed:
            log.emulated(path, "not sent, because tool_choice does not allow it")
            continue
        block = _encode_tool(tool, path, dialect, log)
        if block is None:
            continue
        if not isinstance(tool, CustomTool) and tool.cache is not None:
            cache.write(block, tool.cache, path)
        wire.append(block)
    return wire


def _encode_tool(tool: Tool, path: str, dialect: Dialect, log: LossLog) -> Json | None:
    """A free-text tool is a function by now (``plain_tools``)."""
    match tool:
        case FunctionTool():
            return _encode_function(tool, path, dialect, log)
        case HostedTool():
            return encode_hosted(tool, path, dialect, log)
        case CustomTool():
            log.dropped(path, "there are no free-text tools here")
    return None


def _encode_function(tool: FunctionTool, path: str, dialect: Dialect, log: LossLog) -> Json:
    block: Json = {"name": sent_name(tool.name, NAME_LIMIT)}
    known = client_tool(tool.extras.get(NAME, {}).get("type", "")) if tool.extras else None
    if known is not None and known == (tool.description, tool.parameters):  # the upstream knows it by its type
        put(block, tool.extras, path, log)
        return block
    if tool.description is not None:
        block["description"] = tool.description
    schema = tool.parameters
    if not schema:
        schema = _EMPTY_SCHEMA
    elif "type" not in schema:
        schema = {"type": "object", **schema}
    block["input_schema"] = schema
    if tool.strict is not None:
        if dialect.strict_tools:
            block["strict"] = tool.strict
        else:
            log.dropped(f"{path}.strict", "this upstream does not hold tools to their schema")
    if tool.extras:
        put(block, tool.extras, path, log)
    return block


def encode_tool_choice(
    request: GenerateRequest, dialect: Dialect, log: LossLog, *, thinking: bool, tools: bool
) -> Json | None:
    """``tool_choice``; None when nothing has to be said. ``thinking``: by a budget, so no tool can be forced."""
    choice, parallel = request.tool_choice, request.parallel_tool_calls
    if choice is None and parallel is None:
        return None
    if not tools:
        for path, value in (("tool_choice", choice), ("parallel_tool_calls", parallel)):
            if value is not None:
                log.dropped(path, "there are no tools to choose from")
        return None
    wire = _choice_wire(choice or ToolChoice("auto"), dialect, log, thinking=thinking)
    if parallel is not None:
        if wire["type"] == "none":
            log.dropped("parallel_tool_calls", "no tool may be called")
        else:
            wire["disable_parallel_tool_use"] = not parallel
    return wire


def _choice_wire(choice: ToolChoice, dialect: Dialect, log: LossLog, *, thinking: bool) -> Json:
    word = _WORDS.get(choice.mode) or ("any" if choice.required else "auto")
    if word in ("any", "tool") and (thinking or not dialect.forced_tool_choice):
        why = "the model thinks first" if dialect.forced_tool_choice else "this model takes no forced choice"
        log.approximated("tool_choice", f"sent as auto: {why}")
        return {"type": "auto"}
    wire: Json = {"type": word}
    if word == "tool":
        wire["name"] = sent_name(choice.names[0], NAME_LIMIT)
    if choice.extras:
        put(wire, choice.extras, "tool_choice", log)
    return wire
