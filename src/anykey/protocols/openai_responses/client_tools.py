"""Tools that the client runs and that Responses spells with types of their own: ``apply_patch``, ``shell``, ``local_shell`` and
``tool_search``. To every other protocol each is a function whose arguments are the JSON text of what its call item says.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from anykey.conversation.parts import Json, ToolCallKind, ToolCallPart
from anykey.protocols.openai_responses.shapes import is_object

_STRING: Json = {"type": "string"}
_STRINGS: Json = {"type": "array", "items": _STRING}
_INTEGER: Json = {"type": "integer"}


class ClientTool(NamedTuple):
    """``call``/``output`` are item types. ``key`` holds the arguments in the call item; ``wrapped``: they are an object with
    that one key. ``prefix`` begins item ids."""

    kind: ToolCallKind
    call: str
    output: str
    key: str
    wrapped: bool
    prefix: str
    description: str
    parameters: Json


_APPLY_PATCH = ClientTool(
    "apply_patch",
    "apply_patch_call",
    "apply_patch_call_output",
    "operation",
    True,
    "apc_",
    "Create, update or delete one file. `diff` is a V4A diff: in update_file each hunk begins with `@@` and perhaps the line it "
    "stands under, and each of its lines begins with a space (kept), `-` (removed) or `+` (added); in create_file every line "
    "begins with `+`; delete_file has none.",
    {
        "type": "object",
        "properties": {
            "operation": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                    "path": _STRING,
                    "diff": _STRING,
                },
                "required": ["type", "path"],
            }
        },
        "required": ["operation"],
    },
)
_SHELL = ClientTool(
    "shell",
    "shell_call",
    "shell_call_output",
    "action",
    False,
    "sh_",
    "Run shell commands. Each gives its standard output, its standard error and how it ended.",
    {
        "type": "object",
        "properties": {"commands": _STRINGS, "timeout_ms": _INTEGER, "max_output_length": _INTEGER},
        "required": ["commands"],
    },
)
_LOCAL_SHELL = ClientTool(
    "local_shell",
    "local_shell_call",
    "local_shell_call_output",
    "action",
    False,
    "lsh_",
    "Run one command, given as its arguments, on the user's machine.",
    {
        "type": "object",
        "properties": {
            "command": _STRINGS,
            "working_directory": _STRING,
            "timeout_ms": _INTEGER,
            "env": {"type": "object", "additionalProperties": _STRING},
        },
        "required": ["command"],
    },
)
_TOOL_SEARCH = ClientTool(
    "tool_search",
    "tool_search_call",
    "tool_search_output",
    "arguments",
    False,
    "tsc_",
    "Find further tools by what they do. What is found can be called afterwards.",
    {"type": "object", "properties": {"query": _STRING, "limit": _INTEGER}, "required": ["query"]},
)

CLIENT_TOOLS: dict[str, ClientTool] = {tool.kind: tool for tool in (_APPLY_PATCH, _SHELL, _LOCAL_SHELL, _TOOL_SEARCH)}
"""By the kind of a call, which is also the type and the name of the tool."""

CALLS = {tool.call: tool for tool in CLIENT_TOOLS.values()}
OUTPUTS = {tool.output: tool for tool in CLIENT_TOOLS.values()}
"""By item type."""


def is_client_call(item: Json) -> bool:
    """The client runs the call that ``item`` is. A search of tools that nobody leaves to it, or a shell in a container, is run by
    the provider."""
    if item.get("type") == "tool_search_call":
        return item.get("execution") == "client" or (item.get("execution") is None and bool(item.get("call_id")))
    return item.get("type") != "shell_call" or is_local(item.get("environment"))


def is_local(environment: Any) -> bool:
    """A shell without an environment, or with the client's own."""
    return not is_object(environment) or environment.get("type") in (None, "local")


_OBJECT = msgspec.json.Decoder(dict[str, Any])


def arguments_of(tool: ClientTool, value: Any) -> str:
    """The JSON text of ``value``, which a call item holds under ``tool.key``."""
    if tool.kind == "local_shell" and is_object(value) and value.get("type") == "exec":
        value = {key: item for key, item in value.items() if key != "type"}
    return msgspec.json.encode({tool.key: value} if tool.wrapped else value).decode()


def call_fields(part: ToolCallPart) -> Json:
    """What makes the call item of a client-run tool out of ``part``: its type, ``call_id`` and arguments. ValueError if the
    arguments are not a JSON object."""
    tool = CLIENT_TOOLS[part.kind]
    try:
        value: Any = _OBJECT.decode(part.arguments or "{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if tool.wrapped:
        value = value.get(tool.key, value)
    elif tool.kind == "local_shell":
        value = {"type": "exec", "env": {}, **value}
    item: Json = {"type": tool.call, "call_id": part.id, tool.key: value}
    if tool.kind == "tool_search":
        item["execution"] = "client"
    return item
