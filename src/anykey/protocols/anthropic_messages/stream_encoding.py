"""Events → a stream for a client of this protocol.

Blocks are strictly one after another here: while one is open, what belongs to later ones waits. A block without content is not
told at all. The finish and the usage stand in one event, which waits for the end, because other protocols tell the usage last.
A sealed thought after text waits for the next block, and is left out when there is none (``response.AFTERWORD`` says why).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import Json, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from anykey.conversation.usage import Usage
from anykey.protocols.anthropic_messages.errors import encode_stream_failure
from anykey.protocols.anthropic_messages.extras import NAME, put
from anykey.protocols.anthropic_messages.finish import encode_finish
from anykey.protocols.anthropic_messages.response import (
    AFTERWORD,
    answer_citation,
    encode_answer_part,
    message_id,
    own_state,
    report_answer,
)
from anykey.protocols.anthropic_messages.usage import encode_usage

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":'
_CLOSE_DELTA = b"}}\n\n"
_BLOCK_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_encode_json = msgspec.json.Encoder().encode
_Delta = ev.TextDelta | ev.RefusalDelta | ev.ReasoningDelta | ev.ArgumentsDelta


def record(name: str, value: Json) -> bytes:
    """One event with its name, which clients of this protocol insist on."""
    return b"event: " + name.encode() + b"\ndata: " + _encode_json(value) + b"\n\n"


class StreamEncoder:
    """Implements ``protocols.codec.StreamEncoder``."""

    __slots__ = (
        "_active",
        "_afterwords",
        "_block",
        "_finish",
        "_log",
        "_opened",
        "_out",
        "_part",
        "_prefix",
        "_refused",
        "_signature",
        "_spoke",
        "_told",
        "_top",
        "_usage",
        "_waiting",
        "_writers",
        "losses",
    )

    def __init__(self) -> None:
        self._log = LossLog("response")
        self.losses: list[Loss] = self._log.losses
        self._out: list[bytes] = []
        self._block = 0  # the number of the next block, or of the open one
        self._active: int | None = None  # the part that is being told
        self._part: Any = None
        self._opened = False
        self._prefix = b""
        self._signature: str | None = None
        self._waiting: dict[int, list[ev.StreamEvent]] = {}
        self._usage: Usage | None = None
        self._finish: ev.ChoiceFinished | None = None
        self._refused = False
        self._spoke = False
        self._afterwords: list[ev.PartStarted] = []
        self._told: set[str] = set()
        self._top: Json = {}
        self._writers: dict[type[ev.StreamEvent], Callable[[Any], None]] = {
            ev.Started: self._started,
            ev.PartStarted: self._part_started,
            ev.TextDelta: self._delta,
            ev.ReasoningDelta: self._delta,
            ev.RefusalDelta: self._delta,
            ev.ArgumentsDelta: self._delta,
            ev.StateDelta: self._state,
            ev.CitationAdded: self._citation,
            ev.PartFinished: self._part_finished,
            ev.LogprobsAdded: self._logprobs,
            ev.UsageReported: self._usage_reported,
            ev.ChoiceFinished: self._choice_finished,
            ev.Heartbeat: self._heartbeat,
            ev.OpaqueEvent: self._opaque,
            ev.Ended: self._ended,
            ev.Broke: self._broke,
        }

    def feed(self, events: list[ev.StreamEvent]) -> bytes:
        self._out = []
        writers = self._writers
        for event in events:
            writers[type(event)](event)
        return b"".join(self._out)

    def heartbeat(self) -> bytes:
        return PING

    def _started(self, event: ev.Started) -> None:
        self._usage = event.usage
        report_answer(event.service_tier, self._log)
        message: Json = {
            "id": message_id(event.id),
            "type": "message",
            "role": "assistant",
            "model": event.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": encode_usage(event.usage, LossLog("response")),
        }
        put(message, event.extras, "", self._log)
        self._out.append(record("message_start", {"type": "message_start", "message": message}))

    def _is_elsewhere(self, event: Any) -> bool:
        """True if the event is not for the open block: it waits, or it is of a choice this protocol does not have."""
        if event.choice:
            self._lose_once(f"choices[{event.choice}]", "there is one answer here")
            return True
        if event.index != self._active:
            self._waiting[event.index].append(event)
            return True
        return False

    def _lose_once(self, path: str, reason: str) -> None:
        if path not in self._told:
            self._told.add(path)
            self._log.dropped(path, reason)

    def _part_started(self, event: ev.PartStarted) -> None:
        if event.choice:
            self._lose_once(f"choices[{event.choice}]", "there is one answer here")
        elif self._active is not None:
            self._waiting[event.index] = [event]
        else:
            self._begin(event)

    def _begin(self, event: ev.PartStarted) -> None:
        part = event.part
        self._active, self._part = event.index, part
        self._opened = False
        self._signature = None
        if self._spoke and isinstance(part, ReasoningPart) and part.redacted:
            self._afterwords.append(event)
            return
        if self._afterwords:
            self._tell_afterwords()
        match part:
            case TextPart() | RefusalPart():
                self._refused |= isinstance(part, RefusalPart)
                self._prefix = _DELTA % (self._block, b"text_delta", b"text")
                if isinstance(part, TextPart):
                    for citation in part.citations:
                        self._citation(ev.CitationAdded(event.index, citation))
                self._fill(part.text)
            case ReasoningPart(redacted=False):
                self._prefix = _DELTA % (self._block, b"thinking_delta", b"thinking")
                self._fill(part.text)
                self._sign(own_state(part.state, self._path(), self._log))
            case ToolCallPart():
                self._begin_call(part)
            case _:
                self._open_one(encode_answer_part(part, self._path(), self._log))

    def _tell_afterwords(self) -> None:
        """What was sealed after the last text, now that something follows it."""
        for event in self._afterwords:
            self._tell_whole(encode_answer_part(event.part, f"content[{event.index}]", self._log))
        self._afterwords = []

    def _path(self) -> str:
        return f"content[{self._active}]"

    def _begin_call(self, part: ToolCallPart) -> None:
        self._prefix = _DELTA % (self._block, b"input_json_delta", b"partial_json")
        if part.kind == "hosted" and NAME not in part.extras:  # what it is told as hangs on its arguments
            self._signature = ""
        else:
            empty = msgspec.structs.replace(part, arguments="")
            self._open_one(encode_answer_part(empty, self._path(), self._log))
        if part.kind == "custom":  # its text is told as one JSON string, so it is gathered
            self._signature = ""
        self._fill(part.arguments)

    def _fill(self, text: str) -> None:
        """Tell ``text`` in the open part."""
        if not text:
            return
        part = self._part
        if type(part) is ToolCallPart and self._signature is not None:
            self._signature += text
            return
        if not self._opened:
            self._open_empty()
        if self._opened:
            self._out.append(self._prefix + _encode_json(text) + _CLOSE_DELTA)

    def _open_empty(self) -> None:
        """The block of a text or a thought, whose first content has come."""
        part = self._part
        if type(part) is ReasoningPart:
            block: Json = {"type": "thinking", "thinking": "", "signature": ""}
        elif type(part) is ToolCallPart:
            return  # a call that could not be told
        else:
            block = {"type": "text", "text": ""}
        put(block, part.extras, self._path(), self._log)
        self._open(block)

    def _open_one(self, blocks: list[Json]) -> None:
        for block in blocks:
            self._open(block)

    def _open(self, block: Json) -> None:
        if type(self._part) is ToolCallPart:
            block["input"] = {}
        self._opened = True
        self._spoke |= block["type"] == "text"
        start = {"type": "content_block_start", "index": self._block, "content_block": block}
        self._out.append(record("content_block_start", start))

    def _delta(self, event: _Delta) -> None:
        text = event.fragment if isinstance(event, ev.ArgumentsDelta) else event.text
        if event.index == self._active and self._opened and not event.choice and self._signature is None:
            if text:
                self._out.append(self._prefix + _encode_json(text) + _CLOSE_DELTA)
        elif not self._is_elsewhere(event):
            self._fill(text)

    def _state(self, event: ev.StateDelta) -> None:
        if not self._is_elsewhere(event):
            self._sign(own_state(event.state, self._path(), self._log))

    def _sign(self, signature: str | None) -> None:
        """Keep the signature: it stands just before the end of its block, and the last one counts."""
        if signature is not None:
            if not self._opened:
                self._open_empty()
            self._signature = signature

    def _citation(self, event: ev.CitationAdded) -> None:
        if self._is_elsewhere(event):
            return
        wire = answer_citation(event.citation, self._path(), self._log)
        if wire is None:
            return
        if not self._opened:
            self._open_empty()
        delta = {"type": "citations_delta", "citation": wire}
        self._out.append(record("content_block_delta", self._delta_event(delta)))

    def _delta_event(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": self._block, "delta": delta}

    def _part_finished(self, event: ev.PartFinished) -> None:
        if self._is_elsewhere(event):
            return
        if event.extras:
            self._report_late_extras(event)
        if self._opened:
            self._close_block()
        elif type(self._part) is ToolCallPart and self._part.kind == "hosted":
            self._tell_hosted(self._part)
        elif isinstance(self._part, TextPart | RefusalPart):
            put({}, self._part.extras, self._path(), self._log)
        self._active = None
        self._opened = False
        self._signature = None
        if self._waiting:
            self._tell_next()

    def _tell_hosted(self, part: ToolCallPart) -> None:
        """A call that another provider ran, whole, in blocks of its own."""
        whole = msgspec.structs.replace(part, arguments=self._signature or "")
        self._tell_whole(encode_answer_part(whole, self._path(), self._log))

    def _tell_whole(self, blocks: list[Json]) -> None:
        for block in blocks:
            start = {"type": "content_block_start", "index": self._block, "content_block": block}
            self._out.append(record("content_block_start", start))
            self._out.append(_BLOCK_STOP % self._block)
            self._block += 1

    def _report_late_extras(self, event: ev.PartFinished) -> None:
        for origin, keys in event.extras.items():
            for key in keys:
                self._log.dropped(f"{self._path()}.{key}", f"{origin} told it after the block had begun")

    def _close_block(self) -> None:
        if self._signature is not None:
            if type(self._part) is ToolCallPart:
                delta: Json = {"type": "input_json_delta"}
                delta["partial_json"] = _encode_json({"input": self._signature}).decode()
            else:
                delta = {"type": "signature_delta", "signature": self._signature}
            self._out.append(record("content_block_delta", self._delta_event(delta)))
        self._out.append(_BLOCK_STOP % self._block)
        self._block += 1

    def _tell_next(self) -> None:
        """The oldest part that waits is the open one now."""
        index = next(iter(self._waiting))
        for event in self._waiting.pop(index):
            self._writers[type(event)](event)

    def _logprobs(self, event: ev.LogprobsAdded) -> None:
        if event.choice:
            self._lose_once(f"choices[{event.choice}]", "there is one answer here")
        else:
            self._lose_once("logprobs", "this protocol has no log probabilities")

    def _usage_reported(self, event: ev.UsageReported) -> None:
        self._usage = event.usage

    def _choice_finished(self, event: ev.ChoiceFinished) -> None:
        if event.choice:
            self._lose_once(f"choices[{event.choice}]", "there is one answer here")
        else:
            self._finish = event

    def _heartbeat(self, _: ev.Heartbeat) -> None:
        self._out.append(PING)

    def _opaque(self, event: ev.OpaqueEvent) -> None:
        if event.origin == NAME:
            self._out.append(record(event.kind, event.value))
        else:
            self._lose_once(event.kind, f"an event that only {event.origin} has")

    def _ended(self, event: ev.Ended) -> None:
        for afterword in self._afterwords:
            self._log.dropped(f"content[{afterword.index}].state", AFTERWORD)
        finish = self._finish
        if finish is None:
            delta = encode_finish(None, {}, self._log)
        else:
            delta = encode_finish(finish.finish, finish.extras, self._log, refused=self._refused)
            put({}, finish.extras, "choices[0]", self._log)
        end: Json = {"type": "message_delta", "delta": delta, "usage": encode_usage(self._usage, self._log)}
        late: Json = {}
        put(late, event.extras, "", self._log)
        if "container" in late:
            delta["container"] = late.pop("container")
        self._out.append(record("message_delta", {**end, **late}))
        self._out.append(STOP)

    def _broke(self, event: ev.Broke) -> None:
        self._out.append(encode_stream_failure(event.failure, None))
