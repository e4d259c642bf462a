"""Tools and the choice among them, wire to neutral. Namespaces are opened: each tool knows its own. Tools that stand in the input
(``additional_tools``, ``tool_search_output``) are tools like any other; ``layout`` tells where they stood.
"""

from __future__ import annotations

from typing import Any, cast

from anykey.conversation.failures import invalid
from anykey.conversation.parts import Json
from anykey.conversation.tools import CustomTool, FunctionTool, HostedPurpose, HostedTool, Tool, ToolChoice
from anykey.protocols.fields import Fields, kind_of
from anykey.protocols.hosted import search_options
from anykey.protocols.openai_responses.client_tools import CLIENT_TOOLS, is_local
from anykey.protocols.openai_responses.extras import NAME, kept
from anykey.protocols.openai_responses.shapes import is_object

_PURPOSES: dict[str, HostedPurpose] = {
    "web_search": "web_search",
    "file_search": "file_search",
    "code_interpreter": "code_execution",
    "shell": "code_execution",
    "image_generation": "image_generation",
    "computer": "computer",
    "mcp": "mcp",
}
_PLAIN_FUNCTION = frozenset({"type", "name", "description", "parameters", "strict"})


class ToolReader:
    """Collects the tools of one request, each name of a namespace once."""

    def __init__(self) -> None:
        self.tools: list[Tool] = []
        self._known: set[tuple[str | None, str]] = set()
        self._namespaces: Json = {}
        self._placed: list[Any] = []
        self._loaded: list[Any] = []

    def add(self, values: Any, path: str) -> list[Tool]:
        """Read an array of tools; what was added, for the caller to remember."""
        if values is None:
            return []
        if not isinstance(values, list):
            raise invalid(f"expected an array, got {kind_of(values)}", path)
        before = len(self.tools)
        for index, value in enumerate(cast("list[Any]", values)):
            self._read(value, f"{path}[{index}]", None)
        return self.tools[before:]

    def add_placed(self, values: Any, path: str, place: int) -> None:
        """Tools of an ``additional_tools`` item that is the ``place``-th of the input."""
        added = [identity(tool) for tool in self.add(values, path)]
        if added:
            self._placed.append([place, added])

    def add_loaded(self, values: Any, path: str) -> None:
        """Tools that a client's tool search found: they can be called from now on."""
        self._loaded += [identity(tool) for tool in self.add(values, path)]

    def layout(self) -> Json:
        """What a flat list does not tell: descriptions of namespaces, and which tools stood in the input."""
        parts = {"namespaces": self._namespaces, "additional_tools": self._placed, "loaded": self._loaded}
        return {key: value for key, value in parts.items() if value}

    def _read(self, value: Any, path: str, namespace: str | None) -> None:
        if is_object(value) and value.get("type") == "namespace" and namespace is None:
            self._open(Fields(value, path))
            return
        tool = _plain_function(value, namespace) or _decode_tool(value, path, namespace)
        if isinstance(tool, FunctionTool | CustomTool):
            if (namespace, tool.name) in self._known:
                return  # offered before and found again by a search
            self._known.add((namespace, tool.name))
        self.tools.append(tool)

    def _open(self, fields: Fields) -> None:
        fields.any("type")
        name, inner = fields.required_text("name"), fields.array("tools") or []
        rest = fields.rest()
        if rest:
            self._namespaces[name] = rest
        for index, value in enumerate(inner):
            self._read(value, f"{fields.at('tools')}[{index}]", name)


def identity(tool: Tool) -> list[str | None]:
    """How a tool is found again in the list."""
    if isinstance(tool, HostedTool):
        return [None, tool.kind]
    return [tool.namespace, tool.name]


def _plain_function(value: Any, namespace: str | None) -> FunctionTool | None:
    """A function that says nothing unusual, without a cursor: an agent sends seventy."""
    if not is_object(value) or value.get("type") != "function" or not value.keys() <= _PLAIN_FUNCTION:
        return None
    name, description, parameters = value.get("name"), value.get("description"), value.get("parameters")
    strict = value.get("strict")
    if type(name) is not str or (description is not None and type(description) is not str):
        return None
    if (parameters is not None and type(parameters) is not dict) or (strict is not None and type(strict) is not bool):
        return None
    return FunctionTool(name, description, cast("Json | None", parameters), strict, namespace=namespace)


def _decode_tool(value: Any, path: str, namespace: str | None) -> Tool:
    fields = Fields(value, path)
    kind = fields.required_text("type")
    match kind:
        case "function":
            name, description = fields.required_text("name"), fields.text("description")
            parameters, strict = fields.object("parameters"), fields.flag("strict")
            return FunctionTool(name, description, parameters, strict, extras=kept(fields.rest()), namespace=namespace)
        case "custom":
            name, description, form = fields.required_text("name"), fields.text("description"), fields.object("format")
            return CustomTool(name, description, form, kept(fields.rest()), namespace)
        case _ if kind in CLIENT_TOOLS and _is_client_run(value, kind):
            return _decode_client_tool(fields, kind)
        case _:
            purpose = _purpose(kind)
            options = _options(value) if purpose == "web_search" else {}
            return HostedTool(NAME, kind, None, value, purpose=purpose, options=options)


def _is_client_run(value: Json, kind: str) -> bool:
    if kind == "tool_search":
        return value.get("execution") == "client"
    return kind != "shell" or is_local(value.get("environment"))


def _decode_client_tool(fields: Fields, kind: str) -> FunctionTool:
    """A function of that kind; its own description and schema where the client gives them (``tool_search``)."""
    tool = CLIENT_TOOLS[kind]
    description, parameters = fields.text("description"), fields.object("parameters")
    rest = fields.rest()
    if rest.get("execution") == "client":
        del rest["execution"]
    return FunctionTool(
        kind, description or tool.description, parameters or tool.parameters, extras=kept(rest), kind=tool.kind
    )


def _purpose(kind: str) -> HostedPurpose | None:
    if kind.startswith("web_search"):
        return "web_search"
    return "computer" if kind.startswith("computer") else _PURPOSES.get(kind)


def _options(value: Json) -> Json:
    """What of a web search crosses to another provider's."""
    filters: Any = value.get("filters")
    allowed, blocked = (
        (filters.get("allowed_domains"), filters.get("blocked_domains")) if is_object(filters) else (None, None)
    )
    return search_options(
        allowed=allowed,
        blocked=blocked,
        context_size=value.get("search_context_size"),
        location=value.get("user_location"),
    )


def decode_tool_choice(value: Any, path: str) -> ToolChoice | None:
    """None for what the neutral model has no word for (a hosted tool); the caller keeps it as it is."""
    if value in ("auto", "none", "required"):
        return ToolChoice(value)
    if not is_object(value):
        raise invalid(f"expected a string or an object, got {kind_of(value)}", path)
    fields = Fields(value, path)
    kind = fields.required_text("type")
    if kind in ("function", "custom"):
        name = fields.required_text("name")
        return ToolChoice("named", (name,), custom=kind == "custom", extras=kept(fields.rest()))
    if kind in CLIENT_TOOLS:
        return ToolChoice("named", (kind,), extras=kept(fields.rest()))
    return _decode_allowed(fields) if kind == "allowed_tools" else None


def _decode_allowed(fields: Fields) -> ToolChoice | None:
    """Allowed tools by name; None when one of them is a hosted tool, which has none."""
    mode = fields.text("mode")
    if mode not in (None, "auto", "required"):
        raise invalid(f"expected 'auto' or 'required', got {mode!r}", fields.at("mode"))
    names: list[str] = []
    for index, value in enumerate(fields.array("tools") or ()):
        entry = Fields(value, f"{fields.at('tools')}[{index}]")
        kind = entry.required_text("type")
        if kind in ("function", "custom"):
            names.append(entry.required_text("name"))
        elif kind in CLIENT_TOOLS:
            names.append(kind)
        else:
            return None
        if entry.rest():
            return None
    return ToolChoice("allowed", tuple(names), mode == "required", extras=kept(fields.rest()))
