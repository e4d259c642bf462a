"""A streamed answer, wire to neutral: server-sent events in, legal events out, whatever the cut.

Items are told apart by ``output_index``: Copilot changes their ids at every event. Any of an item's events may be missing: what
was not told by deltas is told when a later event (``…done``, ``output_item.done``, the terminal one) says it. Only the
``encrypted_content`` of ``output_item.done`` counts. Padding (``obfuscation``) and the progress of tools that the provider runs
are left out without a Loss; an event nobody here knows is an ``OpaqueEvent``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import Json
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.errors import SILENT, failure_in_answer, failure_of_event
from anykey.protocols.openai_responses.extras import NAME, kept
from anykey.protocols.openai_responses.response import answer_extras, created_at, finish_of
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of
from anykey.protocols.openai_responses.stream_decoding_items import ItemDecoder
from anykey.protocols.openai_responses.usage import decode_usage
from anykey.protocols.sse import EventTooLarge, SseParser

CUT_SHORT = "The upstream ended the stream before the answer was complete."
_DONE = b"[DONE]"


class _Delta(msgspec.Struct):
    """The fields of an ordinary delta; the others are skipped."""

    type: str
    delta: str
    output_index: int
    content_index: int = 0
    summary_index: int = 0
    logprobs: list[Any] | None = None


_decode = msgspec.json.Decoder().decode
_decode_delta = msgspec.json.Decoder(_Delta).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_PROGRESS = (
    "response.web_search_call.",
    "response.file_search_call.",
    "response.code_interpreter_call",
    "response.mcp_",
    "response.image_generation_call.",
    "response.shell_call_",
    "response.apply_patch_call_",
    "response.tool_search_call.",
    "response.compaction.",
    "response.reasoning_part.",
)
"""Beginnings of events that tell of an item's progress; all that they say is in the item when it is done."""


class StreamDecoder:
    """One answer's decoder: ``feed`` what comes, ``close`` when the upstream closed. It never raises. ``losses``: what had no
    place in the neutral stream."""

    def __init__(self, _: Dialect) -> None:
        self._log = LossLog("response")
        self.losses: list[Loss] = self._log.losses
        self._sse = SseParser()
        self._events: list[ev.StreamEvent] = []
        self._items: dict[int, ItemDecoder] = {}
        self._next = 0  # the number of the next part
        self._started = False
        self._over = False
        self._said: Json = {}  # extras and service tier already told
        self._readers: dict[str, Callable[[Json], None]] = {
            "response.created": self._begin,
            "response.queued": self._begin,
            "response.in_progress": self._begin,
            "response.output_item.added": self._added,
            "response.output_item.done": self._item_done,
            "response.content_part.added": self._content_added,
            "response.content_part.done": self._content_done,
            "response.output_text.delta": self._delta,
            "response.output_text.done": self._text_done,
            "response.output_text.annotation.added": self._annotation,
            "response.refusal.delta": self._delta,
            "response.refusal.done": self._text_done,
            "response.function_call_arguments.delta": self._delta,
            "response.function_call_arguments.done": self._arguments_done,
            "response.custom_tool_call_input.delta": self._delta,
            "response.custom_tool_call_input.done": self._arguments_done,
            "response.reasoning_summary_part.added": self._nothing,
            "response.reasoning_summary_part.done": self._nothing,
            "response.reasoning_summary_text.delta": self._delta,
            "response.reasoning_summary_text.done": self._nothing,
            "response.reasoning_text.delta": self._delta,
            "response.reasoning_text.done": self._nothing,
            "response.completed": self._finish,
            "response.incomplete": self._finish,
            "response.failed": self._failed,
            "error": self._failed,
        }

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        """The events that ``data`` completes."""
        if self._over:
            return []
        try:
            records = self._sse.feed(data)
        except EventTooLarge as error:
            self._break(Failure("upstream_error", f"The upstream's stream cannot be read: {error}."))
            return self._take()
        for name, payload in records:
            self._read(name, payload)
            if self._over:
                break
        return self._take()

    def close(self) -> list[ev.StreamEvent]:
        """``Broke``, unless the answer ended before; the last event may lack its blank line."""
        if self._over:
            return []
        if self._sse.pending():
            for name, payload in self._sse.feed(b"\n\n"):
                self._read(name, payload)
        if not self._over:
            self._break(Failure("upstream_error", CUT_SHORT))
        return self._take()

    def _take(self) -> list[ev.StreamEvent]:
        events = self._events.copy()
        self._events.clear()  # the same list for ever: the items hold its append
        return events

    def _read(self, name: bytes, payload: bytes) -> None:
        if b".delta" in (name or payload[:80]) and self._read_delta(payload):
            return
        if payload == _DONE:
            self._break(Failure("upstream_error", CUT_SHORT))
            return
        try:
            value = _decode(payload)
        except _UNREADABLE:
            self._break(Failure("upstream_error", "The upstream's stream holds an event that is not JSON."))
            return
        if not is_object(value):
            self._break(Failure("upstream_error", "The upstream's stream holds an event that is no object."))
            return
        kind = text_of(value.get("type")) or name.decode("latin-1")
        try:
            self._readers.get(kind, self._unknown)(value)
        except FailureError as error:  # the reader takes a wrong type for the caller's fault
            self._break(Failure("upstream_error", f"The upstream's stream cannot be read: {error.failure.message}"))

    def _read_delta(self, payload: bytes) -> bool:
        """The common case: a piece of text for an item that is open. False if the event is any other."""
        try:
            delta = _decode_delta(payload)
        except _UNREADABLE:
            return False
        item = self._items.get(delta.output_index)
        if item is None or not delta.delta:
            return False
        match delta.type:
            case "response.output_text.delta":
                item.text(delta.content_index, delta.delta, delta.logprobs)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                item.fragment(delta.delta)
            case "response.reasoning_summary_text.delta":
                item.thought(delta.summary_index, delta.delta)
            case _:
                return False
        return True

    # --- the answer ---------------------------------------------------------------------------------------------------

    def _begin(self, event: Json) -> None:
        response: Any = event.get("response")
        if not self._started and is_object(response):
            self._start(response)

    def _start(self, response: Json) -> None:
        self._started = True
        extras = answer_extras(response)
        tier = text_of(response.get("service_tier"))
        self._said = {**extras, "service_tier": tier}
        started = ev.Started(
            id=text_of(response.get("id")) or "",
            model=text_of(response.get("model")) or "",
            created=created_at(response),
            service_tier=tier,
            extras=kept(extras),
        )
        self._events.append(started)

    def _finish(self, event: Json) -> None:
        """The terminal event. Items that no event told of are told now."""
        response: Any = event.get("response")
        if not is_object(response):
            response = {}
        if not self._started:
            self._start(response)
        for index, item in enumerate(list_of(response.get("output"))):
            if is_object(item):
                self._item(index).finish(item)
        for item in self._items.values():
            item.finish(None)
        calls = any(item.is_call for item in self._items.values())
        refused = any(item.refused for item in self._items.values())
        status = "incomplete" if event.get("type") == "response.incomplete" else "completed"
        self._events.append(ev.ChoiceFinished(finish_of({"status": status, **response}, calls=calls, refused=refused)))
        usage = decode_usage(response.get("usage"))
        if usage is not None:
            self._events.append(ev.UsageReported(usage))
        late = {key: value for key, value in answer_extras(response).items() if self._said.get(key) != value}
        tier = text_of(response.get("service_tier"))
        if tier is not None and tier != self._said["service_tier"]:
            late["service_tier"] = tier
        self._over = True
        self._events.append(ev.Ended(kept(late)))

    def _failed(self, event: Json) -> None:
        response: Any = event.get("response")
        failure = failure_of_event(response if is_object(response) else event)
        self._break(failure, told=True)

    def _break(self, failure: Failure, *, told: bool = False) -> None:
        self._over = True
        self._events.append(ev.Broke(failure, told))

    def _unknown(self, event: Json) -> None:
        kind = text_of(event.get("type")) or ""
        if not kind:
            failure = failure_in_answer(event)
            self._break(failure or SILENT, told=failure is not None)
        elif kind == "response.image_generation_call.partial_image" or not kind.startswith(_PROGRESS):
            keeps_alive = kind in ("ping", "keepalive") or not self._started
            self._events.append(ev.Heartbeat() if keeps_alive else ev.OpaqueEvent(NAME, kind, event))

    # --- items --------------------------------------------------------------------------------------------------------

    def _nothing(self, event: Json) -> None:
        """What it says, deltas and the end of its item say too."""

    def _item(self, index: int) -> ItemDecoder:
        if not self._started:
            self._start({})
        found = self._items.get(index)
        if found is None:
            found = self._items[index] = ItemDecoder(self._events.append, self._number, self._log)
        return found

    def _number(self) -> int:
        """The next part's number."""
        self._next += 1
        return self._next - 1

    def _of(self, event: Json) -> ItemDecoder:
        """The item of an event; one without an index is of the last item."""
        index = _number_at(event, "output_index", -1)
        return self._item(max(self._items, default=0) if index < 0 else index)

    def _added(self, event: Json) -> None:
        item: Any = event.get("item")
        if is_object(item):
            self._of(event).begin(item)

    def _item_done(self, event: Json) -> None:
        item: Any = event.get("item")
        if is_object(item):
            self._of(event).finish(item)

    def _content_added(self, event: Json) -> None:
        part: Any = event.get("part")
        if is_object(part):
            self._of(event).begin_content(_index(event), part)

    def _content_done(self, event: Json) -> None:
        part: Any = event.get("part")
        if is_object(part):
            self._of(event).finish_content(_index(event), part)

    def _delta(self, event: Json) -> None:
        delta = text_of(event.get("delta"))
        if not delta:
            return
        item, kind = self._of(event), event.get("type")
        if kind == "response.output_text.delta":
            item.text(_index(event), delta, list_of(event.get("logprobs")))
        elif kind == "response.refusal.delta":
            item.refusal(_index(event), delta)
        elif kind == "response.reasoning_summary_text.delta":
            item.thought(_number_at(event, "summary_index"), delta)
        elif kind == "response.reasoning_text.delta":
            item.raw_thought(delta)
        else:
            item.fragment(delta)

    def _text_done(self, event: Json) -> None:
        refusal = text_of(event.get("refusal"))
        text = text_of(event.get("text")) if refusal is None else refusal
        if text is not None:
            self._of(event).complete_text(_index(event), text, refusal=refusal is not None)

    def _annotation(self, event: Json) -> None:
        annotation: Any = event.get("annotation")
        if is_object(annotation):
            self._of(event).annotate(_index(event), annotation)

    def _arguments_done(self, event: Json) -> None:
        text = text_of(event.get("arguments", event.get("input")))
        if text is not None:
            self._of(event).complete_arguments(text)


def _index(event: Json) -> int:
    return _number_at(event, "content_index")


def _number_at(event: Json, key: str, absent: int = 0) -> int:
    value: Any = event.get(key)
    return value if type(value) is int else absent
