"""Messages → ``input``: every part in its place, for one upstream. Texts of one message stand in one item; reasoning and calls
are items of their own, without ids, since an upstream refuses ids that it did not make.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallKind,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.protocols.names import sent_name
from anykey.protocols.openai_responses.client_tools import CLIENT_TOOLS, ClientTool, call_fields
from anykey.protocols.openai_responses.content_encoding import ContentWriter, collapse
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.extras import NAME, drop_extras, own, write_extras
from anykey.protocols.openai_responses.reasoning import encode_reasoning
from anykey.protocols.openai_responses.shapes import list_of

BILLING_HEADER = "x-anthropic-billing-header"
"""How Claude Code's first system block begins; a hash in it changes at every request and would spoil prefix caches."""

LONGEST_ID = 64
"""Characters of a ``call_id``."""


class InputWriter:
    """Writes the items of one request: ``write`` once."""

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log
        self._content = ContentWriter(dialect, log)
        self._items: list[Json] = []
        self._media: list[Json] = []  # media of tool outputs, waiting for the user message that shows them
        self._kinds: dict[str, ToolCallKind] = {}

    def write(self, request: GenerateRequest) -> tuple[str | None, list[Json]]:
        """``instructions`` (None: nothing, or they are an item) and ``input``."""
        instructions = self._instructions(request.instructions)
        for index, message in enumerate(request.messages):
            path = f"messages[{index}]"
            if message.role == "assistant":
                self._flush_media()
                self._assistant(message, path)
            elif message.role == "tool" or any(type(part) is ToolResultPart for part in message.parts):
                self._results(message, path)
            else:
                self._flush_media()
                self._message(message, message.parts, path)
        self._flush_media()
        return instructions, self._items

    def _instructions(self, parts: tuple[Part, ...]) -> str | None:
        """One text where the key can hold them, else the first item."""
        entries: list[Json] = []
        for index, part in enumerate(parts):
            path = f"instructions[{index}]"
            if not isinstance(part, TextPart):
                self._log.dropped(path, "instructions are text")
            elif part.text.startswith(BILLING_HEADER):
                self._log.dropped(path, "a line that changes at each request and is for the client's own provider")
            elif entry := self._content.input(part, path):
                entries.append(entry)
        if not entries:
            return None
        if self._dialect.instructions and all(entry.keys() == {"type", "text"} for entry in entries):
            return "\n\n".join(entry["text"] for entry in entries)
        role = "developer" if self._dialect.developer_role else "system"
        self._items.append({"type": "message", "role": role, "content": collapse(entries)})
        return None

    def _message(self, message: Message, parts: tuple[Part, ...], path: str, first: int = 0) -> None:
        """A message of the user or of the system; ``parts`` begin at ``first`` of it."""
        entries: list[Json] = []
        for index, part in enumerate(parts, first):
            where = f"{path}.content[{index}]"
            if type(part) is OpaquePart and part.origin == NAME and part.kind.endswith(_ITEM_KINDS):
                self._close(message, entries, path)
                entries = []
                self._items.append(part.value)
                continue
            entry = self._content.input(part, where)
            if entry is not None:
                entries.append(entry)
        if message.cache is not None:
            self._content.cache(entries[-1] if entries else {}, message.cache, path)
        if parts and not entries:
            self._unsent(message, path)
        self._close(message, entries, path, empty=not parts)

    def _unsent(self, message: Message, path: str) -> None:
        """Nothing is left of a message, so what it said of itself has no place."""
        if message.name is not None:
            self._log.dropped(f"{path}.name", "messages have no names here")
        drop_extras(message.extras, path, self._log)

    def _close(self, message: Message, entries: list[Json], path: str, *, empty: bool = False) -> None:
        if not entries and not empty:
            return
        role = message.role
        if role == "developer" and not self._dialect.developer_role:
            self._log.emulated(f"{path}.role", "this upstream knows system, not developer")
            role = "system"
        item: Json = {"type": "message", "role": role, "content": collapse(entries)}
        if message.name is not None:
            self._log.dropped(f"{path}.name", "messages have no names here")
        if message.extras:
            write_extras(item, message.extras, path, self._log)
        self._items.append(item)

    def _results(self, message: Message, path: str) -> None:
        """Outputs, and what a user said around them, in order."""
        start = 0
        for index, part in enumerate(message.parts):
            if type(part) is not ToolResultPart:
                continue
            if start < index:
                self._message(message, message.parts[start:index], path, start)
            self._result(part, f"{path}.content[{index}]")
            start = index + 1
        if start < len(message.parts):
            self._flush_media()
            self._message(message, message.parts[start:], path, start)
        elif all(type(part) is ToolResultPart for part in message.parts):
            self._envelope(message, path)

    def _envelope(self, message: Message, path: str) -> None:
        """An output has no message around it."""
        if message.name is not None:
            self._log.dropped(f"{path}.name", "an output has no message around it")
        if message.cache is not None:
            self._content.cache({}, message.cache, path)
        drop_extras(message.extras, path, self._log)

    def _result(self, part: ToolResultPart, path: str) -> None:
        kind = part.kind
        if kind == "function" and self._kinds.get(part.call_id) == "custom":
            kind = "custom"
        item: Json = {"type": "custom_tool_call_output" if kind == "custom" else "function_call_output"}
        item["call_id"] = self._call_id(part.call_id, path)
        tool = CLIENT_TOOLS.get(kind)
        if tool is not None and self._dialect.native_tools:
            self._client_output(item, tool, part, path)
        else:
            item["output"], media = self._content.output_of(part, path)
            self._media += media
        if part.name is not None:
            self._log.dropped(f"{path}.name", "an output names its call, not its tool")
        if part.extras:
            write_extras(item, part.extras, path, self._log)
        self._items.append(item)

    def _client_output(self, item: Json, tool: ClientTool, part: ToolResultPart, path: str) -> None:
        """An output that has an item type of its own."""
        item["type"] = tool.output
        text = "".join(entry.text for entry in part.content if isinstance(entry, TextPart))
        if tool.kind == "tool_search":
            item["execution"] = own(part.extras).get("execution", "client")
        if tool.kind in ("shell", "tool_search"):
            item["output" if tool.kind == "shell" else "tools"] = _listed(text, tool.kind)
        elif text or tool.kind == "local_shell":
            item["output"] = text
        if tool.kind == "apply_patch":
            item["status"] = "failed" if part.is_error else "completed"
        if any(not isinstance(entry, TextPart) for entry in part.content):
            self._log.dropped(f"{path}.content", f"a {tool.output} holds text only")

    def _assistant(self, message: Message, path: str) -> None:
        entries: list[Json] = []  # contents of the message item that is open
        marks: Json = {}
        for index, part in enumerate(message.parts):
            where = f"{path}.content[{index}]"
            if isinstance(part, TextPart | RefusalPart):
                of_item: Json = own(part.extras).get("message", {})
                if entries and of_item != marks:
                    self._say(entries, marks)
                    entries = []
                marks = of_item
                entries.append(self._content.output(part, where))
                continue
            self._say(entries, marks)
            entries = []
            item = self._item(part, where)
            if item is not None:
                self._items.append(item)
        if message.cache is not None:
            self._content.cache(entries[-1] if entries else {}, message.cache, path)
        self._say(entries, marks)
        if message.name is not None:
            self._log.dropped(f"{path}.name", "messages have no names here")
        if message.extras:
            write_extras({}, message.extras, path, self._log)

    def _say(self, entries: list[Json], marks: Json) -> None:
        if entries:
            self._items.append({"type": "message", "role": "assistant", "content": collapse(entries), **marks})

    def _item(self, part: Part, path: str) -> Json | None:
        """One part of an assistant's turn that is an item of its own."""
        match part:
            case ReasoningPart():
                return self._reasoning(part, path)
            case ToolCallPart():
                return self._call(part, path)
            case OpaquePart(origin=origin) if origin == NAME:
                return part.value
            case MediaPart() if "image_generation_call" in own(part.extras):
                return {
                    "type": "image_generation_call",
                    "result": part.data,
                    **own(part.extras)["image_generation_call"],
                }
            case _:
                kind = part.kind if isinstance(part, OpaquePart | MediaPart) else "tool result"
                self._log.dropped(path, f"the assistant's turn has no place for a {kind} block")
                return None

    def _reasoning(self, part: ReasoningPart, path: str) -> Json | None:
        """Its state goes back to who made it; text alone only where it is read."""
        state = part.state
        takes_state = state is not None and state.origin == NAME and self._dialect.include_encrypted
        if state is not None and not takes_state:
            self._log.dropped(f"{path}.state", "only who made it can read it")
        if not takes_state and not (self._dialect.reasoning_text and part.text):
            self._log.dropped(path, "this upstream takes reasoning back only in its own encrypted form")
            return None
        item = encode_reasoning(part)
        if not takes_state:
            item.pop("encrypted_content", None)
        write_extras(item, part.extras, path, self._log)
        return item

    def _call(self, part: ToolCallPart, path: str) -> Json | None:
        kind = part.kind
        if kind == "hosted":
            self._log.dropped(path, f"the call of {part.name} was run by its own provider")
            return None
        self._kinds[part.id] = kind
        item = self._client_call(part, path) if kind in CLIENT_TOOLS and self._dialect.native_tools else None
        if item is None:
            item = {"type": "custom_tool_call" if kind == "custom" else "function_call"}
            item["call_id"] = self._call_id(part.id, path)
            item["name"] = sent_name(part.name)
            item["input" if kind == "custom" else "arguments"] = part.arguments or ("" if kind == "custom" else "{}")
            if item["name"] != part.name:
                self._log.emulated(f"{path}.name", f"sent as {item['name']}; the caller sees its own name")
            if part.namespace is not None:
                item["namespace"] = part.namespace
        if part.cache is not None:
            self._content.cache({}, part.cache, path)
        if part.extras:
            write_extras(item, part.extras, path, self._log)
        return item

    def _client_call(self, part: ToolCallPart, path: str) -> Json | None:
        """The item type of its own; None where the arguments do not fit it."""
        try:
            item = call_fields(part)
        except ValueError:
            return None
        item["call_id"] = self._call_id(part.id, path)
        if part.kind in ("apply_patch", "local_shell"):
            item["status"] = "completed"
        return item

    def _call_id(self, call_id: str, path: str) -> str:
        if len(call_id) <= LONGEST_ID:
            return call_id
        self._log.emulated(f"{path}.id", f"ids have at most {LONGEST_ID} characters here")
        return sent_name(call_id, LONGEST_ID)

    def _flush_media(self) -> None:
        if self._media:
            self._items.append({"type": "message", "role": "user", "content": self._media})
            self._media = []


_ITEM_KINDS = ("_output", "_response")
"""How the kinds of blocks end that are items on the user's side; any other is a part of a message."""


def _listed(text: str, kind: ToolCallKind) -> list[Any]:
    """The array that an output's text was made of. What a shell gave in another protocol is its standard output."""
    try:
        value: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if isinstance(value, list) or kind == "tool_search":
        return list_of(value)
    return [{"stdout": text, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
