"""Stop sequences that an upstream could not be sent, kept by the gateway: the text of each choice ends before the first of them.

Responses has no stop sequences, Chat takes four, Gemini five, Messages no blank ones. An encoder that leaves some out says so
with a Loss ``emulated`` at ``stop`` (all of them) or ``stop[i]``; ``unsent`` reads the losses back. That way no codec
has to promise a number, and a dialect may take fewer than its protocol.

The law: whatever the cut of the fragments, the first sequence that is complete decides (of two that are complete with the same
letter the longer), the text before it is told, and nothing after it but usage and the end. A sequence counts only within one
text part; reasoning, refusals and arguments are not looked at. What may still become a sequence is held back: at most its
length less one. Log probabilities are passed on as they come, so they may run ahead of held text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss
from anykey.conversation.parts import Citation, Part, TextPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.protocols.codec import StreamDecoder

_PLACE = re.compile(r"stop(?:\[(\d+)\])?")


def unsent(request: GenerateRequest, losses: Iterable[Loss]) -> tuple[str, ...]:
    """The stop sequences of ``request`` that its encoder, by its ``losses``, left to the gateway. Empty ones stop nothing."""
    left: dict[str, None] = {}
    for loss in losses if request.stop else ():
        place = _PLACE.fullmatch(loss.path) if loss.kind == "emulated" else None
        if place is not None:
            found = request.stop if place[1] is None else request.stop[int(place[1]) : int(place[1]) + 1]
            left.update(dict.fromkeys(filter(None, found)))
    return tuple(left)


def stop_whole(answer: GenerateResponse, stops: tuple[str, ...]) -> GenerateResponse:
    """``answer`` with every choice ended before the first of ``stops`` in its text."""
    if not stops:
        return answer
    choices = tuple(_stop_choice(choice, stops) for choice in answer.choices)
    return msgspec.structs.replace(answer, choices=choices)


def stop_stream(decoder: StreamDecoder, stops: tuple[str, ...], choice_count: int = 1) -> StreamDecoder:
    """``decoder``, whose choices end before the first of ``stops``. ``choice_count`` is how many choices its upstream was asked
    for: once all are ended, it does not matter how the upstream's stream ends."""
    return _StopDecoder(decoder, stops, choice_count) if stops else decoder


def _first(text: str, stops: tuple[str, ...]) -> tuple[int, str] | None:
    """Where the first complete stop sequence begins, and which it is."""
    found = [(at + len(stop), at, stop) for stop in stops if (at := text.find(stop)) >= 0]
    if not found:
        return None
    _, at, stop = min(found)
    return at, stop


def _held(text: str, stops: tuple[str, ...]) -> int:
    """How many letters at the end of ``text`` may be the beginning of a stop sequence."""
    longest = max(map(len, stops)) - 1
    for length in range(min(longest, len(text)), 0, -1):
        if any(stop.startswith(text[-length:]) for stop in stops):
            return length
    return 0


def _stop_choice(choice: Choice, stops: tuple[str, ...]) -> Choice:
    kept: list[Part] = []
    for part in choice.parts:
        found = _first(part.text, stops) if isinstance(part, TextPart) else None
        if isinstance(part, TextPart) and found is not None:
            at, stop = found
            citations = tuple(citation for citation in part.citations if _before(citation, at))
            kept.append(msgspec.structs.replace(part, text=part.text[:at], citations=citations))
            return msgspec.structs.replace(choice, parts=tuple(kept), finish=_finish(stop))
        kept.append(part)
    return choice


def _before(citation: Citation, at: int) -> bool:
    return citation.end is None or citation.end <= at


def _finish(stop: str) -> Finish:
    return Finish("stop_sequence", stop_sequence=stop)


class _ChoiceState:
    """What is open in one choice: parts by index, and the held text of each open text part."""

    __slots__ = ("held", "open", "over")

    def __init__(self) -> None:
        self.open: list[int] = []
        self.held: dict[int, str] = {}
        self.over = False


class _StopDecoder:
    """A decoder whose texts are cut. ``losses`` are those of the decoder inside."""

    __slots__ = ("_choice_count", "_choices", "_decoder", "_stops", "losses")

    def __init__(self, decoder: StreamDecoder, stops: tuple[str, ...], choice_count: int) -> None:
        self._decoder = decoder
        self._stops = stops
        self._choice_count = choice_count
        self._choices: dict[int, _ChoiceState] = {}
        self.losses = decoder.losses

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        return self._tell(self._decoder.feed(data))

    def close(self) -> list[ev.StreamEvent]:
        return self._tell(self._decoder.close())

    def _tell(self, events: list[ev.StreamEvent]) -> list[ev.StreamEvent]:
        told: list[ev.StreamEvent] = []
        for event in events:
            match event:
                case ev.Broke() if self._all_over():
                    told.append(ev.Ended())
                case ev.Started() | ev.UsageReported() | ev.Heartbeat() | ev.OpaqueEvent() | ev.Ended() | ev.Broke():
                    told.append(event)
                case _:
                    state = self._choices.setdefault(event.choice, _ChoiceState())
                    if not state.over:
                        told += self._tell_of(event, state)
        return told

    def _tell_of(self, event: ev.StreamEvent, state: _ChoiceState) -> list[ev.StreamEvent]:
        """An event of a choice that goes on."""
        match event:
            case ev.PartStarted(part=TextPart(text=text) as part):
                state.open.append(event.index)
                state.held[event.index] = ""
                opened = msgspec.structs.replace(event, part=msgspec.structs.replace(part, text=""))
                return [opened, *self._cut(event.choice, event.index, text, state)]
            case ev.PartStarted():
                state.open.append(event.index)
            case ev.TextDelta():
                return self._cut(event.choice, event.index, event.text, state)
            case ev.PartFinished():
                if event.index in state.open:
                    state.open.remove(event.index)
                return [*_text(event.choice, event.index, state.held.pop(event.index, "")), event]
            case ev.ChoiceFinished():
                state.over = True
            case _:
                pass
        return [event]

    def _cut(self, choice: int, index: int, fragment: str, state: _ChoiceState) -> list[ev.StreamEvent]:
        text = state.held.get(index, "") + fragment
        found = _first(text, self._stops)
        if found is None:
            free = len(text) - _held(text, self._stops)
            state.held[index] = text[free:]
            return _text(choice, index, text[:free])
        at, stop = found
        told = _text(choice, index, text[:at])
        for other in state.open:
            told += _text(choice, other, "" if other == index else state.held.get(other, ""))
            told.append(ev.PartFinished(other, choice))
        state.over = True
        state.held.clear()
        return [*told, ev.ChoiceFinished(_finish(stop), choice)]

    def _all_over(self) -> bool:
        return sum(state.over for state in self._choices.values()) >= self._choice_count


def _text(choice: int, index: int, text: str) -> list[ev.StreamEvent]:
    return [ev.TextDelta(index, text, choice)] if text else []
