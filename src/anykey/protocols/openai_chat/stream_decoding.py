"""A streamed answer, wire to neutral: server-sent chunks in, legal events out, whatever the cut.

Padding that servers add to hide token lengths (``obfuscation``, ``p``) and a cumulative ``message`` beside ``delta`` are left
out without a Loss. The answer is complete at ``[DONE]``, or at a clean end after every choice has a finish reason.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import Json
from anykey.conversation.usage import Usage
from anykey.protocols.openai_chat.choice_decoding import ChoiceDecoder
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.errors import failure_in_answer
from anykey.protocols.openai_chat.extras import kept
from anykey.protocols.openai_chat.parsed import is_object, objects_of
from anykey.protocols.openai_chat.usage import decode_usage, find_usage
from anykey.protocols.sse import EventTooLarge, SseParser

_KNOWN = frozenset({"id", "object", "created", "model", "choices", "usage", "service_tier", "obfuscation", "p"})
_PLAIN_DELTA = frozenset({"content", "role"})
_PLAIN_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs"})
_DONE = b"[DONE]"
_decode = msgspec.json.Decoder().decode
CUT_SHORT = "The upstream ended the stream before the answer was complete."


class ChatStreamDecoder:
    """One answer's decoder: ``feed`` what comes, ``close`` when the upstream closed. It never raises. ``losses``: what had no
    place in the neutral stream."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._log = LossLog("response")
        self.losses: list[Loss] = self._log.losses
        self._sse = SseParser()
        self._events: list[ev.StreamEvent] = []
        self._choices: dict[int, ChoiceDecoder] = {}
        self._started = False
        self._over = False
        self._head: Json = {}  # what the chunks before the first choice said
        self._usage: Any = None
        self._plain: frozenset[str] = _KNOWN  # top-level keys of a chunk that says nothing new
        self._said: Json = {}  # extras already told by Started
        self._late: Json = {}

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
        """``Ended`` if the answer was complete, else ``Broke``; the last event may lack its blank line."""
        if self._over:
            return []
        if self._sse.pending():
            tail = self._sse.feed(b"\n\n")
            if not (self._complete() and any(_is_cut(record.data) for record in tail)):
                for name, payload in tail:
                    self._read(name, payload)
        if not self._over:
            if self._complete():
                self._end()
            else:
                self._break(Failure("upstream_error", CUT_SHORT))
        return self._take()

    def _take(self) -> list[ev.StreamEvent]:
        events = self._events.copy()
        self._events.clear()  # the same list for ever: the choices hold its append
        return events

    def _complete(self) -> bool:
        return bool(self._choices) and all(choice.finished for choice in self._choices.values())

    def _read(self, name: bytes, payload: bytes) -> None:
        if payload == _DONE:
            self._done()
            return
        try:
            chunk = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._break(Failure("upstream_error", "The upstream's stream holds an event that is not JSON."))
            return
        if not self._started or not self._read_plain(chunk):
            self._read_chunk(name, chunk)

    def _read_plain(self, chunk: Any) -> bool:
        """The common case: one choice with nothing but a piece of text. False if the chunk is any other."""
        try:
            (choice,) = chunk["choices"]
            delta = choice["delta"]
            text = delta["content"]
            state = self._choices[choice["index"]]
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        if type(text) is not str or not text or chunk.get("usage") or not (chunk.keys() <= self._plain):
            return False
        if choice.get("finish_reason") or choice.get("logprobs") or not (choice.keys() <= _PLAIN_CHOICE):
            return False
        if not (delta.keys() <= _PLAIN_DELTA) or not state.in_text:
            return False
        state.text_length += len(text)
        self._events.append(ev.TextDelta(state.open_index, text, state.choice))
        return True

    def _read_chunk(self, name: bytes, chunk: Any) -> None:
        failure = failure_in_answer(chunk)
        if failure is None and name == b"error":
            failure = Failure("upstream_error", "The upstream reported an error in the stream.")
        if failure is not None:
            self._break(failure, told=True)
            return
        if not is_object(chunk):
            self._break(Failure("upstream_error", "The upstream's stream holds an event that is no chunk."))
            return
        usage: Any = find_usage(chunk)
        if "choices" not in chunk and not usage:
            self._events.append(ev.Heartbeat())
            return
        choices = objects_of(chunk.get("choices"))
        self._read_head(chunk)
        if choices and not self._started:
            self._start()
        for position, entry in enumerate(choices):
            self._choice(entry, position).read(entry)
        if usage and usage != self._usage:
            self._usage = usage
            found = self._decode_usage()
            if found is not None and self._started:
                self._events.append(ev.UsageReported(found))

    def _decode_usage(self) -> Usage | None:
        return decode_usage(self._usage, self._dialect)

    def _read_head(self, chunk: Json) -> None:
        """Keys that belong to the whole answer: told by Started, or at the end if they come later."""
        target = self._late if self._started else self._head
        for key, value in chunk.items():
            if value is None or key in ("choices", "usage", "object", "obfuscation", "p"):
                continue
            if not self._started:
                if value != "" or key not in target:
                    target[key] = value
            elif key not in _KNOWN and self._said.get(key) != value:
                target[key] = value

    def _start(self) -> None:
        head = self._head
        created, tier = head.pop("created", None), head.pop("service_tier", None)
        identity, model = head.pop("id", ""), head.pop("model", "")
        self._started = True
        self._said = head
        self._plain = _KNOWN | {key for key, value in head.items() if isinstance(value, str)}
        self._events.append(
            ev.Started(
                id=identity if isinstance(identity, str) else "",
                model=model if isinstance(model, str) else "",
                created=int(created) if isinstance(created, int | float) else None,
                usage=self._decode_usage() if self._usage else None,
                service_tier=tier if isinstance(tier, str) else None,
                extras=kept(dict(head)),
            )
        )

    def _choice(self, entry: Json, position: int) -> ChoiceDecoder:
        index: Any = entry.get("index")
        number = index if isinstance(index, int) else position
        state = self._choices.get(number)
        if state is None:
            state = self._choices[number] = ChoiceDecoder(number, self._events.append, self._log)
        return state

    def _done(self) -> None:
        """``[DONE]``. A choice without a finish reason is finished by it, unless a call of it is cut."""
        for state in self._choices.values():
            if not state.finished:
                state.finish_unsaid()
        if self._complete():
            self._end()
        else:
            self._break(Failure("upstream_error", CUT_SHORT))

    def _end(self) -> None:
        self._over = True
        self._events.append(ev.Ended(kept(self._late)))

    def _break(self, failure: Failure, *, told: bool = False) -> None:
        self._over = True
        self._events.append(ev.Broke(failure, told))


def _is_cut(payload: bytes) -> bool:
    """The last event before the end is not whole."""
    if payload == _DONE:
        return False
    try:
        _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False
