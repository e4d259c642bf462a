"""Items on their way out: each is begun, filled and ended by its own events, and has its own place in ``output``.

Texts that follow each other are contents of one message, which stays open until something else comes; so does the last call,
because only the answer's finish tells whether it is whole. Items that cannot be told in pieces (a patch, a search, a picture) are
told when they are complete.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.assembly import merge_extras
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Citation,
    Extras,
    Json,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.protocols.openai_responses.ids import item_id, upstream_item_id
from anykey.protocols.openai_responses.output_items_encoding import (
    COMPLETED,
    IN_PROGRESS,
    annotations_of,
    as_begun,
    call_item,
    call_type,
    message_item,
    reasoning_item,
    refusal_content,
    report_foreign,
    spelled_logprobs,
    summary_of,
    text_content,
    whole_item,
    whole_type,
)
from anykey.protocols.openai_responses.shapes import list_of

_encode = msgspec.json.Encoder().encode
DELTA = b',"delta":'
END = b"}\n\n"
_STEPS: dict[str, tuple[str, ...]] = {
    "web_search_call": ("in_progress", "searching", "completed"),
    "image_generation_call": ("in_progress", "generating", "completed"),
}
"""What is told of a tool's work between the beginning and the end of its item."""


class Sink:
    """Writes numbered events to ``out``."""

    __slots__ = ("out", "sequence")

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.sequence = 0

    def write(self, kind: str, members: Json) -> None:
        self.write_raw(kind, _encode(members)[1:-1])

    def write_bare(self, kind: str) -> None:
        """An event that says nothing but its type."""
        name = kind.encode()
        self.out.append(b'event: %b\ndata: {"type":"%b","sequence_number":%d}\n\n' % (name, name, self.sequence))
        self.sequence += 1

    def write_raw(self, kind: str, members: bytes) -> None:
        """An event whose ``members`` are already JSON, without braces."""
        name = kind.encode()
        head = b'event: %b\ndata: {"type":"%b","sequence_number":%d,' % (name, name, self.sequence)
        self.sequence += 1
        self.out.append(head + members + END)


class Item:
    """An item of ``output``. ``contents`` are those of a message."""

    __slots__ = ("contents", "extras", "id", "index", "kind", "open_content", "part")

    def __init__(self, kind: str, index: int, identity: str, extras: Extras) -> None:
        self.kind = kind
        self.index = index
        self.id = identity
        self.extras = extras
        self.contents: list[Json] = []
        self.open_content = False
        self.part: ToolCallPart | None = None


NO_ITEM = Item("", -1, "", {})
"""Of a part whose item is told when it is complete, or not at all."""


class Open:
    """A part that is open. ``prefix`` stands before the number of a delta's event; None while deltas are only gathered."""

    __slots__ = ("citations", "closed", "extras", "item", "logprobs", "part", "pieces", "place", "prefix", "state")

    def __init__(self, part: Part, item: Item) -> None:
        self.part = part
        self.item = item
        self.prefix: bytes | None = None
        self.place: Json = {}
        self.pieces: list[str] = []
        self.citations: list[Citation] = list(part.citations) if isinstance(part, TextPart) else []
        self.logprobs: list[Any] = []
        self.closed = False
        self.extras: Extras = {}
        self.state: OpaqueState | None = part.state if isinstance(part, ReasoningPart) else None

    def aim(self, kind: str, place: Json, rest: Json | None = None) -> None:
        """Deltas are events of ``kind`` from now on."""
        self.place = place
        members = _encode({"type": kind, **place, **(rest or {})})[:-1]
        self.prefix = b"event: %b\ndata: %b" % (kind.encode(), members) + b',"sequence_number":'


class Items:
    """The items of one answer. ``output`` holds those that are done, by their place."""

    def __init__(self, response: str, sink: Sink, log: LossLog) -> None:
        self._response = response
        self._sink = sink
        self._log = log
        self._next = 0
        self._last: Item | None = None  # its parts are all closed, and it is not done
        self.output: dict[int, bytes] = {}
        self.refused = False
        self._last_text: Open | None = None

    # --- begin --------------------------------------------------------------------------------------------------------

    def begin(self, part: Part, path: str) -> Open:
        """A part begins. ``path`` names it in losses."""
        if not isinstance(part, OpaquePart):
            report_foreign(part.extras, path, self._log)
        match part:
            case TextPart() | RefusalPart():
                return self._begin_content(part)
            case ReasoningPart():
                self.settle()
                item = self._new("reasoning", part.extras)
                self._added(item, {"type": "reasoning", "id": item.id, "summary": []})
                return Open(part, item)
            case ToolCallPart(kind="function" | "legacy_function" | "custom"):
                self.settle()
                return self._begin_call(part, path)
            case _:
                return Open(part, NO_ITEM)

    def _new(self, kind: str, extras: Extras) -> Item:
        index = self._next
        self._next += 1
        return Item(kind, index, upstream_item_id(extras) or item_id(kind, self._response, index), extras)

    def _added(self, item: Item, begun: Json) -> None:
        self._sink.write("response.output_item.added", {"output_index": item.index, "item": begun})

    def _begin_content(self, part: TextPart | RefusalPart) -> Open:
        item = self._last
        if item is None or item.kind != "message" or upstream_item_id(part.extras) not in (None, item.id):
            self.settle()
            item = self._new("message", part.extras)
            self._added(item, message_item([], part.extras, item.id, IN_PROGRESS))
        self._last = None
        told = Open(part, item)
        place = {"item_id": item.id, "output_index": item.index, "content_index": len(item.contents)}
        if isinstance(part, RefusalPart):
            self.refused = True
            told.aim("response.refusal.delta", place)
            content: Json = {"type": "refusal", "refusal": ""}
        else:
            told.aim("response.output_text.delta", place, {"logprobs": []})
            content = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
            self._last_text = told
        self._sink.write("response.content_part.added", {**place, "part": content})
        if part.text:
            self.fill(told, part.text)
        return told

    def _begin_call(self, part: ToolCallPart, path: str) -> Open:
        item = self._new(call_type(part), part.extras)
        item.part = part
        empty = msgspec.structs.replace(part, arguments="")
        self._added(item, call_item(empty, item.id, IN_PROGRESS, path, self._log))
        told = Open(part, item)
        word = "custom_tool_call_input" if part.kind == "custom" else "function_call_arguments"
        told.aim(f"response.{word}.delta", {"item_id": item.id, "output_index": item.index})
        if part.arguments:
            self.fill(told, part.arguments)
        return told

    # --- fill ---------------------------------------------------------------------------------------------------------

    def fill(self, told: Open, text: str) -> None:
        """Tell a delta."""
        if not text:
            return
        if told.prefix is None and isinstance(told.part, ReasoningPart):
            self._begin_summary(told)
        told.pieces.append(text)
        if told.prefix is not None:
            sink = self._sink
            sink.out.append(told.prefix + b"%d" % sink.sequence + DELTA + _encode(text) + END)
            sink.sequence += 1

    def _begin_summary(self, told: Open) -> None:
        item = told.item
        place = {"item_id": item.id, "output_index": item.index, "summary_index": 0}
        told.aim("response.reasoning_summary_text.delta", place)
        part = {"type": "summary_text", "text": ""}
        self._sink.write("response.reasoning_summary_part.added", {**place, "part": part})

    def add_logprobs(self, value: Json) -> None:
        """Log probabilities of the last text. Beside a delta that is told already they are a delta without text; of a text that
        is closed, its item says them."""
        entries = spelled_logprobs(list_of(value.get("content")))
        told = self._last_text
        if told is None or not entries or (told.closed and told.item is not self._last):
            self._log.dropped("choices[0].logprobs.content", "only texts have log probabilities here")
            return
        told.logprobs += entries
        if not told.closed:
            self._sink.write("response.output_text.delta", {**told.place, "logprobs": entries, "delta": ""})

    # --- end ----------------------------------------------------------------------------------------------------------

    def end(self, told: Open, path: str) -> None:
        """A part is closed."""
        text = "".join(told.pieces)
        part = told.part
        match part:
            case TextPart():
                self._end_text(told, part, text, path)
            case RefusalPart():
                content = refusal_content(text, merge_extras(part.extras, told.extras))
                self._end_content(told, "response.refusal.done", {"refusal": text}, content)
            case ReasoningPart():
                self._end_thought(told, part, text, path)
            case ToolCallPart():
                whole = msgspec.structs.replace(
                    part,
                    arguments=part.arguments + text if told.item is NO_ITEM else text,
                    extras=merge_extras(part.extras, told.extras),
                )
                self._end_call(told, whole, path)
            case _:
                self._tell_whole(part, path)

    def _end_text(self, told: Open, part: TextPart, text: str, path: str) -> None:
        annotations = annotations_of(tuple(told.citations), len(text), path, self._log)
        for index, annotation in enumerate(annotations):
            members = {**told.place, "annotation_index": index, "annotation": annotation}
            self._sink.write("response.output_text.annotation.added", members)
        content = text_content(text, annotations, told.logprobs, merge_extras(part.extras, told.extras))
        self._end_content(told, "response.output_text.done", {"text": text, "logprobs": told.logprobs}, content)
        told.closed = True

    def _end_content(self, told: Open, kind: str, said: Json, content: Json) -> None:
        item = told.item
        self._sink.write(kind, {**told.place, **said})
        self._sink.write("response.content_part.done", {**told.place, "part": content})
        item.contents.append(content)
        item.extras = merge_extras(item.extras, told.extras)
        self.settle()
        self._last = item

    def _end_thought(self, told: Open, part: ReasoningPart, text: str, path: str) -> None:
        item = told.item
        if part.text:
            text = part.text + text
        if told.prefix is not None:
            self._sink.write("response.reasoning_summary_text.done", {**told.place, "text": text})
            self._sink.write("response.reasoning_summary_part.done", {**told.place, "part": summary_of(text)[0]})
        extras = merge_extras(part.extras, told.extras)
        whole = msgspec.structs.replace(part, text=text, state=told.state, extras=extras)
        self._done(item, reasoning_item(whole, item.id, path, self._log))

    def _end_call(self, told: Open, whole: ToolCallPart, path: str) -> None:
        item = told.item
        if item is NO_ITEM:
            self._tell_whole(whole, path)
            return
        item.part = whole
        self.settle()
        self._last = item

    def _tell_whole(self, part: Part, path: str) -> None:
        """An item that comes whole: begun, worked at and done at once."""
        self.settle()
        index = self._next
        extras: Extras = {} if isinstance(part, OpaquePart) else part.extras
        call = part if isinstance(part, ToolCallPart) and part.kind != "hosted" else None
        kind = (call_type(call) if call else whole_type(part)) or ""
        identity = upstream_item_id(extras) or item_id(kind, self._response, index)
        if call:
            value: Json | None = call_item(call, identity, COMPLETED, path, self._log)
        else:
            value = whole_item(part, identity, path, self._log)
        if value is None:
            return
        self._next += 1
        item = Item(kind, index, value.get("id") or identity, extras)
        self._added(item, as_begun(value))
        for step in _STEPS.get(value["type"], ()):
            self._sink.write(f"response.{value['type']}.{step}", {"output_index": index, "item_id": item.id})
        self._done(item, value)

    def settle(self, status: str = COMPLETED) -> None:
        """The item that was left open is done."""
        item, self._last = self._last, None
        if item is None:
            return
        if item.part is None:
            self._done(item, message_item(item.contents, item.extras, item.id, status))
            return
        value = call_item(item.part, item.id, status, f"output[{item.index}]", self._log)
        key = "input" if item.part.kind == "custom" else "arguments"
        word = "custom_tool_call_input" if key == "input" else "function_call_arguments"
        place = {"item_id": item.id, "output_index": item.index}
        if value[key] and not item.part.arguments:  # an empty object, which nobody streamed
            self._sink.write(f"response.{word}.delta", {**place, "delta": value[key]})
        name = {} if key == "input" else {"name": item.part.name}
        self._sink.write(f"response.{word}.done", {**place, key: value[key], **name})
        self._done(item, value)

    def _done(self, item: Item, value: Json) -> None:
        raw = _encode(value)
        self.output[item.index] = raw
        self._sink.write_raw("response.output_item.done", b'"output_index":%d,"item":' % item.index + raw)

    def decline(self, reason: str) -> None:
        """Tell why the model declined, where it said so beside the text."""
        told = self._begin_content(RefusalPart(""))
        self.fill(told, reason)
        self.end(told, "")
