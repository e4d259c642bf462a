"""A streamed answer, neutral to wire: legal events in, chunks out; the last one holds the finish reasons and the usage.

There is no terminator, no comment and no event name: clients of this protocol stop at any of them, so that the only keep-alive
is a chunk that says nothing. It has a candidate all the same: google-genai forgets a turn in which a chunk had none. Calls,
media and sources are told when they are whole. The chunks of ordinary deltas are constant bytes around the text as JSON.
"""

from __future__ import annotations

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.assembly import merge_lists
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import (
    Citation,
    Json,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice
from anykey.conversation.usage import Usage
from anykey.protocols.gemini_generate.candidates_encoding import (
    ALONE,
    ON_THOUGHT,
    add_service_tier,
    encode_answer_part,
    end_of_candidate,
    head_of_answer,
    own_signature,
    shows_thoughts,
    signature_alone,
)
from anykey.protocols.gemini_generate.errors import encode_stream_failure
from anykey.protocols.gemini_generate.extras import NAME, drop_extras, write_extras
from anykey.protocols.gemini_generate.grounding import CitedText
from anykey.protocols.gemini_generate.parts_encoding import encode_text, encode_thought, sign
from anykey.protocols.gemini_generate.usage import encode_usage

HEARTBEAT = b'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}]}\r\n\r\n'
_END = b"\r\n\r\n"
_encode = msgspec.json.Encoder().encode


class _Text:
    """A text part on its way out: its pieces are kept, because sources count its bytes. ``opening``: keys for the first one."""

    __slots__ = ("citations", "opening", "pieces")

    def __init__(self, citations: list[Citation]) -> None:
        self.pieces: list[str] = []
        self.citations = citations
        self.opening: Json = {}


class _ChoiceState:
    """One choice on its way out: the constant bytes around its deltas, and what of it waits."""

    __slots__ = ("calls", "finished", "index", "logprobs", "signature", "states", "suffix", "texts")

    def __init__(self, index: int, head: bytes) -> None:
        self.index = index
        self.suffix = b'],"role":"model"},"index":%d}],' % index + head
        self.texts: dict[int, _Text] = {}  # by part
        self.calls: dict[int, tuple[ToolCallPart, list[str]]] = {}  # open ones, by part
        self.states: dict[int, OpaqueState | None] = {}  # of open reasoning parts
        self.signature: str | None = None  # waits for the part that will carry it
        self.logprobs: Json | None = None
        self.finished: ev.ChoiceFinished | None = None


_PREFIX = b'data: {"candidates":[{"content":{"parts":['


class StreamEncoder:
    """One answer's encoder for one client. ``losses``: what a stream of this protocol has no place for."""

    def __init__(self, request: GenerateRequest) -> None:
        self._model = request.model
        self._shows = shows_thoughts(request)
        self._log = LossLog("response")
        self.losses: list[Loss] = self._log.losses
        self._start: ev.Started | None = None
        self._head: Json = {}  # what every chunk repeats
        self._told = False  # a part has begun
        self._choices: dict[int, _ChoiceState] = {}
        self._usage: Usage | None = None
        self._over = False

    def heartbeat(self) -> bytes:
        """A chunk that says nothing: the only keep-alive that every Gemini client accepts."""
        return HEARTBEAT

    def feed(self, events: list[ev.StreamEvent]) -> bytes:
        """The chunks for ``events``; nothing after the end."""
        if len(events) == 1:
            return self._one(events[0])
        return b"".join([self._one(event) for event in events])

    def _one(self, event: ev.StreamEvent) -> bytes:
        if type(event) is ev.TextDelta:
            state = self._choices[event.choice]
            text = state.texts[event.index]
            text.pieces.append(event.text)
            if state.signature is None and not text.opening:
                return _PREFIX + b'{"text":' + _encode(event.text) + b"}" + state.suffix
            return self._open_text(state, text, event.text) if event.text else b""
        return b"" if self._over else self._rest(event)

    def _rest(self, event: ev.StreamEvent) -> bytes:
        match event:
            case ev.ReasoningDelta():
                return self._thought(self._choices[event.choice], event.text)
            case ev.ArgumentsDelta():
                self._choices[event.choice].calls[event.index][1].append(event.fragment)
            case ev.PartStarted():
                return self._start_part(event)
            case ev.PartFinished():
                return self._finish_part(event)
            case ev.StateDelta():
                self._choices[event.choice].states[event.index] = event.state
            case ev.CitationAdded():
                self._choices[event.choice].texts[event.index].citations.append(event.citation)
            case ev.RefusalDelta():
                state = self._choices[event.choice]
                state.texts[event.index].pieces.append(event.text)
                return self._part(state, encode_text(event.text))
            case _:
                return self._whole(event)
        return b""

    def _whole(self, event: ev.StreamEvent) -> bytes:
        """Events of an answer or a choice as a whole."""
        match event:
            case ev.Started():
                self._begin(event)
            case ev.UsageReported():
                self._usage = event.usage
            case ev.LogprobsAdded():
                state = self._state(event.choice)
                state.logprobs = state.logprobs or {}
                merge_lists(state.logprobs, event.value)
            case ev.ChoiceFinished():
                self._state(event.choice).finished = event
            case ev.Heartbeat():
                return HEARTBEAT
            case ev.OpaqueEvent():
                self._log.dropped(event.kind, f"an event of {event.origin} that generateContent does not have")
            case ev.Ended():
                self._over = True
                return self._end(event)
            case ev.Broke():
                self._over = True
                return encode_stream_failure(event.failure, "")
            case _:
                pass
        return b""

    def _begin(self, event: ev.Started) -> None:
        self._start = event
        self._usage = event.usage
        self._head = head_of_answer(event.id, event.model or self._model, event.created)

    def _state(self, choice: int) -> _ChoiceState:
        state = self._choices.get(choice)
        if state is None:
            state = self._choices[choice] = _ChoiceState(choice, _encode(self._head)[1:] + _END)
        return state

    # --- parts --------------------------------------------------------------------------------------------------------

    def _part(self, state: _ChoiceState, entry: Json) -> bytes:
        """A chunk with one part, which carries the signature that waits."""
        if state.signature is not None:
            sign(entry, state.signature)
            state.signature = None
        return self._bare(state, entry)

    def _bare(self, state: _ChoiceState, entry: Json) -> bytes:
        data = _encode(entry)
        if (
            b"\n" in data or b"\r" in data
        ):  # a call's arguments as the model laid them out; a line break would end the event
            data = msgspec.json.format(data, indent=-1)
        return _PREFIX + data + state.suffix

    def _thought(self, state: _ChoiceState, text: str) -> bytes:
        return self._bare(state, encode_thought(text)) if self._shows and text else b""

    def _start_part(self, event: ev.PartStarted) -> bytes:
        state, part = self._state(event.choice), event.part
        self._told = True
        path = f"choices[{event.choice}].content[{event.index}]"
        match part:
            case TextPart() | RefusalPart():
                return self._start_text(part, event.index, state, path)
            case ReasoningPart():
                return self._start_reasoning(part, event.index, state, path)
            case ToolCallPart():
                state.calls[event.index] = part, []
                return b""
            case _:
                return self._whole_part(part, state, path)

    def _start_text(self, part: TextPart | RefusalPart, index: int, state: _ChoiceState, path: str) -> bytes:
        text = state.texts[index] = _Text(list(part.citations) if isinstance(part, TextPart) else [])
        write_extras(text.opening, part.extras, path, self._log)
        if not part.text:
            return b""
        text.pieces.append(part.text)
        return self._open_text(state, text, part.text)

    def _open_text(self, state: _ChoiceState, text: _Text, piece: str) -> bytes:
        """The first piece of a text, with all that stands beside it."""
        entry = {**encode_text(piece), **text.opening}
        text.opening = {}
        return self._part(state, entry)

    def _start_reasoning(self, part: ReasoningPart, index: int, state: _ChoiceState, path: str) -> bytes:
        out = self._flush(state)
        state.states[index] = part.state
        if not self._shows:
            return out
        entry = encode_thought(part.text)
        write_extras(entry, part.extras, path, self._log)
        return out if entry == encode_thought("") else out + self._bare(state, entry)

    def _whole_part(self, part: Part, state: _ChoiceState, path: str) -> bytes:
        entry = encode_answer_part(part, path, self._log)
        if entry is None:
            return b""
        return self._bare(state, entry) if isinstance(part, OpaquePart) else self._part(state, entry)

    def _finish_part(self, event: ev.PartFinished) -> bytes:
        state = self._choices[event.choice]
        path = f"choices[{event.choice}].content[{event.index}]"
        if event.extras:
            drop_extras(event.extras, path, self._log)
        if event.index in state.states:
            return self._finish_reasoning(state, state.states.pop(event.index), path)
        if event.index not in state.calls:
            text = state.texts.get(event.index)
            return self._open_text(state, text, "") if text is not None and text.opening else b""
        call, fragments = state.calls.pop(event.index)
        whole = msgspec.structs.replace(call, arguments=call.arguments + "".join(fragments))
        return self._whole_part(whole, state, path)

    def _finish_reasoning(self, state: _ChoiceState, found: OpaqueState | None, path: str) -> bytes:
        """The state of a thought waits for the part it led to, unless its maker had put it alone."""
        signature = own_signature(found, path, self._log)
        if signature is None:
            return b""
        out = self._flush(state)
        place = found.place if found else ""
        if place == ALONE:
            return out + self._bare(state, signature_alone(signature))
        if place == ON_THOUGHT and self._shows:
            return out + self._bare(state, sign(encode_thought(""), signature))
        state.signature = signature
        return out

    def _flush(self, state: _ChoiceState) -> bytes:
        """A chunk for the signature that waits, if there is one."""
        return self._part(state, encode_text("")) if state.signature is not None else b""

    # --- ends ---------------------------------------------------------------------------------------------------------

    def _end(self, event: ev.Ended) -> bytes:
        """The last chunk."""
        start = self._start or ev.Started("", self._model)
        chunk: Json = {}
        is_blocked = "promptFeedback" in start.extras.get(NAME, {}) and not self._told
        if not is_blocked:
            chunk["candidates"] = [self._last_entry(state) for state in self._choices.values()]
        usage: Json = encode_usage(self._usage, self._log) if self._usage is not None else {}
        add_service_tier(usage, start.service_tier, self._log)
        if usage:
            chunk["usageMetadata"] = usage
        chunk.update(self._head)
        for extras in (start.extras, event.extras):
            if extras:
                write_extras(chunk, extras, "", self._log)
        return b"data: " + _encode(chunk) + _END

    def _last_entry(self, state: _ChoiceState) -> Json:
        """A candidate's end: its signature if no part carried it, its finish reason, sources and log probabilities."""
        last = encode_text("")
        if state.signature is not None:
            sign(last, state.signature)
        finish, extras = (state.finished.finish, state.finished.extras) if state.finished else (None, {})
        choice = Choice((), finish, state.index, state.logprobs, extras)
        texts = [CitedText("".join(text.pieces), text.citations) for text in state.texts.values()]
        entry: Json = {"content": {"parts": [last], "role": "model"}}
        entry.update(end_of_candidate(choice, texts, f"choices[{state.index}]", self._log))
        return entry
