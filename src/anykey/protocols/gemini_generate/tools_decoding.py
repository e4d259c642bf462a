"""``tools`` and ``toolConfig``, wire → neutral.

One wire tool may hold many functions and several of Google's own tools; each is a tool by itself here.
"""

from __future__ import annotations

import re
from typing import Any

from anykey.conversation.failures import invalid
from anykey.conversation.parts import Json
from anykey.conversation.tools import FunctionTool, HostedPurpose, HostedTool, Tool, ToolChoice
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.extras import NAME, kept
from anykey.protocols.gemini_generate.schema_decoding import decode_schema
from anykey.protocols.gemini_generate.spelling import camel, fields_of, is_array, is_object, nested
from anykey.protocols.hosted import search_options

PURPOSES: dict[str, HostedPurpose] = {
    "googleSearch": "web_search",
    "googleSearchRetrieval": "web_search",
    "enterpriseWebSearch": "web_search",
    "urlContext": "web_fetch",
    "codeExecution": "code_execution",
    "fileSearch": "file_search",
    "computerUse": "computer",
    "mcpServers": "mcp",
}
"""What Google's own tools are for, where others have one for the same."""

_UPPER_TYPE = re.compile(rb'"type"\s*:\s*(?:\[\s*)?"[A-Z]')
_MODES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto"}


def has_upper_types(body: bytes) -> bool:
    """A JSON Schema in ``body`` may write its types in Google's way; looked for in the bytes, which is quicker than a walk."""
    return _UPPER_TYPE.search(body) is not None


def decode_tools(value: Any, path: str, *, respell: bool) -> tuple[Tool, ...]:
    """``tools``: an array, or one tool. ``respell``: JSON Schemas may have types in upper case."""
    entries: list[Any] = value if is_array(value) else [] if value is None else [value]
    tools: list[Tool] = []
    for index, entry in enumerate(entries):
        where = f"{path}[{index}]"
        for key, item in camel(entry, where).items():
            if item is None:
                continue
            if key == "functionDeclarations":
                tools += _functions(item, f"{where}.{key}", respell=respell)
            else:
                tools.append(_hosted(key, item))
    return tuple(tools)


def _hosted(key: str, item: Any) -> HostedTool:
    options: Json = {}
    if is_object(item) and key in ("googleSearch", "enterpriseWebSearch"):
        options = search_options(blocked=camel(item, key).get("excludeDomains"))
    return HostedTool(NAME, key, None, {key: item}, None, PURPOSES.get(key), options)


def _functions(value: Any, path: str, *, respell: bool) -> list[Tool]:
    entries: list[Any] = value if is_array(value) else [value]
    return [_function(entry, f"{path}[{index}]", respell=respell) for index, entry in enumerate(entries)]


def _function(value: Any, path: str, *, respell: bool) -> FunctionTool:
    if is_object(value) and len(value) == 3 and not respell:  # what nearly all of an agent's many tools are
        name, description, schema = value.get("name"), value.get("description"), value.get("parametersJsonSchema")
        if type(name) is str and type(description) is str and is_object(schema):
            return FunctionTool(name, description, schema)
    fields = fields_of(value, path)
    name, description = fields.required_text("name"), fields.text("description")
    schema, older = fields.object("parametersJsonSchema"), fields.object("parameters")
    if schema is not None and respell:
        schema = decode_schema(schema, f"{path}.parametersJsonSchema")
    elif schema is None and older is not None:
        schema, older = decode_schema(older, f"{path}.parameters"), None
    rest = fields.rest()
    if older is not None:
        rest["parameters"] = older
    return FunctionTool(name, description, schema, extras=kept(rest))


def decode_tool_config(fields: Fields | None, left: Json) -> ToolChoice | None:
    """The choice among the tools. What else ``toolConfig`` says goes to ``left``."""
    if fields is None:
        return None
    calling = nested(fields, "functionCallingConfig")
    choice = None if calling is None else _choice(calling, left)
    left.update({f"toolConfig.{key}": value for key, value in fields.rest().items()})
    return choice


def _choice(fields: Fields, left: Json) -> ToolChoice | None:
    word, names = fields.text("mode"), fields.array("allowedFunctionNames") or []
    if not all(isinstance(name, str) for name in names):
        raise invalid("expected an array of strings", fields.at("allowedFunctionNames"))
    rest = fields.rest()
    if word is None and not names:
        left.update({f"{fields.path}.{key}": value for key, value in rest.items()})
        return None
    mode = (word or "AUTO").upper()
    if mode not in _MODES:
        raise invalid(f"expected one of {', '.join(_MODES)}, got {word!r}", fields.at("mode"))
    if mode in ("VALIDATED", "MODE_UNSPECIFIED"):
        rest["mode"] = mode
    known = _MODES[mode]
    if names and known != "none":
        if known == "required" and len(names) == 1:
            return ToolChoice("named", tuple(names), extras=kept(rest))
        return ToolChoice("allowed", tuple(names), required=known == "required", extras=kept(rest))
    if names:
        rest["allowedFunctionNames"] = names
    return ToolChoice(known, extras=kept(rest))  # pyright: ignore[reportArgumentType] - a word of _MODES
