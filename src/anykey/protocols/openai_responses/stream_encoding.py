"""A streamed answer, neutral to wire: legal events in, the full sequence of Responses out, numbered from 0 without gaps.

The first and the last events carry the whole response with what it repeats of the request. The finish and the usage stand in the
last one, which waits for the end. A broken answer ends with ``response.failed``. The frames of ordinary deltas are a constant
prefix, the number, the text as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import Json, TextPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Finish
from anykey.conversation.usage import Usage
from anykey.protocols.openai_responses.echo import echo
from anykey.protocols.openai_responses.errors import failed_response
from anykey.protocols.openai_responses.extras import NAME, write_extras
from anykey.protocols.openai_responses.ids import response_id
from anykey.protocols.openai_responses.output_items_encoding import report_foreign
from anykey.protocols.openai_responses.response import compaction, encode_finish, explanation
from anykey.protocols.openai_responses.stream_encoding_items import DELTA, END, NO_ITEM, Items, Open, Sink
from anykey.protocols.openai_responses.usage import encode_usage

HEARTBEAT = b": keep-alive\n\n"
_encode = msgspec.json.Encoder().encode
_Delta = ev.TextDelta | ev.ReasoningDelta | ev.RefusalDelta | ev.ArgumentsDelta


class StreamEncoder:
    """One answer's encoder for one client; ``body`` is the client's request. ``losses``: what this protocol has no place for."""

    def __init__(self, request: GenerateRequest, body: bytes = b"") -> None:
        self._request = request
        self._body = body
        self._log = LossLog("response")
        self.losses: list[Loss] = self._log.losses
        self._sink = Sink()
        self._head: Json = {}
        self._echo = b""
        self._items = Items("", self._sink, self._log)
        self._open: dict[int, Open] = {}  # by part
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._over = False
        self._told: set[str] = set()
        self._summary: list[str] | None = [] if request.compact else None
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
        """The events of the wire for ``events``; nothing after the end."""
        if self._over:
            return b""
        sink = self._sink
        out: list[bytes] = []
        sink.out = out
        for event in events:
            if type(event) is ev.TextDelta and not event.choice:
                told = self._open[event.index]
                if told.prefix is not None and event.text:
                    told.pieces.append(event.text)
                    out.append(told.prefix + b"%d" % sink.sequence + DELTA + _encode(event.text) + END)
                    sink.sequence += 1
                    continue
            self._writers[type(event)](event)
            if self._over:
                break
        return b"".join(out)

    def heartbeat(self) -> bytes:
        """A comment: an event of no known type would be one more thing a client may stumble over."""
        return HEARTBEAT

    # --- the answer ---------------------------------------------------------------------------------------------------

    def _started(self, event: ev.Started) -> None:
        identity = response_id(event.id, event.model, event.created, self._body)
        self._usage = event.usage
        self._head = {
            "id": identity,
            "object": "response",
            "created_at": event.created or 0,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": event.model or self._request.model,
            "service_tier": event.service_tier,
        }
        write_extras(self._head, event.extras, "", self._log)
        self._echo = b"," + echo(self._body) + b"}"
        self._items = Items(identity, self._sink, self._log)
        begun = b'"response":' + self._response([], None)
        self._sink.write_raw("response.created", begun)
        self._sink.write_raw("response.in_progress", begun)

    def _response(self, output: list[bytes], usage: Json | None) -> bytes:
        """The response object as it stands now."""
        head = _encode(self._head)[:-1]
        return head + b',"output":[' + b",".join(output) + b'],"usage":' + _encode(usage) + self._echo

    def _usage_reported(self, event: ev.UsageReported) -> None:
        self._usage = event.usage

    def _choice_finished(self, event: ev.ChoiceFinished) -> None:
        if self._is_elsewhere(event.choice):
            return
        self._finish = event.finish
        report_foreign(event.extras, "choices[0]", self._log)
        reason = None if self._items.refused else explanation(event.finish)
        if reason is not None and self._summary is None:
            self._items.decline(reason)
        ending = encode_finish(event.finish, refused=self._items.refused, log=self._log)
        self._items.settle(ending.item_status)
        self._head["status"], self._head["incomplete_details"] = ending.status, ending.details

    def _ended(self, event: ev.Ended) -> None:
        self._over = True
        if self._summary is not None:
            self._tell_summary("".join(self._summary))
        if self._finish is None:
            self._head["status"] = "completed"
        head = self._head
        for origin, keys in event.extras.items():
            if origin == NAME:
                head.update(keys)
            else:
                for key in keys:
                    self._log.dropped(key, "Responses has no such field")
        status = "incomplete" if head["status"] == "incomplete" else "completed"
        self._tell_end(f"response.{status}", encode_usage(self._usage, self._log))

    def _broke(self, event: ev.Broke) -> None:
        self._over = True
        if not self._head:
            self._started(ev.Started("", ""))
        self._items.settle()
        self._head.update(status="failed", error=failed_response(event.failure), incomplete_details=None)
        self._tell_end("response.failed", None if self._usage is None else encode_usage(self._usage, self._log))

    def _tell_end(self, kind: str, usage: Json | None) -> None:
        done = self._items.output
        self._sink.write_raw(kind, b'"response":' + self._response([done[index] for index in sorted(done)], usage))

    def _tell_summary(self, text: str) -> None:
        """The one item of a compaction."""
        item = compaction([text], self._head["id"])
        for kind in ("response.output_item.added", "response.output_item.done"):
            self._sink.write(kind, {"output_index": 0, "item": item})
        self._items.output[0] = _encode(item)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _is_elsewhere(self, choice: int) -> bool:
        """True if an event is of a choice that this protocol does not have."""
        if choice:
            self._lose_once(f"choices[{choice}]", "there is one answer here")
        return choice != 0

    def _lose_once(self, path: str, reason: str) -> None:
        if path not in self._told:
            self._told.add(path)
            self._log.dropped(path, reason)

    def _path(self, index: int) -> str:
        return f"choices[0].content[{index}]"

    def _part_started(self, event: ev.PartStarted) -> None:
        if self._is_elsewhere(event.choice):
            return
        if self._summary is None:
            self._open[event.index] = self._items.begin(event.part, self._path(event.index))
            return
        self._open[event.index] = Open(event.part, NO_ITEM)
        if isinstance(event.part, TextPart):
            self._summary.append(event.part.text)
        else:
            self._log.dropped(self._path(event.index), "a compaction holds nothing but text")

    def _delta(self, event: _Delta) -> None:
        if self._is_elsewhere(event.choice):
            return
        text = event.fragment if isinstance(event, ev.ArgumentsDelta) else event.text
        if self._summary is None:
            self._items.fill(self._open[event.index], text)
        elif isinstance(event, ev.TextDelta):
            self._summary.append(text)

    def _state(self, event: ev.StateDelta) -> None:
        if not self._is_elsewhere(event.choice):
            self._open[event.index].state = event.state

    def _citation(self, event: ev.CitationAdded) -> None:
        if not self._is_elsewhere(event.choice):
            self._open[event.index].citations.append(event.citation)

    def _part_finished(self, event: ev.PartFinished) -> None:
        if self._is_elsewhere(event.choice):
            return
        told = self._open.pop(event.index)
        if event.extras:
            told.extras = event.extras
            report_foreign(event.extras, self._path(event.index), self._log)
        if self._summary is None:
            self._items.end(told, self._path(event.index))

    def _logprobs(self, event: ev.LogprobsAdded) -> None:
        if not self._is_elsewhere(event.choice) and self._summary is None:
            self._items.add_logprobs(event.value)

    def _heartbeat(self, _: ev.Heartbeat) -> None:
        self._sink.out.append(HEARTBEAT)

    def _opaque(self, event: ev.OpaqueEvent) -> None:
        """An event of our own protocol is told with its new number, unless it speaks of an item: those are numbered anew."""
        if event.origin != NAME:
            self._lose_once(event.kind, f"an event that only {event.origin} has")
        elif "output_index" in event.value:
            self._lose_once(event.kind, "an item's progress is told by the item")
        else:
            keys = ("type", "sequence_number")
            members = {key: value for key, value in event.value.items() if key not in keys}
            if members:
                self._sink.write(event.kind, members)
            else:
                self._sink.write_bare(event.kind)
