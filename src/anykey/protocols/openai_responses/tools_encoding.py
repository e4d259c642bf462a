"""Tools and the choice among them, neutral to wire, for one upstream. Namespaces are closed again, and tools go back to where
they stood in the input (``tools_decoding.ToolReader.layout``).
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.hosted import purposes, report_unread
from anykey.protocols.names import sent_name
from anykey.protocols.openai_responses.client_tools import CLIENT_TOOLS
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.extras import NAME, drop_extras, own, write_extras
from anykey.protocols.openai_responses.tools_decoding import identity
from anykey.protocols.plain_tools import LAYOUT, grammar_of

_EMPTY_SCHEMA: Json = {"type": "object", "properties": {}}
_HOSTED: dict[str, Json] = {
    "web_search": {"type": "web_search"},
    "code_execution": {"type": "code_interpreter", "container": {"type": "auto"}},
    "image_generation": {"type": "image_generation"},
}
"""Our own tool for a purpose; the others need what only their own protocol says (a vector store, a server's address)."""

_CROSSING = frozenset(
    {"type", "name", "filters", "allowed_domains", "user_location", "search_context_size", "cache_control"}
)
"""Keys of another's search tool that ``options`` hold, or that say nothing more."""


class PlacedTools(NamedTuple):
    """Tools that stand in the input, as the item that is its ``place``-th."""

    place: int
    tools: list[Json]


class ToolWriter:
    """Writes the tools of one request and the choice among them."""

    __slots__ = ("_dialect", "_log")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log

    def tools(self, request: GenerateRequest) -> tuple[list[Json], list[PlacedTools]]:
        """The ``tools`` array, and the tools of ``additional_tools`` items."""
        layout: Json = own(request.extras).get(LAYOUT, {})
        groups: Json = layout.get("namespaces", {})
        if not layout:
            return self._group(list(enumerate(request.tools)), groups), []
        additional: list[tuple[int, list[list[str | None]]]] = layout.get("additional_tools", [])
        found: list[list[str | None]] = layout.get("loaded", [])
        place_of = {tuple(member): place for place, members in additional for member in members}
        loaded = {tuple(member) for member in found}
        top: list[tuple[int, Tool]] = []
        placed: dict[int, list[tuple[int, Tool]]] = {}
        for index, tool in enumerate(request.tools):
            who = tuple(identity(tool))
            if who in loaded:
                continue  # its tool_search_output holds it
            place = place_of.get(who)
            (top if place is None else placed.setdefault(place, [])).append((index, tool))
        items = [PlacedTools(place, self._group(placed[place], groups)) for place in sorted(placed)]
        return self._group(top, groups), items

    def _group(self, tools: list[tuple[int, Tool]], groups: Json) -> list[Json]:
        """The entries of ``tools``; neighbours of one namespace are one entry."""
        entries: list[Json] = []
        opened: str | None = None
        for index, tool in tools:
            entry = self._tool(tool, f"tools[{index}]")
            if entry is None:
                continue
            namespace = None if isinstance(tool, HostedTool) else tool.namespace
            if namespace is None:
                entries.append(entry)
            elif namespace == opened:
                entries[-1]["tools"].append(entry)
            else:
                group: Json = {"type": "namespace", "name": namespace, "description": "", **groups.get(namespace, {})}
                entries.append({**group, "tools": [entry]})
            opened = namespace
        return entries

    def _tool(self, tool: Tool, path: str) -> Json | None:
        if not isinstance(tool, CustomTool) and tool.cache is not None:
            self._log.dropped(f"{path}.cache_control", "tools take no marks here")
        match tool:
            case FunctionTool() if tool.kind in CLIENT_TOOLS and self._dialect.native_tools:
                return self._client_tool(tool, path)
            case FunctionTool():
                return self._function(tool, path)
            case CustomTool():
                return self._custom(tool, path)
            case HostedTool():
                own = tool.origin == NAME and (self._dialect.verbatim or tool.purpose is None)
                return tool.value if own else self._hosted(tool, path)

    def _function(self, tool: FunctionTool, path: str) -> Json:
        """``strict`` is said even where nobody asked: left out, the API tries to be strict and rewrites the schema."""
        entry: Json = {"type": "function", "name": self._name(tool.name, path)}
        if tool.description is not None:
            entry["description"] = tool.description
        entry["parameters"] = _EMPTY_SCHEMA if tool.parameters is None else tool.parameters
        if self._dialect.strict_tools:
            entry["strict"] = tool.strict or False
        elif tool.strict:
            self._log.dropped(f"{path}.strict", "this upstream does not bind arguments to the schema")
        if tool.extras:
            if tool.kind in CLIENT_TOOLS:
                drop_extras(tool.extras, path, self._log)
            else:
                write_extras(entry, tool.extras, path, self._log)
        return entry

    def _client_tool(self, tool: FunctionTool, path: str) -> Json:
        entry: Json = {"type": tool.kind}
        if tool.kind == "tool_search":
            entry["execution"] = "client"
            usual = CLIENT_TOOLS[tool.kind]
            if tool.description not in (None, usual.description):
                entry["description"] = tool.description
            if tool.parameters not in (None, usual.parameters):
                entry["parameters"] = tool.parameters
        write_extras(entry, tool.extras, path, self._log)
        return entry

    def _custom(self, tool: CustomTool, path: str) -> Json:
        entry: Json = {"type": "custom", "name": self._name(tool.name, path)}
        if tool.description is not None:
            entry["description"] = tool.description
        if tool.format is not None:
            grammar = grammar_of(tool.format) if "grammar" in tool.format else None
            entry["format"] = tool.format if grammar is None else {"type": "grammar", **grammar._asdict()}
            if grammar is not None:  # as Chat says it
                self._report_rest(tool.format, ("type", "grammar"), f"{path}.format")
                self._report_rest(tool.format["grammar"], grammar._fields, f"{path}.format.grammar")
        write_extras(entry, tool.extras, path, self._log)
        return entry

    def _report_rest(self, value: Json, known: tuple[str, ...], path: str) -> None:
        for key in value:
            if key not in known:
                self._log.dropped(f"{path}.{key}", "Responses has no such field")

    def _hosted(self, tool: HostedTool, path: str) -> Json | None:
        """Our own tool for the same purpose, where this upstream has it."""
        usual = _HOSTED.get(tool.purpose or "")
        if usual is None or tool.purpose not in purposes(self._dialect.hosted_tools):
            self._log.dropped(path, f"{tool.kind} is run by the provider that offers it, and this upstream has none")
            return None
        entry = dict(usual)
        options = tool.options if tool.purpose == "web_search" else {}
        if "allowed_domains" in options:
            entry["filters"] = {"allowed_domains": options["allowed_domains"]}
        if "user_location" in options:
            entry["user_location"] = {"type": "approximate", **options["user_location"]}
        report_unread(tool.value, path, self._log)
        if "context_size" in options:
            entry["search_context_size"] = options["context_size"]
        for key, value in tool.value.items():
            if key not in _CROSSING and value not in (None, {}, []):
                self._log.dropped(f"{path}.{key}", "this upstream's tool has no such option")
        return entry

    def _name(self, name: str, path: str) -> str:
        sent = sent_name(name)
        if sent != name:
            self._log.emulated(f"{path}.name", f"sent as {sent}; the caller sees its own name")
        return sent

    def choice(self, choice: ToolChoice, tools: tuple[Tool, ...]) -> Json | str:
        """``tool_choice``; a tool with a type of its own is named by it."""
        log = self._log
        entry: Json | str
        match choice.mode:
            case "named" if self._dialect.named_tool_choice and choice.names:
                entry = self._one(choice.names[0], tools, custom=choice.custom)
            case "named":
                log.approximated("tool_choice.name", "this upstream can be made to call a tool, not a certain one")
                entry = "required"
            case "allowed" if self._dialect.allowed_tool_choice:
                members = [self._one(name, tools, custom=False) for name in choice.names]
                entry = {"type": "allowed_tools", "mode": "required" if choice.required else "auto", "tools": members}
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

    def _one(self, name: str, tools: tuple[Tool, ...], *, custom: bool) -> Json:
        for tool in tools:
            if tool.name == name and isinstance(tool, FunctionTool) and tool.kind in CLIENT_TOOLS:
                if self._dialect.native_tools:
                    return {"type": tool.kind}
            elif tool.name == name and isinstance(tool, CustomTool):
                custom = True
        return {"type": "custom" if custom else "function", "name": sent_name(name)}
