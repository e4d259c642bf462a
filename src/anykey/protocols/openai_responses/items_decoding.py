"""``input`` → messages. One turn of the assistant is several items (reasoning, messages, calls) and one neutral message; so are
the outputs that follow it. What an item says besides its content is kept under ``extras``; ``id`` and ``status: completed`` are
the store's bookkeeping and are not.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from anykey.conversation.failures import invalid
from anykey.conversation.losses import Loss
from anykey.conversation.message import Message, Role
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    Part,
    RefusalPart,
    TextPart,
    ToolCallKind,
    ToolCallPart,
    ToolResultPart,
)
from anykey.protocols.fields import Fields, kind_of
from anykey.protocols.openai_responses.client_tools import CALLS, OUTPUTS, ClientTool, arguments_of, is_client_call
from anykey.protocols.openai_responses.compaction import HEADING, SUMMARISE, read_summary
from anykey.protocols.openai_responses.content import decode_content
from anykey.protocols.openai_responses.extras import NAME, kept
from anykey.protocols.openai_responses.reasoning import decode_reasoning, plain_reasoning
from anykey.protocols.openai_responses.shapes import is_object, text_of
from anykey.protocols.openai_responses.tools_decoding import ToolReader

_ROLES = frozenset({"user", "system", "developer"})
_BOOKKEEPING = frozenset({"type", "role", "content", "id"})
_MESSAGE_KEYS = frozenset({"type", "role", "content", "id", "status"})
_USER_SIDE = ("_output", "_response")
"""How the types of items end that answer the model; any other unknown item is taken for its own."""


class InputReader:
    """Reads the items of one request: ``read`` once. ``updates`` are the settings that ``configuration_update`` items changed,
    ``compaction`` tells that the answer must be a compaction."""

    def __init__(self, tools: ToolReader) -> None:
        self.updates: Json = {}
        self.compaction = False
        self.losses: list[Loss] = []
        self._tools = tools
        self._messages: list[Message] = []
        self._turn: list[Part] = []  # what the assistant said since the last item of another side
        self._results: list[Part] = []
        self._calls: set[str] = set()
        self._hosted: set[str] = set()  # calls that the provider ran
        self._encoded_items = 0  # items that are written back, for the place of tools among them

    def read(self, value: Any) -> tuple[Message, ...]:
        """Every message. FailureError (400) names what cannot be read, and an output whose call is missing."""
        if type(value) is str:
            return (Message("user", (TextPart(value),)),)
        if type(value) is not list:
            raise invalid(f"expected a string or an array, got {kind_of(value)}", "input")
        for index, item in enumerate(cast("list[Any]", value)):
            if not is_object(item):
                raise invalid(f"expected an object, got {kind_of(item)}", f"input[{index}]")
            self._item(item, index)
        self._end_turn()
        self._end_results()
        return tuple(self._messages)

    def _item(self, item: Json, index: int) -> None:
        kind = item.get("type")
        if kind == "message" or (kind is None and "role" in item):
            self._message(item, index)
        elif kind == "function_call":
            self._function_call(item, index)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            self._output(item, index, "function" if kind == "function_call_output" else "custom")
        elif kind == "reasoning":
            part = plain_reasoning(item) or decode_reasoning(self._fields(item, index))
            if part is not None:
                self._say(part)
        else:
            self._rare(item, index, kind)

    def _rare(self, item: Json, index: int, kind: Any) -> None:
        match kind:
            case "custom_tool_call":
                fields = self._fields(item, index)
                self._call(fields, fields.text("input") or "", "custom")
            case "compaction":
                self._compaction(item, index)
            case "compaction_trigger":
                self.compaction = True
                self._add(Message("user", (TextPart(SUMMARISE),)))
            case "configuration_update":
                self._update(Fields(item, f"input[{index}]"))
            case "additional_tools":
                self._report_rest(item, index)
                self._tools.add_placed(item.get("tools"), f"input[{index}].tools", self._encoded_items)
                self._encoded_items += 1
            case "item_reference" | None:
                raise invalid(
                    "an item can be referred to by its id only where this gateway stores responses", f"input[{index}]"
                )
            case str():
                self._typed(item, index, kind)
            case _:
                raise invalid(f"expected a string, got {kind_of(kind)}", f"input[{index}].type")

    def _report_rest(self, item: Json, index: int) -> None:
        """An ``additional_tools`` item is written anew for its tools alone."""
        for key, value in item.items():
            if key not in ("type", "id", "tools") and (key, value) != ("role", "developer"):
                self.losses.append(Loss("dropped", f"input[{index}].{key}", "tools in the input have no such field"))

    def _typed(self, item: Json, index: int, kind: str) -> None:
        """A call or an output of a client-run tool, or what only Responses knows."""
        if kind in CALLS:
            self._client_call(item, index, CALLS[kind])
        elif kind in OUTPUTS:
            self._client_output(item, index, OUTPUTS[kind])
        elif kind == "image_generation_call" and type(item.get("result")) is str:
            self._image(item, index)
        else:
            self._opaque(item, kind)

    def _message(self, item: Json, index: int) -> None:
        role: Any = item.get("role")
        path = f"input[{index}]"
        parts = decode_content(item.get("content"), f"{path}.content")
        rest: Json = {}
        if len(item) > 2 and (not item.keys() <= _MESSAGE_KEYS or item.get("status", "completed") != "completed"):
            rest = {key: value for key, value in item.items() if key not in _BOOKKEEPING and value is not None}
            if rest.get("status") == "completed":
                del rest["status"]
        if role == "assistant":
            self._say(*(_spoken(part, rest) for part in parts))
        elif type(role) is str and role in _ROLES:
            self._add(Message(cast("Role", role), tuple(parts), extras=kept(rest)))
        else:
            raise invalid(f"{role!r} is not a role; use system, developer, user or assistant", f"{path}.role")

    def _function_call(self, item: Json, index: int) -> None:
        call_id, name, arguments = item.get("call_id"), item.get("name"), item.get("arguments")
        plain = type(call_id) is str and type(name) is str and type(arguments) is str
        if plain and item.keys() <= _PLAIN_CALL and item.get("status", "completed") == "completed":
            self._calls.add(cast("str", call_id))
            self._say(ToolCallPart(cast("str", call_id), cast("str", name), cast("str", arguments)))
            return
        fields = self._fields(item, index)
        value: Any = fields.any("arguments")
        text = "" if value is None else value if type(value) is str else msgspec.json.encode(value).decode()
        self._call(fields, text, "function")

    def _call(self, fields: Fields, arguments: str, kind: ToolCallKind) -> None:
        call_id, name = fields.required_text("call_id"), fields.required_text("name")
        namespace = fields.text("namespace")
        self._calls.add(call_id)
        self._say(ToolCallPart(call_id, name, arguments, kind, extras=kept(fields.rest()), namespace=namespace))

    def _client_call(self, item: Json, index: int, tool: ClientTool) -> None:
        if not is_client_call(item):
            if call_id := text_of(item.get("call_id")):
                self._hosted.add(call_id)
            self._say(OpaquePart(NAME, tool.call, item))
            return
        fields = self._fields(item, index)
        call_id = fields.required_text("call_id")
        arguments = arguments_of(tool, fields.any(tool.key) or {})
        rest = {key: value for key, value in fields.rest().items() if (key, value) != ("execution", "client")}
        self._calls.add(call_id)
        self._say(ToolCallPart(call_id, tool.kind, arguments, tool.kind, extras=kept(rest)))

    def _client_output(self, item: Json, index: int, tool: ClientTool) -> None:
        if tool.kind == "tool_search":
            self._tools.add_loaded(item.get("tools"), f"input[{index}].tools")
        call_id = text_of(item.get("call_id"))
        if call_id in self._hosted or (call_id is None and tool.kind == "tool_search"):
            self._say(OpaquePart(NAME, tool.output, item))
            return
        self._output(item, index, tool.kind)

    def _output(self, item: Json, index: int, kind: ToolCallKind) -> None:
        output, said = item.get("output"), text_of(item.get("call_id"))
        if said in self._calls and type(output) is str and item.keys() <= _PLAIN_OUTPUT:
            self._add_result(ToolResultPart(said, (TextPart(output),), kind=kind))
            return
        status: Any = item.get("status")
        fields = self._fields(item, index)
        call_id = item.get("id") if kind == "local_shell" and "call_id" not in item else fields.text("call_id")
        if type(call_id) is not str:
            raise invalid("this field is required", fields.at("call_id"))
        if call_id not in self._calls:
            raise invalid(f"no call with the call_id {call_id!r} stands before this output", fields.at("call_id"))
        if kind in ("shell", "tool_search"):
            listed = fields.array("output" if kind == "shell" else "tools") or []
            content: list[Part] = [TextPart(msgspec.json.encode(listed).decode())]
        else:
            content = decode_content(fields.any("output"), fields.at("output"))
        is_error = kind == "apply_patch" and status == "failed"
        rest = fields.rest()
        if is_error:
            del rest["status"]
        if rest.get("execution") == "client":
            del rest["execution"]
        self._add_result(ToolResultPart(call_id, tuple(content), is_error, extras=kept(rest), kind=kind))  # pyright: ignore[reportArgumentType] - an output's content holds no calls or reasoning

    def _add_result(self, result: ToolResultPart) -> None:
        self._encoded_items += 1
        self._end_turn()
        self._results.append(result)

    def _image(self, item: Json, index: int) -> None:
        """A picture that the provider's tool made is a medium of the assistant."""
        fields = Fields(item, f"input[{index}]")
        fields.any("type")
        result = fields.required_text("result")
        word = item.get("output_format")
        media_type = f"image/{word}" if type(word) is str else "image/png"
        self._say(MediaPart("image", media_type, result, extras=kept({"image_generation_call": fields.rest()})))

    def _compaction(self, item: Json, index: int) -> None:
        """Ours is read; another's is a secret of its maker."""
        sealed = item.get("encrypted_content")
        try:
            summary = read_summary(sealed) if type(sealed) is str else None
        except ValueError:
            raise invalid("this summary of ours cannot be read", f"input[{index}].encrypted_content") from None
        if summary is None:
            self._opaque(item, "compaction")
        else:
            self._add(Message("user", (TextPart(HEADING + summary),)))

    def _update(self, fields: Fields) -> None:
        """The last word counts; the neutral model has no settings that change on the way."""
        for key in ("reasoning", "text"):
            changes = fields.object(key)
            if changes:
                self.updates[key] = {**self.updates.get(key, {}), **changes}

    def _opaque(self, item: Json, kind: str) -> None:
        part = OpaquePart(NAME, kind, item)
        if kind.endswith(_USER_SIDE):
            self._add(Message("user", (part,)))
        else:
            self._say(part)

    def _fields(self, item: Json, index: int) -> Fields:
        """A cursor over ``item`` past what is no content."""
        fields = Fields(item, f"input[{index}]")
        for key in ("type", "id"):
            fields.any(key)
        if item.get("status") == "completed":
            fields.any("status")
        return fields

    def _say(self, *parts: Part) -> None:
        self._encoded_items += 1
        if self._results:
            self._end_results()
        self._turn += parts

    def _add(self, message: Message) -> None:
        self._encoded_items += 1
        self._end_turn()
        self._end_results()
        self._messages.append(message)

    def _end_turn(self) -> None:
        if self._turn:
            self._messages.append(Message("assistant", tuple(self._turn)))
            self._turn = []

    def _end_results(self) -> None:
        if self._results:
            self._messages.append(Message("tool", tuple(self._results)))
            self._results = []


_PLAIN_OUTPUT = frozenset({"type", "id", "call_id", "output"})
_PLAIN_CALL = frozenset({"type", "id", "status", "call_id", "name", "arguments"})


def _spoken(part: Part, rest: Json) -> Part:
    """``part`` of the assistant with what its message item says of itself (``phase`` …), by which the item is told from the next.
    A part that nobody here knows is an item of its own."""
    if isinstance(part, OpaquePart):
        item = {"type": "message", "role": "assistant", "content": [part.value], **rest}
        return OpaquePart(NAME, "message", item)
    if rest and isinstance(part, TextPart | RefusalPart):
        extras = {**part.extras, NAME: {**part.extras.get(NAME, {}), "message": rest}}
        return msgspec.structs.replace(part, extras=extras)
    return part
