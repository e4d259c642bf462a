"""One item of a streamed answer: which parts it has opened, and what was told of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json, OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from anykey.protocols.openai_responses.content import decode_citation
from anykey.protocols.openai_responses.extras import kept, own
from anykey.protocols.openai_responses.output_items import (
    CUSTOM_CALL,
    FUNCTION_CALL,
    decode_call,
    decode_content_part,
    decode_item,
    message_marks,
)
from anykey.protocols.openai_responses.reasoning import SEPARATOR
from anykey.protocols.openai_responses.shapes import is_object, list_of, text_of


class _Told:
    """A part that is open: what was told of it so far."""

    __slots__ = ("annotations", "extras", "index", "logprobs", "open", "pieces", "refusal")

    def __init__(self, index: int, extras: Json, *, refusal: bool = False) -> None:
        self.index = index
        self.extras = extras
        self.refusal = refusal
        self.pieces: list[str] = []
        self.annotations = 0
        self.logprobs = False
        self.open = True


class ItemDecoder:
    """State of one item. ``emit`` takes the events, ``number`` gives a new part its number. ``is_call``: a call that the client
    must answer was told; ``refused``: a refusal was."""

    __slots__ = (
        "_call",
        "_contents",
        "_done",
        "_emit",
        "_log",
        "_marks",
        "_number",
        "_piece",
        "_thought",
        "_waiting",
        "is_call",
        "refused",
    )

    def __init__(self, emit: Callable[[ev.StreamEvent], None], number: Callable[[], int], log: LossLog) -> None:
        self._emit = emit
        self._number = number
        self._log = log
        self._done = False
        self._marks: Json = {}  # what the item says of itself
        self._contents: dict[int, _Told] = {}  # of a message, by content_index
        self._thought: _Told | None = None
        self._piece = 0  # which piece of the summary the thought is in
        self._call: _Told | None = None
        self._waiting: list[str] = []  # arguments of a call whose name is not known yet
        self.is_call = False
        self.refused = False

    def begin(self, item: Json) -> None:
        """``output_item.added``: a message's marks, a call's name, a thought's id. Anything else waits for its end."""
        match item.get("type"):
            case "message":
                self._marks = message_marks(item)
            case "reasoning":
                identity = text_of(item.get("id"))
                self._marks = {"id": identity} if identity else {}
            case kind if kind in (FUNCTION_CALL, CUSTOM_CALL) and self._call is None and item.get("name"):
                self._open_call(decode_call(item))
            case _:
                pass

    # --- messages -----------------------------------------------------------------------------------------------------

    def text(self, content_index: int, text: str, logprobs: list[Any] | None) -> None:
        told = self._contents.get(content_index)
        if told is None:
            told = self._open_content(content_index, TextPart("", extras=kept(self._marks)))
        if not told.open or told.refusal:
            self._log.dropped(f"content[{told.index}]", "it came after the text was whole")
            return
        told.pieces.append(text)
        self._emit(ev.TextDelta(told.index, text))
        if logprobs:
            told.logprobs = True
            self._emit(ev.LogprobsAdded({"content": logprobs}))

    def refusal(self, content_index: int, text: str) -> None:
        told = self._contents.get(content_index)
        if told is None:
            told = self._open_content(content_index, RefusalPart("", kept(self._marks)))
        if told.open and told.refusal:
            told.pieces.append(text)
            self._emit(ev.RefusalDelta(told.index, text))

    def begin_content(self, content_index: int, part: Json) -> None:
        """``content_part.added``. Ark's parts have no text yet; those of a reasoning item are told by their deltas."""
        if content_index in self._contents or part.get("type") not in ("output_text", "refusal"):
            return
        opened = decode_content_part(part, self._marks)
        if isinstance(opened, TextPart | RefusalPart):
            told = self._open_content(content_index, _emptied(opened))
            if opened.text:
                self.complete_text(content_index, opened.text, refusal=told.refusal)

    def annotate(self, content_index: int, annotation: Json) -> None:
        told = self._contents.get(content_index)
        if told is None:
            told = self._open_content(content_index, TextPart("", extras=kept(self._marks)))
        if told.open and not told.refusal:
            told.annotations += 1
            self._emit(ev.CitationAdded(told.index, decode_citation(annotation)))

    def complete_text(self, content_index: int, text: str, *, refusal: bool) -> None:
        """The whole text is known: tell what is missing of it."""
        told = self._contents.get(content_index)
        missing = self._missing(told, text)
        if missing and refusal:
            self.refusal(content_index, missing)
        elif missing:
            self.text(content_index, missing, None)

    def finish_content(self, content_index: int, part: Json) -> None:
        """``content_part.done``, or the part's entry in the item's end."""
        if part.get("type") not in ("output_text", "refusal", "text", None) or self._done:
            return
        self.begin_content(content_index, part)
        whole = decode_content_part(part, self._marks)
        if not isinstance(whole, TextPart | RefusalPart):
            return
        told = self._contents.get(content_index) or self._open_content(content_index, _emptied(whole))
        if not told.open:
            return
        self.complete_text(content_index, whole.text, refusal=told.refusal)
        for annotation in list_of(part.get("annotations"))[told.annotations :]:
            if is_object(annotation):
                self.annotate(content_index, annotation)
        logprobs = list_of(part.get("logprobs"))
        if logprobs and not told.logprobs:
            told.logprobs = True
            self._emit(ev.LogprobsAdded({"content": logprobs}))

    def _open_content(self, content_index: int, part: TextPart | RefusalPart) -> _Told:
        refusal = isinstance(part, RefusalPart)
        told = self._open(part, refusal=refusal)
        self._contents[content_index] = told
        self.refused |= refusal
        return told

    # --- thoughts -----------------------------------------------------------------------------------------------------

    def thought(self, piece: int, text: str) -> None:
        """A delta of the summary's piece ``piece``."""
        told = self._thought
        if told is None:
            told = self._thought = self._open(ReasoningPart("", extras=kept(self._marks)))
        elif piece != self._piece and told.pieces:
            text = SEPARATOR + text
        self._piece = piece
        if told.open:
            told.pieces.append(text)
            self._emit(ev.ReasoningDelta(told.index, text))

    def raw_thought(self, text: str) -> None:
        """A delta of what was thought itself, where the provider shows it."""
        self.thought(self._piece, text)

    def _finish_thought(self, whole: ReasoningPart) -> None:
        told = self._thought
        if told is None:
            self._whole(whole)
            return
        missing = self._missing(told, whole.text)
        if missing:
            self._emit(ev.ReasoningDelta(told.index, missing))
        if whole.state is not None:
            self._emit(ev.StateDelta(told.index, whole.state))
        self._close(told, own(whole.extras))

    # --- calls --------------------------------------------------------------------------------------------------------

    def fragment(self, text: str) -> None:
        """A piece of a call's arguments, or of a custom tool's input."""
        told = self._call
        if told is None:
            self._waiting.append(text)
        elif told.open:
            told.pieces.append(text)
            self._emit(ev.ArgumentsDelta(told.index, text))
        else:
            self._log.dropped(f"content[{told.index}].arguments", "it came after the call was whole")

    def complete_arguments(self, text: str) -> None:
        if self._call is not None:
            missing = self._missing(self._call, text)
            if missing:
                self.fragment(missing)

    def _open_call(self, call: ToolCallPart) -> _Told:
        told = self._call = self._open(msgspec.structs.replace(call, arguments=""), own(call.extras))
        self.is_call = True
        if call.arguments:
            self.fragment(call.arguments)
        for text in self._waiting:
            self.fragment(text)
        self._waiting.clear()
        return told

    def _finish_call(self, whole: ToolCallPart) -> None:
        if self._call is None:
            self._waiting.clear()  # the whole call says them
        told = self._call or self._open_call(whole)
        self.complete_arguments(whole.arguments)
        self._close(told, own(whole.extras))

    # --- ends ---------------------------------------------------------------------------------------------------------

    def finish(self, item: Json | None) -> None:
        """``output_item.done``; None at the end of an answer that never said it: what is open is closed as it is, also what a
        server with its indices in disorder opened after the item was done."""
        if item is not None and not self._done:
            self._finish_with(item)
        for told in (*self._contents.values(), self._thought, self._call):
            if told is not None and told.open:
                self._close(told, {})
        self._done = True

    def _finish_with(self, item: Json) -> None:
        if item.get("type") == "message":
            self._marks = self._marks or message_marks(item)
            contents = list_of(item.get("content"))
            for index, entry in enumerate(contents):
                if is_object(entry):
                    self._finish_entry(index, entry)
            if not contents and not self._contents:
                self._whole(TextPart("", extras=kept(self._marks)))
            late = message_marks(item)
            for told in self._contents.values():
                self._close(told, late)
            return
        for part in decode_item(item):
            if isinstance(part, ReasoningPart):
                self._finish_thought(part)
            elif isinstance(part, ToolCallPart) and part.kind in ("function", "custom"):
                self._finish_call(part)
            else:
                self._whole(part)

    def _finish_entry(self, index: int, entry: Json) -> None:
        part = decode_content_part(entry, self._marks)
        if isinstance(part, OpaquePart):
            self._whole(part)
        else:
            self.finish_content(index, entry)

    def _open(self, part: Part, extras: Json | None = None, *, refusal: bool = False) -> _Told:
        told = _Told(self._number(), self._marks if extras is None else extras, refusal=refusal)
        self._emit(ev.PartStarted(told.index, part))
        return told

    def _whole(self, part: Part) -> None:
        """A part without deltas."""
        self.is_call |= isinstance(part, ToolCallPart) and part.kind != "hosted"
        index = self._number()
        self._emit(ev.PartStarted(index, part))
        self._emit(ev.PartFinished(index))

    def _close(self, told: _Told, extras: Json) -> None:
        """End a part; ``extras`` are its keys as known now, of which only new ones are told."""
        if told.open:
            told.open = False
            late = {key: value for key, value in extras.items() if told.extras.get(key) != value and key != "id"}
            self._emit(ev.PartFinished(told.index, 0, kept(late)))

    def _missing(self, told: _Told | None, whole: str) -> str:
        """What of ``whole`` was not told yet. A whole that contradicts what was told is a Loss."""
        if told is None:
            return whole
        if not told.open:
            return ""
        so_far = "".join(told.pieces)
        if whole.startswith(so_far):
            return whole[len(so_far) :]
        self._log.approximated(f"content[{told.index}]", "the upstream's last word differs from what it streamed")
        return ""


def _emptied(part: TextPart | RefusalPart) -> TextPart | RefusalPart:
    if isinstance(part, TextPart):
        return msgspec.structs.replace(part, text="", citations=())
    return msgspec.structs.replace(part, text="")
