"""Tools, the choice among them, and calls: functions, custom (free text) tools, and the legacy ``functions``."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, OpaquePart, Part, ToolCallPart
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.fields import Fields
from anykey.protocols.hosted import purposes
from anykey.protocols.names import sent_name
from anykey.protocols.openai_chat.content import ContentWriter, read_cache
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.extras import NAME, drop_extras, kept, synthetic_id, write_extras
from anykey.protocols.openai_chat.parsed import is_object
from anykey.protocols.openai_chat.web_search import OPTIONS, decode_vendor_tool, encode_options
from anykey.protocols.plain_tools import grammar_of

OPAQUE_CALL = "tool_calls."
"""Prefix of the kind of an OpaquePart that is an entry of ``tool_calls``."""


def decode_tools(values: list[Any], path: str) -> tuple[Tool, ...]:
    return tuple(_decode_tool(value, f"{path}[{index}]") for index, value in enumerate(values))


def _decode_tool(value: Any, path: str) -> Tool:
    return _plain_tool(value) or _decode_other(value, path)


def _plain_tool(value: Any) -> Tool | None:
    """A function with a name, a description and a schema, which is what nearly all of an agent's many tools are."""
    if not is_object(value) or len(value) != 2 or value.get("type") != "function":
        return None
    inner: Any = value.get("function")
    if not is_object(inner) or len(inner) != 3:
        return None
    name, description, parameters = inner.get("name"), inner.get("description"), inner.get("parameters")
    if type(name) is str and type(description) is str and is_object(parameters):
        return FunctionTool(name, description, parameters)
    return None


def _decode_other(value: Any, path: str) -> Tool:
    fields = Fields(value, path)
    match fields.text("type") or "function":
        case "function":
            return decode_function(fields.nested("function") or Fields({}, fields.at("function")), fields)
        case "custom":
            inner = fields.nested("custom") or Fields({}, fields.at("custom"))
            name, description, form = inner.required_text("name"), inner.text("description"), inner.object("format")
            return CustomTool(name, description, form, kept({**fields.rest(), **inner.rest()}))
        case kind:
            return decode_vendor_tool(kind, value)


def decode_function(inner: Fields, outer: Fields | None = None) -> FunctionTool:
    """A function definition; ``outer`` is the tool object around it (legacy ``functions`` have none)."""
    name, description = inner.required_text("name"), inner.text("description")
    parameters, strict = inner.object("parameters"), inner.flag("strict")
    cache = read_cache(inner) or (read_cache(outer) if outer else None)
    extras: Json = {"function": rest} if (rest := inner.rest()) else {}
    return FunctionTool(
        name, description, parameters, strict, cache, kept({**extras, **(outer.rest() if outer else {})})
    )


def decode_tool_choice(value: Any, path: str) -> ToolChoice | None:
    """None for a word or an object this protocol does not define; the caller keeps it as it is."""
    if value in ("auto", "none", "required"):
        return ToolChoice(value)
    if not is_object(value):
        return None
    fields = Fields(value, path)
    match fields.text("type"):
        case "function" | None:
            inner, custom = fields.nested("function"), False
        case "custom":
            inner, custom = fields.nested("custom"), True
        case "allowed_tools":
            return _decode_allowed(fields)
        case _:
            return None
    named = inner or Fields({}, fields.at("function"))
    name = named.required_text("name")
    _refuse_unknown(named)
    return ToolChoice("named", (name,), custom=custom, extras=kept(fields.rest()))


def _decode_allowed(fields: Fields) -> ToolChoice | None:
    inner = fields.nested("allowed_tools") or fields
    tools: list[Any] = inner.array("tools") or []
    names: list[str] = []
    read: list[Fields] = [] if inner is fields else [inner]
    for index, tool in enumerate(tools):
        entry = Fields(tool, f"{inner.at('tools')}[{index}]")
        if entry.text("type") != "function":
            return None
        function = entry.nested("function") or entry
        names.append(function.required_text("name"))
        read += [entry, function]
    mode = inner.text("mode")
    if mode not in (None, "auto", "required"):
        raise invalid(f"expected 'auto' or 'required', got {mode!r}", inner.at("mode"))
    _refuse_unknown(*read)
    return ToolChoice("allowed", tuple(names), mode == "required", extras=kept(fields.rest()))


def _refuse_unknown(*read: Fields) -> None:
    """A choice says which tool must run: a key that would change that and is not understood is no choice to make here."""
    for fields in read:
        for key in fields.rest():
            raise invalid("this field is not known", fields.at(key))


class ToolWriter:
    """Writes tools and the choice among them for one upstream."""

    __slots__ = ("_content", "_dialect", "_log", "search")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log
        self._content = ContentWriter(dialect, log)
        self.search: Json | None = None

    def tools(self, tools: tuple[Tool, ...]) -> list[Json]:
        """The ``tools`` array. A web search that is asked for otherwise is put into ``search``."""
        entries: list[Json] = []
        for index, tool in enumerate(tools):
            path = f"tools[{index}]"
            match tool:
                case FunctionTool():
                    entries.append(self._function(tool, path))
                case CustomTool():
                    entries.append(self._custom(tool, path))
                case HostedTool(origin=origin, kind=kind) if origin == NAME and kind != OPTIONS:
                    entries.append(tool.value)
                case HostedTool():
                    self._hosted(tool, path)
        return entries

    def _hosted(self, tool: HostedTool, path: str) -> None:
        if (
            tool.purpose == "web_search"
            and "web_search" in purposes(self._dialect.hosted_tools)
            and self.search is None
        ):
            self.search = encode_options(tool, path, self._log)
            if tool.cache is not None:
                self._log.dropped(f"{path}.cache_control", "the search is an option here, which takes no mark")
        elif tool.origin == NAME:
            self._log.dropped(path, "this model has no web search of its own")
        else:
            self._log.dropped(path, f"{tool.kind} is run by the provider that offers it")

    def _function(self, tool: FunctionTool, path: str) -> Json:
        log = self._log
        function: Json = {"name": self.name(tool.name, path)}
        if tool.description is not None:
            function["description"] = tool.description
        if tool.parameters is not None:
            function["parameters"] = tool.parameters
        if tool.strict is not None:
            if self._dialect.strict_tools:
                function["strict"] = tool.strict
            elif tool.strict:
                log.dropped(f"{path}.strict", "this upstream does not bind arguments to the schema")
        entry: Json = {"type": "function", "function": function}
        if tool.cache is not None:
            if self._dialect.cache_control:
                self._content.cache(entry, tool.cache, path)
            else:
                log.dropped(f"{path}.cache_control", "this upstream takes no cache marks on tools")
        if tool.extras:
            function.update(tool.extras.get(NAME, {}).get("function", {}))
            write_extras(entry, tool.extras, path, log)
        return entry

    def _custom(self, tool: CustomTool, path: str) -> Json:
        custom: Json = {"name": self.name(tool.name, path)}
        if tool.description is not None:
            custom["description"] = tool.description
        if tool.format is not None:
            custom["format"] = _nested(tool.format)
        write_extras(custom, tool.extras, path, self._log)
        return {"type": "custom", "custom": custom}

    def name(self, name: str, path: str) -> str:
        sent = sent_name(name)
        if sent != name:
            self._log.emulated(f"{path}.name", f"sent as {sent}; the caller sees its own name")
        return sent

    def choice(self, choice: ToolChoice) -> Json | str:
        log = self._log
        entry: Json | str
        match choice.mode:
            case "named" if self._dialect.named_tool_choice and choice.names:
                kind = "custom" if choice.custom and self._dialect.custom_tools else "function"
                entry = {"type": kind, kind: {"name": sent_name(choice.names[0])}}
            case "named":
                log.approximated("tool_choice.name", "this upstream can be made to call a tool, not a certain one")
                entry = "required"
            case "allowed" if self._dialect.named_tool_choice and self._dialect.allowed_tool_choice:
                tools = [{"type": "function", "function": {"name": sent_name(name)}} for name in choice.names]
                mode = "required" if choice.required else "auto"
                entry = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
            case "allowed":
                log.approximated("tool_choice.tools", "this upstream cannot limit the tools of one turn")
                entry = "required" if choice.required else "auto"
            case mode:
                entry = mode
        if isinstance(entry, dict):
            write_extras(entry, choice.extras, "tool_choice", log)
        else:
            drop_extras(choice.extras, "tool_choice", log)
        return entry


def _nested(form: Json) -> Json:
    """A grammar in an object of its own; Responses says it flat."""
    grammar = None if "grammar" in form else grammar_of(form)
    return form if grammar is None else {"type": "grammar", "grammar": grammar._asdict()}


def decode_tool_call(value: Any, path: str) -> Part:
    """An entry of ``tool_calls``. Missing type, id or arguments are tolerated: some servers leave them out."""
    plain = _decode_plain_call(value)
    if plain is not None:
        return plain
    fields = Fields(value, path)
    kind = fields.text("type") or "function"
    fields.any("index")
    if kind not in ("function", "custom"):
        return OpaquePart(NAME, f"{OPAQUE_CALL}{kind}", value)
    inner = fields.nested(kind)
    if inner is None:
        raise invalid("this field is required", fields.at(kind))
    name = inner.required_text("name")
    arguments = argument_text(inner.any("arguments" if kind == "function" else "input"))
    call_id = fields.text("id") or synthetic_id("call_", path, name, arguments)
    cache, rest = read_cache(fields), fields.rest()
    other: Any = rest.get("function" if kind == "custom" else "custom")
    if is_object(other) and not any(other.values()):  # some servers send every field, empty
        del rest["function" if kind == "custom" else "custom"]
    extras: Json = {**rest, kind: inner_rest} if (inner_rest := inner.rest()) else rest
    return ToolCallPart(call_id, name, arguments, "custom" if kind == "custom" else "function", cache, kept(extras))


def _decode_plain_call(value: Any) -> ToolCallPart | None:
    """The commonest shape without a cursor: id, type and a function's name and arguments, all text."""
    if not is_object(value) or len(value) != 3 or value.get("type") != "function":
        return None
    call_id, function = value.get("id"), value.get("function")
    if not is_object(function) or len(function) != 2 or type(call_id) is not str or not call_id:
        return None
    name, arguments = function.get("name"), function.get("arguments")
    if type(name) is not str or type(arguments) is not str:
        return None
    return ToolCallPart(call_id, name, arguments)


def argument_text(value: Any) -> str:
    """Arguments as text, whatever a server made of them: null is none, an object is written out."""
    if value is None:
        return ""
    return value if isinstance(value, str) else _dump(value)


def encode_tool_call(part: ToolCallPart, name: str) -> Json:
    """``part`` as an entry of ``tool_calls`` (or, legacy, the ``function_call`` object)."""
    if part.kind == "legacy_function":
        return {"name": name, "arguments": part.arguments}
    own = part.extras.get(NAME, {})
    if part.kind == "custom":
        inner: Json = {"name": name, "input": part.arguments, **own.get("custom", {})}
        entry: Json = {"id": part.id, "type": "custom", "custom": inner}
    else:
        inner = {"name": name, "arguments": part.arguments or "{}", **own.get("function", {})}
        entry = {"id": part.id, "type": "function", "function": inner}
    for key, value in own.items():
        entry.setdefault(key, value)
    return entry


def _dump(value: Any) -> str:
    return msgspec.json.encode(value).decode()
