"""Tools for an upstream that has functions in one flat list, and nothing else: a free-text tool becomes a function with one
argument, ``input``, and a namespaced tool a function with a name of its own; so do their calls in the history.

Encoders take this step with what their dialect can spell; ``calls.CallMap`` undoes it in the answer.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import Json, Part, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from anykey.protocols.codec import Decoded

FREE_TEXT_SCHEMA: Json = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}

LAYOUT = "tool_layout"
"""The key of ``GenerateRequest.extras["openai_responses"]`` that tells how tools were grouped: ``namespaces`` holds what each
namespace says of itself. One flat list has no groups, so it is no loss there; a description goes along with the first tool."""

ToolId = tuple[str | None, str]
"""Namespace and name."""

_replace = msgspec.structs.replace


class Grammar(NamedTuple):
    """``syntax`` is ``lark`` or ``regex``."""

    syntax: str
    definition: str


def grammar_of(form: Json | None) -> Grammar | None:
    """The grammar that binds a free-text tool. Responses says it flat, Chat in an object of its own."""
    inner: Any = (form or {}).get("grammar", form)
    if not isinstance(inner, dict):
        return None
    syntax, definition = inner.get("syntax"), inner.get("definition")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - parsed JSON
    if not isinstance(definition, str) or not definition:
        return None
    return Grammar(syntax if isinstance(syntax, str) else "", definition)


def plain_names(request: GenerateRequest) -> dict[ToolId, str]:
    """What each namespaced tool of ``request`` is called in a flat list: ``namespace__name``, with a hash where another tool has
    that name. The same at every turn as long as the tools are."""
    wanted: dict[ToolId, None] = {}
    taken: set[str] = set()
    for tool in request.tools:
        if isinstance(tool, HostedTool):
            continue
        if tool.namespace is None:
            taken.add(tool.name)
        else:
            wanted[tool.namespace, tool.name] = None
    for message in request.messages:
        if message.role == "assistant":
            for part in message.parts:
                if type(part) is ToolCallPart and part.namespace is not None:
                    wanted[part.namespace, part.name] = None
    return _name_all(wanted, taken) if wanted else {}


def _name_all(wanted: dict[ToolId, None], taken: set[str]) -> dict[ToolId, str]:
    names: dict[ToolId, str] = {}
    for namespace, name in wanted:
        plain = f"{namespace}__{name}"
        if plain in taken:
            plain += "_" + hashlib.sha256(f"{namespace}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
        taken.add(plain)
        names[namespace, name] = plain
    return names


def plain_tools(request: GenerateRequest, *, custom_tools: bool, namespaces: bool) -> Decoded[GenerateRequest]:
    """``request`` for an upstream that has ``custom_tools`` (free-text tools) and ``namespaces``, or has not; with the losses.
    Paths are those of ``tools``; calls in the history follow their tools and are not told again."""
    names = {} if namespaces else plain_names(request)
    has_custom = not custom_tools and _has_custom(request)
    own = request.extras.get("openai_responses")
    grouped = not namespaces and own is not None and LAYOUT in own
    if not names and not has_custom and not grouped:
        return Decoded(request, ())
    log = LossLog("request")
    step = _Step(names, _descriptions(own), log, custom=has_custom)
    tools = tuple(step.tool(tool, index) for index, tool in enumerate(request.tools))
    messages = request.messages
    if names or has_custom:
        messages = tuple(step.message(message) for message in messages)
    extras = request.extras
    if grouped and own is not None:
        _report_rest(own[LAYOUT].get("namespaces", {}), log)
        rest = {key: value for key, value in own.items() if key != LAYOUT}
        extras = {**extras, "openai_responses": rest}
    choice = request.tool_choice and step.choice(request.tool_choice)
    flat = _replace(request, tools=tools, messages=messages, tool_choice=choice, extras=extras)
    return Decoded(flat, tuple(log.losses))


def _has_custom(request: GenerateRequest) -> bool:
    if any(type(tool) is CustomTool for tool in request.tools):
        return True
    return any(
        type(part) is ToolCallPart and part.kind == "custom"
        for message in request.messages
        if message.role == "assistant"
        for part in message.parts
    )


def _report_rest(namespaces: Json, log: LossLog) -> None:
    """What a namespace says besides its description, which its first tool tells."""
    for name, rest in namespaces.items():
        for key in rest:
            if key != "description":
                log.dropped(f"tools.{name}.{key}", "this upstream has no namespaces")


def _descriptions(own: Json | None) -> dict[str, str]:
    """What namespaces say of themselves."""
    told: Any = (own or {}).get(LAYOUT, {}).get("namespaces", {})
    return {name: text for name, rest in told.items() if isinstance(text := rest.get("description"), str) and text}


class _Step:
    """The step for one request. ``names`` is empty where namespaces stay, ``custom`` False where free-text tools do."""

    def __init__(self, names: dict[ToolId, str], descriptions: dict[str, str], log: LossLog, *, custom: bool) -> None:
        self._names = names
        self._descriptions = descriptions
        self._log = log
        self._custom = custom

    def tool(self, tool: Tool, index: int) -> Tool:
        if isinstance(tool, HostedTool):
            return tool
        if isinstance(tool, CustomTool) and self._custom:
            self._log.emulated(f"tools[{index}]", 'a function that takes {"input": text} stands for the free-text tool')
            description = _with_grammar(tool)
            tool = FunctionTool(tool.name, description, FREE_TEXT_SCHEMA, extras=tool.extras, namespace=tool.namespace)
        plain = self._names.get((tool.namespace, tool.name))
        if plain is None:
            return tool
        self._log.emulated(f"tools[{index}].namespace", f"sent as {plain}; the caller sees its own name")
        description = tool.description
        group = self._descriptions.pop(tool.namespace or "", None)  # told with the first tool only
        if group is not None:
            description = f"{description or ''}\n\nThe tools {tool.namespace}__*: {group}".strip()
        return _replace(tool, name=plain, namespace=None, description=description)

    def message(self, message: Message) -> Message:
        if message.role != "assistant" or not any(type(part) is ToolCallPart for part in message.parts):
            return message
        return _replace(message, parts=tuple(self._part(part) for part in message.parts))

    def _part(self, part: Part) -> Part:
        if type(part) is not ToolCallPart:
            return part
        if self._custom and part.kind == "custom":
            part = _replace(part, kind="function", arguments=msgspec.json.encode({"input": part.arguments}).decode())
        plain = self._names.get((part.namespace, part.name))
        return part if plain is None else _replace(part, name=plain, namespace=None)

    def choice(self, choice: ToolChoice) -> ToolChoice:
        """A choice names tools without their namespace: the first tool of that name is meant."""
        plain = {name: sent for (_, name), sent in reversed(self._names.items())}
        flat = {name for name in choice.names if name in plain}
        names = tuple(plain[name] if name in flat else name for name in choice.names) if flat else choice.names
        return _replace(choice, names=names, custom=choice.custom and not self._custom)


def _with_grammar(tool: CustomTool) -> str | None:
    grammar = grammar_of(tool.format)
    if grammar is None:
        return tool.description
    told = f"The input must follow this grammar:\n```{grammar.syntax}\n{grammar.definition}\n```"
    return f"{tool.description}\n\n{told}" if tool.description else told
