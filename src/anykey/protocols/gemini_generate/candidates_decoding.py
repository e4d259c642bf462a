"""One candidate of an answer, piece by piece: which of its parts is open, and what each wire part does to it.

A thought stays open until the next part, because the signature that is its state stands there. A text stays open until another
part begins, because its sources are told last. Where an answer comes whole (``patient``) texts stay open to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from anykey.protocols.gemini_generate.extras import NAME, kept, synthetic_id
from anykey.protocols.gemini_generate.finish import decode_finish, empty_failure, finish_word
from anykey.protocols.gemini_generate.grounding import CITATIONS, GROUNDING, decode_citations, shift
from anykey.protocols.gemini_generate.logprobs import decode_logprobs
from anykey.protocols.gemini_generate.partial_arguments import PartialArguments
from anykey.protocols.gemini_generate.parts_decoding import PartRead, read_part
from anykey.protocols.gemini_generate.spelling import camel, is_array, is_object

_READ = frozenset({"content", "index", "finishReason", "finishMessage", "logprobsResult"})


class OpenText:
    """A text part while it comes in. ``is_open``: its end was not told yet."""

    __slots__ = ("index", "is_open", "pieces")

    def __init__(self, index: int) -> None:
        self.index = index
        self.is_open = True
        self.pieces: list[str] = []


class CandidateDecoder:
    """``read`` what comes of one candidate, ``finish`` at the end. Events go to ``emit``."""

    __slots__ = (
        "_answer_id",
        "_call",
        "_called",
        "_ends",
        "_extras",
        "_log",
        "_message",
        "_next",
        "_open_text",
        "_patient",
        "_texts",
        "_thought",
        "_word",
        "choice",
        "emit",
        "text",
    )

    def __init__(
        self, choice: int, answer_id: str, emit: Callable[[ev.StreamEvent], None], log: LossLog, *, patient: bool
    ) -> None:
        self.choice = choice
        self.emit = emit
        self.text: OpenText | None = None  # the open text that goes on
        self._answer_id = answer_id
        self._log = log
        self._patient = patient
        self._next = 0
        self._texts: list[OpenText] = []
        self._open_text: OpenText | None = None  # also one that no more text may join
        self._thought: int | None = None
        self._call: tuple[int, PartialArguments] | None = None
        self._called = False
        self._ends: list[OpaqueState] = []  # signatures without a part, told when the next part or the end comes
        self._word: str | None = None
        self._message: Any = None
        self._extras: Json = {}

    @property
    def complete(self) -> bool:
        """A finish reason was heard."""
        return self._word is not None

    def read(self, entry: Json) -> None:
        """One chunk's entry of this candidate."""
        content: Any = entry.get("content")
        parts: Any = content.get("parts") if is_object(content) else None
        for value in parts if is_array(parts) else ():
            self._read_part(value)
        self._word = finish_word(entry.get("finishReason")) or self._word
        self._message = entry.get("finishMessage") or self._message
        logprobs = decode_logprobs(entry.get("logprobsResult"))
        if logprobs is not None:
            self.emit(ev.LogprobsAdded(logprobs, self.choice))
        for key, value in entry.items():
            if key not in _READ and value is not None and value != {}:
                self._extras[key] = value

    def failure(self) -> Failure | None:
        """What went wrong where the end is one of a fault and nothing was said before it."""
        return None if self._next else empty_failure(self._word, self._message)

    def finish(self) -> None:
        """The answer is complete."""
        self._end_call()
        self._cite()
        self._close_open()
        self._tell_ends()
        for text in self._texts:
            self._end_text(text)
        finish = decode_finish(self._word, self._message, called=self._called)
        self.emit(ev.ChoiceFinished(finish, self.choice, kept(self._extras)))

    # --- parts --------------------------------------------------------------------------------------------------------

    def _read_part(self, value: Any) -> None:
        path = f"choices[{self.choice}].parts[{self._next}]"
        try:
            wire = camel(value, path)
            call: Any = wire.get("functionCall")
            if call is not None:
                self._read_call(wire, camel(call, path), path)
            else:
                self._add(wire, read_part(wire, path))
        except FailureError as error:  # the reader takes a wrong type for the caller's fault
            self._log.dropped(path, f"unreadable: {error.failure.message}")

    def _add(self, wire: Json, read: PartRead) -> None:
        part, signature = read
        if type(part) is TextPart:
            self._add_text(part, signature)
        elif type(part) is ReasoningPart:
            self._add_thought(part, signature)
        elif type(part) is MediaPart and wire.get("thought"):
            self._tell(OpaquePart(NAME, "inlineData", wire))  # a draft is no part of the answer
        else:
            self._sign(signature, "media")
            self._tell(part)

    def _add_text(self, part: TextPart, signature: str | None) -> None:
        if signature is None and not part.extras:
            if part.text:
                if self.text is None:
                    self._begin_text(part)
                self._tell_text(part.text)
        elif signature is not None and not part.text and not part.extras:
            self._ends.append(OpaqueState(NAME, signature, "end"))
            self.text = None
        else:
            self._sign(signature, "text")
            self._begin_text(part)
            self._tell_text(part.text)
            self.text = None

    def _tell_text(self, text: str) -> None:
        if self.text is not None and text:
            self.text.pieces.append(text)
            self.emit(ev.TextDelta(self.text.index, text, self.choice))

    def _begin_text(self, part: TextPart) -> None:
        index = self._begin(msgspec.structs.replace(part, text=""))
        self.text = self._open_text = OpenText(index)
        self._texts.append(self.text)

    def _add_thought(self, part: ReasoningPart, signature: str | None) -> None:
        if not part.text and signature is None:
            return
        if self._thought is None or part.extras or self._ends:
            self._thought = self._begin(ReasoningPart("", extras=part.extras))
        if part.text:
            self.emit(ev.ReasoningDelta(self._thought, part.text, self.choice))
        if signature is not None:
            self.emit(ev.StateDelta(self._thought, OpaqueState(NAME, signature, "thought"), self.choice))
            self._close_open()

    def _sign(self, signature: str | None, place: str) -> None:
        """``signature`` of the part that begins now is the state of the open thought, else of one that nobody may read."""
        if signature is None:
            return
        state = OpaqueState(NAME, signature, place)
        if self._thought is not None and not self._ends:
            self.emit(ev.StateDelta(self._thought, state, self.choice))
            self._close_open()
        else:
            self._tell(ReasoningPart("", state, redacted=True))

    def _tell(self, part: Part) -> None:
        self.emit(ev.PartFinished(self._begin(part), self.choice))

    # --- calls --------------------------------------------------------------------------------------------------------

    def _read_call(self, wire: Json, call: Json, path: str) -> None:
        """A ``functionCall`` part, whole or a piece of one."""
        if call.get("name"):
            self._begin_call(wire, call, path)
        elif self._call is None:
            self._log.dropped(path, "a call without a name")
        if self._call is not None:
            self._call[1].feed(call.get("partialArgs"))
            if not call.get("willContinue"):
                self._end_call()

    def _begin_call(self, wire: Json, call: Json, path: str) -> None:
        """A call begins; its arguments are told now unless they come in pieces."""
        inner = {key: item for key, item in call.items() if key not in ("partialArgs", "willContinue")}
        part, signature = read_part({**wire, "functionCall": inner}, path)
        if not isinstance(part, ToolCallPart):
            return
        self._end_call()
        self._called = True
        self._sign(signature, "call")
        if not part.id:
            seeds = (self._answer_id, self.choice, self._next + len(self._ends), part.name)
            part = msgspec.structs.replace(part, id=synthetic_id(*seeds))
        index = self._begin(msgspec.structs.replace(part, arguments=""))
        if call.get("willContinue") or "partialArgs" in call:
            self._call = index, PartialArguments()
            return
        if part.arguments:
            self.emit(ev.ArgumentsDelta(index, part.arguments, self.choice))
        self.emit(ev.PartFinished(index, self.choice))

    def _end_call(self) -> None:
        """Tell the arguments of a call that came in pieces."""
        if self._call is None:
            return
        index, pieces = self._call
        self._call = None
        arguments = pieces.text()
        if arguments:
            self.emit(ev.ArgumentsDelta(index, arguments, self.choice))
        if not pieces.exact:
            self._log.approximated(f"choices[{self.choice}].parts[{index}].arguments", "a piece of them has no place")
        self.emit(ev.PartFinished(index, self.choice))

    # --- begin and end ------------------------------------------------------------------------------------------------

    def _begin(self, part: Part) -> int:
        """Open ``part`` after all that came before it; its index."""
        self._end_call()
        self._close_open()
        self._tell_ends()
        return self._start(part)

    def _start(self, part: Part) -> int:
        index = self._next
        self._next += 1
        self.emit(ev.PartStarted(index, part, self.choice))
        return index

    def _tell_ends(self) -> None:
        ends, self._ends = self._ends, []
        for state in ends:
            self.emit(ev.PartFinished(self._start(ReasoningPart("", state, redacted=True)), self.choice))

    def _close_open(self) -> None:
        if self._thought is not None:
            self.emit(ev.PartFinished(self._thought, self.choice))
            self._thought = None
        if self._open_text is not None:
            if not self._patient:
                self._end_text(self._open_text)
            self._open_text = self.text = None

    def _end_text(self, text: OpenText) -> None:
        if text.is_open:
            text.is_open = False
            self.emit(ev.PartFinished(text.index, self.choice))

    # --- sources ------------------------------------------------------------------------------------------------------

    def _cite(self) -> None:
        """Give each text that is still open its sources; those of a text that a stream has left are a Loss."""
        grounding, cited = self._extras.get(GROUNDING), self._extras.get(CITATIONS)
        if grounding is None and cited is None:
            return
        joined = ["".join(text.pieces) for text in self._texts]
        citations = decode_citations(grounding, cited, "".join(joined))
        base = 0
        for text, whole in zip(self._texts, joined, strict=True):
            is_last = text is self._texts[-1]
            for citation in citations:
                shifted = shift(citation, base, len(whole)) if citation.start is not None or is_last else None
                if shifted is not None and text.is_open:
                    self.emit(ev.CitationAdded(text.index, shifted, self.choice))
                elif shifted is not None:
                    path = f"choices[{self.choice}].parts[{text.index}].citations"
                    self._log.dropped(path, "told after another part had begun")
            base += len(whole)
        if citations and not self._texts:
            self._log.dropped(f"choices[{self.choice}].citations", "there is no text that they could stand on")
