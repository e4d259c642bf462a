"""An upstream's stream → events.

The order is ``message_start``, blocks, ``message_delta``, ``message_stop``. Blocks whose content has no delta of its own in the
neutral model (a server tool's call, a compaction) are gathered and told whole when they close. Numbers of a later usage stand
over those of an earlier one. An upstream that closes after it told the stop reason has ended, one that closes before has broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss
from anykey.conversation.parts import Json, OpaquePart, OpaqueState, Part, ReasoningPart, TextPart, ToolCallPart
from anykey.protocols.anthropic_messages.errors import failure_of_event
from anykey.protocols.anthropic_messages.extras import NAME, keep
from anykey.protocols.anthropic_messages.finish import decode_finish
from anykey.protocols.anthropic_messages.messages_decoding import decode_block, decode_citation
from anykey.protocols.anthropic_messages.response import unread_keys
from anykey.protocols.anthropic_messages.shapes import is_array, is_object
from anykey.protocols.anthropic_messages.usage import decode_usage
from anykey.protocols.sse import EventTooLarge, SseEvent, SseParser

CUT_SHORT = "the upstream ended the stream before the answer was complete"
_DELTA_KEYS = frozenset({"stop_reason", "stop_sequence", "stop_details"})
_END_KEYS = frozenset({"type", "delta", "usage"})


class _Delta(msgspec.Struct, gc=False):
    type: str
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""


class _DeltaEvent(msgspec.Struct, gc=False):
    """The one event that comes by the hundred."""

    type: str
    delta: _Delta
    index: int = 0


_decode_delta = msgspec.json.Decoder(_DeltaEvent).decode
_decode_json = msgspec.json.Decoder().decode


class _Block:
    """A content block that is open. ``pieces``: the input gathered so far, of a call or of an opaque block."""

    __slots__ = ("index", "kind", "pieces", "signature", "value")

    def __init__(self, kind: type[Part], index: int, value: Json) -> None:
        self.kind = kind
        self.index = index
        self.value = value
        self.pieces: list[str] = []
        self.signature: str | None = None


class _Broken(Exception):
    """The stream says something that cannot stand."""


class StreamDecoder:
    """Implements ``protocols.codec.StreamDecoder``."""

    __slots__ = (
        "_blocks",
        "_called",
        "_done",
        "_end",
        "_finished",
        "_handlers",
        "_parser",
        "_parts",
        "_started",
        "_usage",
        "losses",
    )

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self._parser = SseParser()
        self._blocks: dict[int, _Block] = {}
        self._parts = 0
        self._usage: Json = {}
        self._end: Json = {}
        self._started = self._finished = self._called = self._done = False
        self._handlers: dict[str, Callable[[Json, list[ev.StreamEvent]], None]] = {
            "message_start": self._message_start,
            "content_block_start": self._block_start,
            "content_block_delta": self._block_delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._message_stop,
            "ping": self._ping,
            "error": self._error,
        }

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        out: list[ev.StreamEvent] = []
        if self._done:
            return out
        try:
            events = self._parser.feed(data)
        except EventTooLarge as error:
            self._break(out, Failure("upstream_error", f"The provider's stream cannot be read: {error}"))
            return out
        for event in events:
            self._take(event, out)
            if self._done:
                break
        return out

    def close(self) -> list[ev.StreamEvent]:
        out: list[ev.StreamEvent] = []
        if not self._done and not self._finished and self._parser.pending():
            out = [event for event in self.feed(b"\n\n") if not isinstance(event, ev.Broke) or event.told]
            self._done = bool(out) and isinstance(out[-1], ev.Ended | ev.Broke)
        if self._done:
            return out
        if self._finished:
            self._conclude(out)
        else:
            self._break(out, Failure("upstream_error", CUT_SHORT))
        return out

    def _take(self, event: SseEvent, out: list[ev.StreamEvent]) -> None:
        data = event.data
        try:
            if event.name == b"content_block_delta" and self._fast_delta(data, out):
                return
            self._take_whole(event.name, _decode_json(data), out)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._take_no_json(data, out)
        except _Broken as error:
            self._break(out, Failure("upstream_error", f"The provider's stream breaks its protocol: {error}"))
        except FailureError as error:  # a block without a required field
            message = f"The provider's stream cannot be read: {error.failure.message}"
            self._break(out, Failure("upstream_error", message))

    def _fast_delta(self, data: bytes, out: list[ev.StreamEvent]) -> bool:
        """True if ``data`` is a delta of an open block's own kind and was told."""
        try:
            event = _decode_delta(data)
        except msgspec.ValidationError:
            return False
        block = self._blocks.get(event.index)
        if block is None:
            return False
        delta = event.delta
        kind = delta.type
        if kind == "text_delta" and block.kind is TextPart:
            if delta.text:
                out.append(ev.TextDelta(block.index, delta.text))
        elif kind == "input_json_delta" and block.kind is ToolCallPart:
            if delta.partial_json:
                block.pieces.append(delta.partial_json)
                out.append(ev.ArgumentsDelta(block.index, delta.partial_json))
        elif kind == "thinking_delta" and block.kind is ReasoningPart:
            out.append(ev.ReasoningDelta(block.index, delta.thinking) if delta.thinking else ev.Heartbeat())
        else:
            return False
        return True

    def _take_whole(self, name: bytes, value: Any, out: list[ev.StreamEvent]) -> None:
        if not is_object(value):
            raise _Broken("an event is no object")
        event: Json = value
        kind = event.get("type")
        if (name == b"error" or "error" in event) and kind not in self._handlers:
            kind = "error"
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            handler(event, out)
        elif self._started and not self._finished:
            out.append(ev.OpaqueEvent(NAME, kind if isinstance(kind, str) else name.decode(errors="replace"), event))

    def _take_no_json(self, data: bytes, out: list[ev.StreamEvent]) -> None:
        if data.strip() != b"[DONE]":
            self._break(out, Failure("upstream_error", "The provider's stream holds an event that is not JSON"))
        elif self._finished:
            self._conclude(out)
        else:
            self._break(out, Failure("upstream_error", CUT_SHORT))

    def _message_start(self, event: Json, out: list[ev.StreamEvent]) -> None:
        if self._started:
            return
        self._started = True
        found = event.get("message")
        message: Json = found if is_object(found) else {}
        self._note_usage(message.get("usage"))
        identity, model = str(message.get("id") or ""), str(message.get("model") or "")
        out.append(ev.Started(identity, model, None, decode_usage(self._usage), None, keep(unread_keys(message))))
        content = message.get("content")
        blocks: list[Any] = content if is_array(content) else []
        for block in blocks:  # a compatible server may tell all of it here
            self._open(len(self._blocks), block, out)

    def _note_usage(self, value: Any) -> bool:
        if not is_object(value):
            return False
        self._usage |= {key: item for key, item in value.items() if item is not None}
        return True

    def _start_if_needed(self, out: list[ev.StreamEvent]) -> None:
        if not self._started:
            self._started = True
            out.append(ev.Started("", ""))

    def _block_start(self, event: Json, out: list[ev.StreamEvent]) -> None:
        self._start_if_needed(out)
        if self._finished:
            raise _Broken("a content block begins after the stop reason")
        self._open(_index(event), event.get("content_block"), out)

    def _open(self, index: int, value: Any, out: list[ev.StreamEvent]) -> None:
        if index in self._blocks:
            self._close(index, out)
        if not is_object(value):
            raise _Broken("a content block is no object")
        content: Json = value
        if content.get("type") in ("text", "thinking"):
            content = {**content, content["type"]: content.get(content["type"]) or ""}
        part = decode_block(content, "content_block")
        whole = isinstance(part, ToolCallPart) and part.kind == "hosted"
        block = _Block(OpaquePart if whole else type(part), self._parts, content)
        self._parts += 1
        self._blocks[index] = block
        self._tell_opening(part, block, out)

    def _tell_opening(self, part: Part, block: _Block, out: list[ev.StreamEvent]) -> None:
        number = block.index
        match part:
            case TextPart():
                out.append(ev.PartStarted(number, TextPart("", extras=part.extras)))
                out.extend(ev.CitationAdded(number, citation) for citation in part.citations)
                if part.text:
                    out.append(ev.TextDelta(number, part.text))
            case ReasoningPart(redacted=False):
                out.append(ev.PartStarted(number, ReasoningPart("", extras=part.extras)))
                if part.text:
                    out.append(ev.ReasoningDelta(number, part.text))
                block.signature = part.state.data if part.state else None
            case ToolCallPart(kind="hosted"):
                pass  # as an opaque one
            case ToolCallPart():
                self._called = True
                out.append(ev.PartStarted(number, ToolCallPart(part.id, part.name, "", extras=part.extras)))
            case OpaquePart():
                pass  # told whole by _close
            case _:
                out.append(ev.PartStarted(number, part))

    def _block_delta(self, event: Json, out: list[ev.StreamEvent]) -> None:
        index = _index(event)
        found = event.get("delta")
        delta: Json = found if is_object(found) else {}
        kind = delta.get("type")
        block = self._blocks.get(index)
        if block is None:
            block = self._open_for(kind, index, out)
        if block.kind is OpaquePart:
            _gather(block, delta)
            return
        match kind, block.kind:
            case "text_delta", _ if block.kind is TextPart:
                self._tell(ev.TextDelta, block, delta.get("text"), out)
            case "thinking_delta", _ if block.kind is ReasoningPart:
                self._tell(ev.ReasoningDelta, block, delta.get("thinking"), out)
            case "input_json_delta", _ if block.kind is ToolCallPart:
                self._tell(ev.ArgumentsDelta, block, delta.get("partial_json"), out)
            case "signature_delta", _ if block.kind is ReasoningPart:
                block.signature = str(delta.get("signature") or "") or block.signature
            case "citations_delta", _ if block.kind is TextPart and is_object(delta.get("citation")):
                out.append(ev.CitationAdded(block.index, decode_citation(delta["citation"])))
            case (("text_delta" | "thinking_delta" | "input_json_delta" | "signature_delta"), _):
                raise _Broken(f"a {kind} in a block that cannot hold it")
            case _:
                out.append(ev.OpaqueEvent(NAME, "content_block_delta", event))

    def _tell(
        self,
        make: Callable[[int, str], ev.StreamEvent],
        block: _Block,
        text: Any,
        out: list[ev.StreamEvent],
    ) -> None:
        if isinstance(text, str) and text:
            block.pieces.append(text)
            out.append(make(block.index, text))
        else:
            out.append(ev.Heartbeat())

    def _open_for(self, kind: Any, index: int, out: list[ev.StreamEvent]) -> _Block:
        """A block whose start was never told; text and thinking need none."""
        start = {"text_delta": "text", "thinking_delta": "thinking"}.get(kind)
        if start is None or self._finished:
            raise _Broken("a delta in a block that is not open")
        self._start_if_needed(out)
        self._open(index, {"type": start, start: ""}, out)
        return self._blocks[index]

    def _block_stop(self, event: Json, out: list[ev.StreamEvent]) -> None:
        index = _index(event)
        if index in self._blocks:
            self._close(index, out)

    def _close(self, index: int, out: list[ev.StreamEvent]) -> None:
        block = self._blocks.pop(index)
        number = block.index
        if block.kind is OpaquePart:
            if block.pieces:
                block.value = {**block.value, "input": _gathered_input(block)}
            out.append(ev.PartStarted(number, decode_block(block.value)))
        elif block.kind is ReasoningPart and block.signature:
            out.append(ev.StateDelta(number, OpaqueState(NAME, block.signature)))
        elif block.kind is ToolCallPart and not block.pieces:
            given = block.value.get("input")
            out.append(ev.ArgumentsDelta(number, msgspec.json.encode(given or {}).decode()))
        out.append(ev.PartFinished(number))

    def _message_delta(self, event: Json, out: list[ev.StreamEvent]) -> None:
        self._start_if_needed(out)
        found = event.get("delta")
        delta: Json = found if is_object(found) else {}
        self._end |= {key: item for key, item in event.items() if key not in _END_KEYS and item is not None}
        self._end |= {key: item for key, item in delta.items() if key not in _DELTA_KEYS and item is not None}
        word = delta.get("stop_reason")
        if word is not None and not self._finished:
            self._finish(word, delta, out)
        if self._note_usage(event.get("usage")):
            usage = decode_usage(self._usage)
            if usage is not None:
                out.append(ev.UsageReported(usage))

    def _finish(self, word: Any, delta: Json, out: list[ev.StreamEvent]) -> None:
        for index in list(self._blocks):
            self._close(index, out)
        self._finished = True
        sequence, detail = delta.get("stop_sequence"), delta.get("stop_details")
        finish, extras = decode_finish(word, sequence, detail, called=self._called)
        out.append(ev.ChoiceFinished(finish, 0, extras))

    def _message_stop(self, _: Json, out: list[ev.StreamEvent]) -> None:
        self._start_if_needed(out)
        if not self._finished:  # a server that tells no message_delta
            self._finish("end_turn", {}, out)
        self._conclude(out)

    def _conclude(self, out: list[ev.StreamEvent]) -> None:
        self._done = True
        out.append(ev.Ended(keep(self._end)))

    def _ping(self, _: Json, out: list[ev.StreamEvent]) -> None:
        out.append(ev.Heartbeat())

    def _error(self, event: Json, out: list[ev.StreamEvent]) -> None:
        self._break(out, failure_of_event(event), told=True)

    def _break(self, out: list[ev.StreamEvent], failure: Failure, *, told: bool = False) -> None:
        self._done = True
        out.append(ev.Broke(failure, told))


def _index(event: Json) -> int:
    index = event.get("index", 0)
    if not isinstance(index, int):
        raise _Broken("a block has no number")
    return index


def _gather(block: _Block, delta: Json) -> None:
    """A delta of an opaque block: a fragment of its input, or fields that take the place of those told at its start."""
    if delta.get("type") == "input_json_delta":
        block.pieces.append(str(delta.get("partial_json") or ""))
    else:
        fields = {key: item for key, item in delta.items() if key != "type"}
        for key, item in fields.items():
            before = block.value.get(key)
            joined = before + item if isinstance(before, str) and isinstance(item, str) else item
            block.value = {**block.value, key: joined}


def _gathered_input(block: _Block) -> Any:
    text = "".join(block.pieces)
    if not text:
        return block.value.get("input", {})
    try:
        return _decode_json(text)
    except msgspec.DecodeError:
        raise _Broken("the input of a server tool is not JSON") from None
