"""One choice of a streamed answer: which of its parts is open, and what each delta does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Json,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallKind,
    ToolCallPart,
)
from anykey.conversation.response import Finish
from anykey.protocols.openai_chat.citations import decode_citation, shifted
from anykey.protocols.openai_chat.content import decode_part, thinking_text
from anykey.protocols.openai_chat.extras import NAME, kept, synthetic_id
from anykey.protocols.openai_chat.open_call import OpenCall
from anykey.protocols.openai_chat.parsed import is_object, list_of, objects_of, text_of
from anykey.protocols.openai_chat.reasoning import SIGNED_FORMATS, decode_detail
from anykey.protocols.openai_chat.response import finish_of
from anykey.protocols.openai_chat.sealed import KEY as SEALED
from anykey.protocols.openai_chat.sealed import sealed_state
from anykey.protocols.openai_chat.signatures import read_signed
from anykey.protocols.openai_chat.tools import argument_text

_READ_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs", "message"})
_READ_DELTA = frozenset(
    {"role", "content", "reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls", "function_call"}
    | {"annotations", "audio", "images", SEALED}
)
_LEGACY = "function_call"


class ChoiceDecoder:
    """State of one choice. ``emit`` takes the events; ``in_text``: a text part is open, at ``open_index``."""

    __slots__ = (
        "_by_key",
        "_calls",
        "_detail_key",
        "_detail_late",
        "_detail_signed",
        "_extras",
        "_last",
        "_log",
        "_message",
        "_next",
        "_open_kind",
        "_refused",
        "_stated",
        "_text_start",
        "choice",
        "emit",
        "finished",
        "in_text",
        "open_index",
        "text_length",
    )

    def __init__(self, choice: int, emit: Callable[[ev.StreamEvent], None], log: LossLog) -> None:
        self.choice = choice
        self.emit = emit
        self.finished = False
        self.in_text = False
        self.open_index = -1
        self._open_kind: type[Part] | None = None
        self._next = 0
        self.text_length = 0  # characters told
        self._text_start = 0  # how many of them before the open text
        self._calls: list[OpenCall] = []
        self._by_key: dict[object, OpenCall] = {}  # by index, by id
        self._last: OpenCall | None = None
        self._detail_key: object = None  # which reasoning_details entry the open reasoning part is
        self._detail_late: Json = {}  # keys of that entry that its signature would say
        self._detail_signed = False  # the open part has its state: another one is of another part
        self._stated: list[Part] = []  # the parts whose state was told
        self._refused = False
        self._extras: Json = {}
        self._message: Json = {}
        self._log = log

    def read(self, entry: Json) -> None:
        """One entry of ``choices``."""
        delta: Any = entry.get("delta")
        if is_object(delta):
            self._read_delta(delta)
        logprobs: Any = entry.get("logprobs")
        if is_object(logprobs) and any(logprobs.values()):
            self.emit(ev.LogprobsAdded(logprobs, self.choice))
        if entry.keys() - _READ_CHOICE:
            self._keep_rest(entry)
        word: Any = entry.get("finish_reason")
        if isinstance(word, str) and word and not self.finished:
            self._finish(word)

    def finish_unsaid(self) -> None:
        """The stream says that it is done without a finish reason: believe it, unless a call is cut."""
        calls = [call for call in self._calls if call.open]
        if all(not call.arguments or call.kind == "custom" or call.is_whole() for call in calls):
            self._finish(None)

    def _keep_rest(self, entry: Json) -> None:
        for key, value in entry.items():
            if key in _READ_CHOICE or value is None:
                continue
            if not self.finished:
                self._extras[key] = value
            elif self._extras.get(key) != value:
                self._log.dropped(f"choices[{self.choice}].{key}", "it came after the choice was finished")

    def _read_delta(self, delta: Json) -> None:
        if self.finished:
            if any(value for key, value in delta.items() if key != "role"):
                self._log.dropped(f"choices[{self.choice}].delta", "it came after the choice was finished")
            return
        self._read_reasoning(delta)
        content: Any = delta.get("content")
        if content:
            self._read_content(content)
        refusal: Any = delta.get("refusal")
        if refusal and isinstance(refusal, str):
            self._refused = True
            self._ensure(RefusalPart, RefusalPart(""))
            self.emit(ev.RefusalDelta(self.open_index, refusal, self.choice))
        if delta.keys() - _PLAIN:
            self._read_rare(delta)
        if delta.get("tool_calls"):
            for call in objects_of(delta["tool_calls"]):
                self._read_call(call)

    def _read_rare(self, delta: Json) -> None:
        legacy: Any = delta.get(_LEGACY)
        if is_object(legacy) and any(legacy.values()):  # some servers send every field, empty
            call = self._by_key.get(_LEGACY) or self._new_call("legacy_function")
            self._by_key[_LEGACY] = call
            self._add_to_call(call, legacy, "arguments")
        for entry in objects_of(delta.get("annotations")):
            self._ensure(TextPart, TextPart(""))
            self.emit(ev.CitationAdded(self.open_index, shifted(decode_citation(entry), self._text_start), self.choice))
        audio: Any = delta.get("audio")
        if audio and is_object(audio):
            self.emit(ev.OpaqueEvent(NAME, "audio", {"choice": self.choice, "audio": audio}))
        for image in list_of(delta.get("images")):
            self._whole(image)
        for key, value in delta.items():
            if key not in _READ_DELTA and value is not None:
                self._message[key] = value

    # --- text and reasoning -------------------------------------------------------------------------------------------

    def _read_content(self, content: Any) -> None:
        if isinstance(content, str):
            self._ensure(TextPart, TextPart(""))
            self.text_length += len(content)
            self.emit(ev.TextDelta(self.open_index, content, self.choice))
            return
        for entry in objects_of(content):
            kind: Any = entry.get("type")
            if kind == "text":
                text: Any = entry.get("text")
                if text:
                    self._read_content(str(text))
            elif kind == "thinking":
                self._read_thought(thinking_text(entry.get("thinking")))
            else:
                self._whole(entry)

    def _read_reasoning(self, delta: Json) -> None:
        has_text = False
        if delta.get("reasoning_details"):
            for entry in objects_of(delta["reasoning_details"]):
                has_text = self._read_detail(entry) or has_text
        text = delta.get("reasoning_content") or delta.get("reasoning")
        if not has_text and text and isinstance(text, str):
            self._read_thought(text)
        sealed = delta.get(SEALED)
        if sealed and isinstance(sealed, str):
            self._read_sealed(sealed)

    def _read_sealed(self, data: str) -> None:
        """The thought itself, after the text that sums it up."""
        if self._open_kind is ReasoningPart:
            self.emit(ev.StateDelta(self.open_index, sealed_state(data), self.choice))
        else:
            self._emit_whole(ReasoningPart("", sealed_state(data), redacted=True))

    def _read_thought(self, text: str) -> None:
        if text:
            self._ensure(ReasoningPart, ReasoningPart(""))
            self.emit(ev.ReasoningDelta(self.open_index, text, self.choice))

    def _read_detail(self, entry: Json) -> bool:
        """One entry of ``reasoning_details``; True if it brought readable text."""
        try:
            part = decode_detail(entry, "reasoning_details")
        except FailureError:
            self._log.dropped(f"choices[{self.choice}].delta.reasoning_details", "the entry cannot be read")
            return False
        if not isinstance(part, ReasoningPart) or part.redacted:
            self._emit_whole(part)
            self._stated.append(part)
            return False
        key = (entry.get("type"), entry.get("index"))
        bare_state = part.state is not None and not part.text
        is_open = self._open_kind is ReasoningPart
        if not (is_open and ((bare_state and not self._detail_signed) or self._detail_key in (key, None))):
            self._close_open()
            self._open_detail(part)
        self._detail_key = key
        if part.text:
            self.emit(ev.ReasoningDelta(self.open_index, part.text, self.choice))
        if part.state is not None:
            self._detail_late = {}
            self._detail_signed = True
            self._stated.append(part)
            self.emit(ev.StateDelta(self.open_index, part.state, self.choice))
        return bool(part.text)

    def _open_detail(self, part: ReasoningPart) -> None:
        """Begin the part of an entry. A format that signs its text is told by the signature, which comes at the end; where
        none comes, the end of the part tells it."""
        own = part.extras.get(NAME, {})
        late = {"format": own["format"]} if own.get("format") in SIGNED_FORMATS else {}
        extras = kept({key: value for key, value in own.items() if key not in late})
        self._ensure(ReasoningPart, msgspec.structs.replace(part, text="", state=None, extras=extras))
        self._detail_late = late

    def _ensure(self, kind: type[Part], empty: Part) -> None:
        """Have a part of ``kind`` open, ``empty`` when it must begin."""
        if self._open_kind is kind:
            return
        self._close_open()
        self._open_kind = kind
        self.in_text = kind is TextPart
        self._text_start = self.text_length
        self.open_index = self._begin(empty)

    def _close_open(self) -> None:
        if self._open_kind is not None:
            self.emit(ev.PartFinished(self.open_index, self.choice, kept(self._detail_late)))
            self._open_kind = None
            self._detail_key = None
            self._detail_late = {}
            self._detail_signed = False
            self.in_text = False

    def _begin(self, part: Part) -> int:
        index = self._next
        self._next += 1
        self.emit(ev.PartStarted(index, part, self.choice))
        return index

    def _whole(self, entry: Any) -> None:
        try:
            part = decode_part(entry, "content")
        except FailureError:
            self._log.dropped(f"choices[{self.choice}].delta.content", "the entry cannot be read")
            return
        self._emit_whole(part)

    def _emit_whole(self, part: Part) -> None:
        self._close_open()
        self.emit(ev.PartFinished(self._begin(part), self.choice))

    # --- calls --------------------------------------------------------------------------------------------------------

    def _read_call(self, entry: Json) -> None:
        kind: Any = entry.get("type") or "function"
        if kind not in ("function", "custom"):
            self._emit_whole(OpaquePart(NAME, f"tool_calls.{kind}", entry))
            return
        call = self._find_call(entry, "custom" if kind == "custom" or "custom" in entry else "function")
        for key, value in entry.items():
            if value is not None and key not in ("index", "id", "type", "function", "custom"):
                (call.extras if call.index is None else call.late)[key] = value
        identity: Any = entry.get("id")
        if not call.id and isinstance(identity, str):
            call.id = identity
        inner: Any = entry.get("custom" if call.kind == "custom" else "function")
        self._add_to_call(call, inner if is_object(inner) else {}, "input" if call.kind == "custom" else "arguments")

    def _find_call(self, entry: Json, kind: ToolCallKind) -> OpenCall:
        """By index; by id where a server leaves the index out; a new id with a name under a known index is a new call."""
        index: Any = entry.get("index")
        identity = text_of(entry.get("id")) or None
        named = _is_named(entry)
        key: object = index if isinstance(index, int) else identity
        found = self._by_key.get(key) if key is not None else None if named else self._last
        if found is not None and named and identity and found.id and identity != found.id:
            found = self._by_key.get(identity)
        if found is None:
            found = self._new_call(kind)
        for name in (key, identity):
            if name is not None:
                self._by_key[name] = found
        self._last = found
        return found

    def _new_call(self, kind: ToolCallKind) -> OpenCall:
        """Another call begins: those whose arguments are complete are closed; servers may interleave the rest."""
        for call in self._calls:
            if call.open and call.is_whole():
                self._close_call(call)
        call = OpenCall(kind)
        self._calls.append(call)
        return call

    def _add_to_call(self, call: OpenCall, inner: Json, key: str) -> None:
        name: Any = inner.get("name")
        if not call.name and name and isinstance(name, str):
            call.name = name
        fragment = argument_text(inner.get(key))
        if call.index is None and call.name:
            self._open_call(call)
        if fragment:
            call.arguments.append(fragment)
            if call.index is not None:
                if call.open:
                    self.emit(ev.ArgumentsDelta(call.index, fragment, self.choice))
                else:
                    self._log.dropped(
                        f"choices[{self.choice}].tool_calls[{call.index}]", "it came after the call was whole"
                    )

    def _open_call(self, call: OpenCall) -> None:
        self._close_open()
        if not call.id:
            call.id = synthetic_id("call_", self.choice, self._next, call.name)
        *signature, begun = read_signed(
            ToolCallPart(call.id, call.name, "", call.kind, extras=kept(dict(call.extras))), self._stated
        )
        for part in signature:
            self._emit_whole(part)
        index = call.index = self._begin(begun)
        call.open = True
        for fragment in call.arguments:
            self.emit(ev.ArgumentsDelta(index, fragment, self.choice))

    def _close_call(self, call: OpenCall) -> None:
        if call.index is not None:
            call.open = False
            self.emit(ev.PartFinished(call.index, self.choice, kept(call.late)))

    def _finish(self, word: str | None) -> None:
        self._close_open()
        for call in self._calls:
            if call.open:
                self._close_call(call)
            elif call.index is None:
                self._log.dropped(f"choices[{self.choice}].tool_calls", "a call without a name")
        calls = any(call.index is not None for call in self._calls)
        finish = finish_of(word, calls=calls, refused=self._refused) or Finish("stop")
        extras = dict(self._extras)
        if self._message:
            extras["message"] = self._message
        self.finished = True
        self.emit(ev.ChoiceFinished(finish, self.choice, kept(extras)))


_PLAIN = frozenset({"role", "content", "reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls"})


def _is_named(entry: Json) -> bool:
    inner: Any = entry.get("function") or entry.get("custom")
    return is_object(inner) and bool(inner.get("name"))
