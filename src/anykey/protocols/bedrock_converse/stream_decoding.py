"""An upstream's event stream → events.

The order is ``messageStart``, blocks, ``messageStop``, ``metadata`` with the usage. Only a block that is a call has a start of
its own; of any other its first delta is the start. A message of the type ``exception`` or ``error`` breaks the answer. An
upstream that closes after ``messageStop`` has ended, one that closes before has broken.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.conversation.parts import Extras, Json, OpaquePart, OpaqueState, Part, ReasoningPart, TextPart, ToolCallPart
from anykey.protocols.bedrock_converse.answer_parts import decode_block, decode_citation
from anykey.protocols.bedrock_converse.errors import failure_of_exception
from anykey.protocols.bedrock_converse.event_stream import BrokenFrame, FrameParser, Message
from anykey.protocols.bedrock_converse.extras import NAME, is_array, is_object, list_at, object_at
from anykey.protocols.bedrock_converse.finish import decode_finish
from anykey.protocols.bedrock_converse.response import tier_of, unread
from anykey.protocols.bedrock_converse.usage import decode_usage

CUT_SHORT = "the upstream ended the stream before the answer was complete"
_PADDING = "p"
"""A key of random length in every event, against who measures the traffic."""


class _Call(msgspec.Struct, gc=False):
    input: str = ""


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    toolUse: _Call | None = None  # noqa: N815 - the wire's own name


class _DeltaEvent(msgspec.Struct, gc=False):
    """The one event that comes by the hundred."""

    delta: _Delta
    contentBlockIndex: int  # noqa: N815 - the wire's own name


_decode_delta = msgspec.json.Decoder(_DeltaEvent).decode
_decode_json = msgspec.json.Decoder().decode


class _Block:
    """A content block that is open. ``value``: one that is told whole when it closes, and what it holds so far."""

    __slots__ = ("empty", "index", "kind", "sealed", "value")

    def __init__(self, kind: type[Part], index: int, value: Json) -> None:
        self.kind = kind
        self.index = index
        self.value = value
        self.empty = True
        self.sealed: list[str] = []


class _Broken(Exception):
    """The stream says something that cannot stand."""


class StreamDecoder:
    """Implements ``protocols.codec.StreamDecoder``."""

    __slots__ = (
        "_blocks",
        "_called",
        "_done",
        "_extras",
        "_finished",
        "_handlers",
        "_parser",
        "_parts",
        "_started",
        "losses",
    )

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self._parser = FrameParser()
        self._blocks: dict[int, _Block] = {}
        self._parts = 0
        self._extras: Extras = {}
        self._started = self._finished = self._called = self._done = False
        self._handlers: dict[str, Callable[[Json, list[ev.StreamEvent]], None]] = {
            "messageStart": self._message_start,
            "contentBlockStart": self._block_start,
            "contentBlockDelta": self._block_delta,
            "contentBlockStop": self._block_stop,
            "messageStop": self._message_stop,
            "metadata": self._metadata,
        }

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        out: list[ev.StreamEvent] = []
        if self._done:
            return out
        try:
            for message in self._parser.feed(data):
                self._take(message, out)
                if self._done:
                    break
        except BrokenFrame as error:
            self._break(out, Failure("upstream_error", f"The provider's stream cannot be read: {error}"))
        return out

    def close(self) -> list[ev.StreamEvent]:
        out: list[ev.StreamEvent] = []
        if self._done:
            return out
        if self._finished:
            self._done = True
            out.append(ev.Ended(self._extras))
        else:
            self._break(out, Failure("upstream_error", CUT_SHORT))
        return out

    def _take(self, message: Message, out: list[ev.StreamEvent]) -> None:
        kind = message.text(":message-type")
        if kind == "exception":
            self._break(out, failure_of_exception(message.text(":exception-type"), message.payload), told=True)
        elif kind == "error":
            told = msgspec.json.encode({"message": message.text(":error-message")})
            self._break(out, failure_of_exception(message.text(":error-code"), told), told=True)
        else:
            self._take_event(message.text(":event-type"), message.payload, out)

    def _take_event(self, name: str, payload: bytes, out: list[ev.StreamEvent]) -> None:
        try:
            if name == "contentBlockDelta" and self._fast_delta(payload, out):
                return
            self._take_whole(name, _decode_json(payload) if payload else {}, out)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._break(out, Failure("upstream_error", "The provider's stream holds an event that is not JSON"))
        except _Broken as error:
            self._break(out, Failure("upstream_error", f"The provider's stream breaks its protocol: {error}"))

    def _take_whole(self, name: str, event: Any, out: list[ev.StreamEvent]) -> None:
        if not is_object(event):
            raise _Broken("an event is no object")
        handler = self._handlers.get(name)
        if handler is not None:
            handler(event, out)
        elif self._started and not self._finished:
            out.append(ev.OpaqueEvent(NAME, name, event))

    def _fast_delta(self, payload: bytes, out: list[ev.StreamEvent]) -> bool:
        """True if ``payload`` is text or arguments of an open block of that kind and was told."""
        try:
            event = _decode_delta(payload)
        except msgspec.ValidationError:
            return False
        block = self._blocks.get(event.contentBlockIndex)
        delta = event.delta
        if block is None:
            return False
        if delta.text and block.kind is TextPart:
            out.append(ev.TextDelta(block.index, delta.text))
        elif delta.toolUse is not None and delta.toolUse.input and block.kind is ToolCallPart:
            block.empty = False
            out.append(ev.ArgumentsDelta(block.index, delta.toolUse.input))
        else:
            return False
        return True

    def _message_start(self, _: Json, out: list[ev.StreamEvent]) -> None:
        if not self._started:
            self._started = True
            out.append(ev.Started("", ""))

    def _block_start(self, event: Json, out: list[ev.StreamEvent]) -> None:
        index, start = self._index(event, out), object_at(event, "start")
        if index in self._blocks:
            self._close(index, out)
        part = decode_block(start)
        if isinstance(part, ToolCallPart):
            self._called = True
            self._open(ToolCallPart(part.id, part.name, "", extras=part.extras), index, out)
        elif start:
            self._blocks[index] = self._block(OpaquePart, start)
        # An empty start says nothing: the first delta tells what it is.

    def _block(self, kind: type[Part], value: Json) -> _Block:
        block = _Block(kind, self._parts, value)
        self._parts += 1
        return block

    def _open(self, part: Part, index: int, out: list[ev.StreamEvent]) -> _Block:
        block = self._blocks[index] = self._block(type(part), {})
        out.append(ev.PartStarted(block.index, part))
        return block

    def _block_delta(self, event: Json, out: list[ev.StreamEvent]) -> None:
        index, delta = self._index(event, out), object_at(event, "delta")
        block = self._blocks.get(index)
        for kind, value in delta.items():
            if value is None:
                continue
            if block is not None and block.kind is OpaquePart:
                _gather(block, kind, value)
            elif kind in ("text", "citation"):
                block = self._require(block, TextPart, index, out)
                self._tell_text(block, kind, value, out)
            elif kind == "reasoningContent":
                block = self._take_reasoning(block, index, object_at(delta, kind), out)
            elif kind == "toolUse":
                block = self._require(block, ToolCallPart, index, out)
                out.append(ev.Heartbeat())  # an empty fragment; ``_fast_delta`` tells the others
            elif block is None:
                block = self._blocks[index] = self._block(OpaquePart, {})
                _gather(block, kind, value)
            else:
                raise _Broken(f"a delta of {kind} in a block that cannot hold it")

    def _tell_text(self, block: _Block, kind: str, value: Any, out: list[ev.StreamEvent]) -> None:
        if kind == "citation":
            out.append(ev.CitationAdded(block.index, decode_citation(value)))
        else:
            out.append(ev.TextDelta(block.index, value) if isinstance(value, str) and value else ev.Heartbeat())

    def _require(self, block: _Block | None, kind: type[Part], index: int, out: list[ev.StreamEvent]) -> _Block:
        """The open block of this kind; text and thoughts begin with their first delta."""
        if block is None and kind is not ToolCallPart:
            return self._open(TextPart("") if kind is TextPart else ReasoningPart(""), index, out)
        if block is None or block.kind is not kind:
            raise _Broken("a delta in a block that cannot hold it")
        return block

    def _take_reasoning(
        self, block: _Block | None, index: int, delta: Json, out: list[ev.StreamEvent]
    ) -> _Block | None:
        """Text and signature of a thought; one that is redacted is gathered and told whole."""
        redacted, text, signature = (delta.get(key) for key in ("redactedContent", "text", "signature"))
        if isinstance(redacted, str):
            if block is not None:
                raise _Broken("a redacted thought in a block that cannot hold it")
            block = self._blocks[index] = self._block(OpaquePart, {})
            _gather(block, "reasoningContent", delta)
            return block
        block = self._require(block, ReasoningPart, index, out)
        if isinstance(text, str) and text:
            out.append(ev.ReasoningDelta(block.index, text))
        elif isinstance(signature, str) and signature:
            block.sealed.append(signature)
        else:
            out.append(ev.Heartbeat())
        return block

    def _block_stop(self, event: Json, out: list[ev.StreamEvent]) -> None:
        index = self._index(event, out)
        if index in self._blocks:
            self._close(index, out)

    def _close(self, index: int, out: list[ev.StreamEvent]) -> None:
        block = self._blocks.pop(index)
        if block.kind is OpaquePart:
            out.append(ev.PartStarted(block.index, decode_block(_gathered(block))))
        elif block.sealed:
            out.append(ev.StateDelta(block.index, OpaqueState(NAME, "".join(block.sealed))))
        elif block.kind is ToolCallPart and block.empty:
            out.append(ev.ArgumentsDelta(block.index, "{}"))
        out.append(ev.PartFinished(block.index))

    def _message_stop(self, event: Json, out: list[ev.StreamEvent]) -> None:
        self._message_start(event, out)
        if self._finished:
            return
        for index in list(self._blocks):
            self._close(index, out)
        self._finished = True
        out.append(ev.ChoiceFinished(decode_finish(event.get("stopReason"), called=self._called)))
        self._keep(event, "stopReason")

    def _metadata(self, event: Json, out: list[ev.StreamEvent]) -> None:
        """Usage and what else came with it. It is the last event, but the answer ends when the upstream closes."""
        usage = decode_usage(event.get("usage"))
        if usage is not None and self._started:
            out.append(ev.UsageReported(usage))
        self._keep(event, "usage")
        tier = tier_of(event)
        if tier is not None:  # known at the end only, when the answer has long begun
            self._extras = {NAME: {**self._extras.get(NAME, {}), "serviceTier": {"type": tier}}}

    def _keep(self, event: Json, read: str) -> None:
        found = unread({key: value for key, value in event.items() if key not in (read, _PADDING)})
        if found:
            self._extras = {NAME: {**self._extras.get(NAME, {}), **found[NAME]}}

    def _index(self, event: Json, out: list[ev.StreamEvent]) -> int:
        """The block's number, in a stream that has begun and not ended."""
        self._message_start(event, out)
        index = event.get("contentBlockIndex")
        if type(index) is not int:
            raise _Broken("a block has no number")
        if self._finished:
            raise _Broken("a content block comes after the stop reason")
        return index

    def _break(self, out: list[ev.StreamEvent], failure: Failure, *, told: bool = False) -> None:
        self._done = True
        out.append(ev.Broke(failure, told))


def _gather(block: _Block, kind: str, value: Any) -> None:
    """A delta of a block that is told whole: its fields join those told before, a redacted thought by its bytes."""
    if kind == "reasoningContent" and is_object(value):
        block.sealed.append(str(value.get("redactedContent") or ""))
        return
    before = block.value.get(kind)
    if is_object(before) and is_object(value):
        block.value = {**block.value, kind: {**before, **value}}
    elif is_array(before) and is_array(value):
        block.value = {**block.value, kind: [*before, *value]}
    elif is_object(before) and is_array(value):
        block.value = {**block.value, kind: {**before, "content": [*list_at(before, "content"), *value]}}
    elif isinstance(before, str) and isinstance(value, str):
        block.value = {**block.value, kind: before + value}
    else:
        block.value = {**block.value, kind: value}


def _gathered(block: _Block) -> Json:
    """The whole block. Pieces that are base64 each are joined by their bytes; a text of base64 that was cut, as it is."""
    pieces = block.sealed
    if not pieces:
        return block.value
    try:
        whole = b"".join(binascii.a2b_base64(piece, strict_mode=True) for piece in pieces)
        data = binascii.b2a_base64(whole, newline=False).decode()
    except ValueError:
        data = "".join(pieces)
    return {"reasoningContent": {"redactedContent": data}}
