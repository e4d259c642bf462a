"""``tools`` and ``toolConfig``, neutral → wire. All functions go into one wire tool, where the first of them
stands, each of Google's own into another."""

from __future__ import annotations

from collections.abc import Iterable

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, ToolChoice
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.extras import NAME, write_extras
from anykey.protocols.gemini_generate.schema_encoding import encode_schema
from anykey.protocols.hosted import purposes
from anykey.protocols.names import sent_name

_HOSTED = {"web_search": "googleSearch", "web_fetch": "urlContext", "code_execution": "codeExecution"}
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE", "named": "ANY"}


class ToolWriter:
    """Writes tools and the choice among them for one upstream. Free-text tools are functions by now (``plain_tools``)."""

    __slots__ = ("_dialect", "_log", "_strict")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log
        self._strict: list[str] = []  # where a tool asked to be held to its schema

    def write(self, body: Json, request: GenerateRequest) -> None:
        """``tools`` and ``toolConfig`` of ``request`` into ``body``."""
        functions: list[Json] = []
        entries: list[Json] = []
        mixes = self._dialect.mixed_tools or all(isinstance(tool, HostedTool) for tool in request.tools)
        for index, tool in enumerate(request.tools):
            path = f"tools[{index}]"
            if isinstance(tool, FunctionTool):
                if not functions:
                    entries.append({"functionDeclarations": functions})
                functions.append(self._function(tool, path))
            elif isinstance(tool, HostedTool):
                entries += self._hosted(tool, path, mixes=mixes)
            if not isinstance(tool, CustomTool) and tool.cache is not None:
                self._log.dropped(f"{path}.cache_control", "this upstream caches on its own and takes no marks")
        if entries:
            body["tools"] = entries
        self._write_choice(body, request, has_tools=bool(entries))
        if functions and len(entries) > 1 and self._dialect.mixed_tools:
            body.setdefault("toolConfig", {})["includeServerSideToolInvocations"] = True  # else the mixture is refused
        if request.parallel_tool_calls is False:
            self._log.dropped("parallel_tool_calls", "a model cannot be told to call one tool at a time")

    def _function(self, tool: FunctionTool, path: str) -> Json:
        entry: Json = {"name": self._name(tool.name, path)}
        if tool.description is not None:
            entry["description"] = tool.description
        schema = tool.parameters
        if schema and self._dialect.json_schema:
            entry["parametersJsonSchema"] = schema
        elif schema:
            written = encode_schema(schema, f"{path}.parameters", self._log)
            if written.get("properties") or written.get("type") != "OBJECT":
                entry["parameters"] = written  # an object without properties is refused; no parameters say the same
        if tool.strict:
            self._strict.append(path)
        if tool.extras:
            write_extras(entry, tool.extras, path, self._log)
        return entry

    def _name(self, name: str, path: str) -> str:
        sent = sent_name(name)
        if sent != name:
            self._log.emulated(f"{path}.name", f"sent as {sent}; the caller sees its own name")
        return sent

    def _hosted(self, tool: HostedTool, path: str, *, mixes: bool) -> list[Json]:
        if tool.origin == NAME:
            return [tool.value]
        if not mixes:
            self._log.dropped(path, "this model runs no tool of its provider beside functions")
            return []
        key = _HOSTED.get(tool.purpose or "")
        if key is None or tool.purpose not in purposes(self._dialect.hosted_tools):
            self._log.dropped(path, f"{tool.kind} is run by the provider that offers it")
            return []
        self._log.approximated(path, f"sent as {key}, which takes none of its settings")
        for option in tool.options:
            self._log.dropped(f"{path}.{option}", f"{key} has no such setting")
        return [{key: {}}]

    def _write_choice(self, body: Json, request: GenerateRequest, *, has_tools: bool) -> None:
        choice = request.tool_choice
        if choice is not None and not has_tools and choice.mode not in ("auto", "none"):
            self._log.dropped("tool_choice", "there are no tools to choose from")
            return
        calling = None if choice is None else self._choice(choice)
        if self._strict and (choice is None or choice.mode in ("auto", "allowed")):
            calling = self._hold_to_schemas(calling)
        else:
            self._report(self._strict, "this choice of tools leaves no room for it")
        if calling is not None:
            body["toolConfig"] = {"functionCallingConfig": calling}

    def _choice(self, choice: ToolChoice) -> Json:
        calling: Json = {}
        write_extras(calling, choice.extras, "tool_choice", self._log)
        mode = _MODES.get(choice.mode) or ("ANY" if choice.required else "VALIDATED")
        if mode == "VALIDATED" and not self._dialect.validated_calls:
            mode = "AUTO"
            self._log.dropped("tool_choice.names", "this upstream limits the tools only where one must be called")
        elif choice.names:
            calling["allowedFunctionNames"] = [sent_name(name) for name in choice.names]
            if mode == "VALIDATED" and calling.get("mode") is None:
                self._log.approximated("tool_choice", "sent with calls held to their schemas")
        calling.setdefault("mode", mode)
        return calling

    def _hold_to_schemas(self, calling: Json | None) -> Json | None:
        if not self._dialect.validated_calls:
            self._report(self._strict, "this upstream does not hold calls to their schemas")
            return calling
        for path in self._strict:
            self._log.approximated(f"{path}.strict", "all calls are held to their schemas")
        return {**(calling or {}), "mode": "ANY" if (calling or {}).get("mode") == "ANY" else "VALIDATED"}

    def _report(self, paths: Iterable[str], reason: str) -> None:
        for path in paths:
            self._log.dropped(f"{path}.strict", reason)
