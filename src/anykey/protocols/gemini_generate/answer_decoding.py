"""An answer, chunk by chunk: each chunk has the shape of a whole answer with a part of its content, so that a whole answer is a
stream of one chunk.

Which chunk is the last is known at the end only: there is no terminator, and a server may write a finish reason more than once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.response import Finish
from anykey.protocols.gemini_generate.candidates_decoding import CandidateDecoder
from anykey.protocols.gemini_generate.errors import failure_in_answer
from anykey.protocols.gemini_generate.extras import kept
from anykey.protocols.gemini_generate.spelling import is_array, is_object
from anykey.protocols.gemini_generate.usage import decode_usage

_KNOWN = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "createTime"})
_PLAIN_CANDIDATE = frozenset({"content", "index"})
_PLAIN_CONTENT = frozenset({"parts", "role"})
_BEAT: Json = {"candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0}]}
"""What a gateway like this one writes while it waits."""
USAGE_EVERY = 16
"""Chunks between two reports of usage: an answer that breaks off is billed by the last one."""


class AnswerDecoder:
    """``read`` each chunk, ``end`` after the last; ``take`` the events. After ``Ended`` or ``Broke`` it is silent."""

    def __init__(self, log: LossLog, *, patient: bool = False) -> None:
        self._log = log
        self._patient = patient
        self._events: list[ev.StreamEvent] = []
        self._choices: dict[int, CandidateDecoder] = {}
        self._started = False
        self._blocked: Json | None = None
        self._usage: Any = None
        self._chunks = 0
        self._answer_id = ""
        self._said: Json = {}  # top-level extras already told by Started
        self._late: Json = {}
        self.over = False

    def take(self) -> list[ev.StreamEvent]:
        """The events since the last call."""
        events = self._events.copy()
        self._events.clear()  # the same list for ever: the candidates hold its append
        return events

    def read(self, chunk: Any) -> None:
        """One chunk, parsed."""
        if not self._started or not self._read_plain(chunk):
            self._read_chunk(chunk)

    def _read_plain(self, chunk: Any) -> bool:
        """The common case: one candidate with nothing but a piece of text for an open one. False if the chunk is any other."""
        try:
            (candidate,) = chunk["candidates"]
            content = candidate["content"]
            (part,) = content["parts"]
            text = part["text"]
            state = self._choices[candidate.get("index", 0)]
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        open_text = state.text
        if open_text is None or len(part) != 1 or type(text) is not str or not text:
            return False
        if not (chunk.keys() <= _KNOWN and candidate.keys() <= _PLAIN_CANDIDATE and content.keys() <= _PLAIN_CONTENT):
            return False
        open_text.pieces.append(text)
        self._events.append(ev.TextDelta(open_text.index, text, state.choice))
        self._count(chunk)
        return True

    def _read_chunk(self, chunk: Any) -> None:
        failure = failure_in_answer(chunk)
        if failure is not None or not is_object(chunk):
            unreadable = Failure("upstream_error", "The upstream's answer holds what is no part of one.")
            self.break_off(failure or unreadable, told=failure is not None)
            return
        candidates: Any = chunk.get("candidates")
        entries = [entry for entry in candidates if is_object(entry)] if is_array(candidates) else []
        feedback: Any = chunk.get("promptFeedback")
        if is_object(feedback) and feedback.get("blockReason"):
            self._blocked = feedback
        if self._started:
            self._note_late(chunk)
        elif chunk == _BEAT:  # nothing is known yet, so nothing has begun
            self._events.append(ev.Heartbeat())
            return
        elif entries or self._blocked is not None:
            self._start(chunk)
        else:
            self._events.append(ev.Heartbeat())
        for position, entry in enumerate(entries):
            self._candidate(entry, position).read(entry)
        self._count(chunk)

    def _count(self, chunk: Json) -> None:
        """Every chunk repeats the usage so far; the last one counts."""
        usage = chunk.get("usageMetadata")
        if usage:
            self._usage = usage
        self._chunks += 1
        if self._chunks % USAGE_EVERY == 0:
            self._report_usage()

    def _report_usage(self) -> None:
        usage = decode_usage(self._usage) if self._started else None
        if usage is not None:
            self._events.append(ev.UsageReported(usage))

    def _start(self, chunk: Json) -> None:
        identity, model = chunk.get("responseId"), chunk.get("modelVersion")
        self._answer_id = identity if isinstance(identity, str) else ""
        self._said = _rest(chunk)
        self._started = True
        self._events.append(
            ev.Started(
                id=self._answer_id,
                model=model if isinstance(model, str) else "",
                created=unix_seconds(chunk.get("createTime")),
                usage=decode_usage(chunk.get("usageMetadata")),
                extras=kept(self._said),
            )
        )

    def _note_late(self, chunk: Json) -> None:
        self._late.update((key, value) for key, value in _rest(chunk).items() if self._said.get(key) != value)

    def _candidate(self, entry: Json, position: int) -> CandidateDecoder:
        index: Any = entry.get("index")
        number = index if type(index) is int else position
        state = self._choices.get(number)
        if state is None:
            state = self._choices[number] = CandidateDecoder(
                number, self._answer_id, self._events.append, self._log, patient=self._patient
            )
        return state

    def has_answer(self) -> bool:
        """There is something to end: an answer has begun, or an error was told."""
        return self._started or self.over

    def complete(self) -> bool:
        """Nothing has to follow: every candidate has its finish reason, or the prompt was blocked."""
        if self._choices:
            return all(choice.complete for choice in self._choices.values())
        return self._blocked is not None

    def end(self) -> None:
        """The upstream has said everything."""
        if self.over:
            return
        failures = [choice.failure() for choice in self._choices.values()]
        if failures and all(failures):
            self.break_off(next(failure for failure in failures if failure))
            return
        for choice in self._choices.values():
            choice.finish()
        if not self._choices and self._blocked is not None:
            self._events.append(ev.ChoiceFinished(_blocked_finish(self._blocked)))
        self._report_usage()
        self._events.append(ev.Ended(kept(self._late)))
        self.over = True

    def break_off(self, failure: Failure, *, told: bool = False) -> None:
        """The answer is not complete and never will be."""
        if not self.over:
            self._report_usage()
            self._events.append(ev.Broke(failure, told))
            self.over = True


def _blocked_finish(feedback: Json) -> Finish:
    """A prompt that was blocked has no candidate: the answer is one that says nothing."""
    said: Any = feedback.get("blockReasonMessage")
    detail = {"explanation": said} if isinstance(said, str) and said else None
    return Finish("content_filter", str(feedback["blockReason"]), detail=detail)


def _rest(chunk: Json) -> Json:
    return {key: value for key, value in chunk.items() if key not in _KNOWN and value is not None}


def unix_seconds(value: Any) -> int | None:
    """``createTime`` (RFC 3339) as whole unix seconds."""
    try:
        return int(datetime.fromisoformat(value).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
