"""A stream and a whole answer are the same thing: ``assemble`` folds events into a response, ``replay`` unfolds it."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import (
    Citation,
    Extras,
    Json,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage


class _OpenPart:
    """A part while its deltas come in."""

    __slots__ = ("citations", "pieces", "seed", "state")

    def __init__(self, seed: Part) -> None:
        self.seed = seed
        self.pieces: list[str] = []
        self.citations: list[Citation] = []
        self.state: OpaqueState | None = None

    def build(self) -> Part:
        seed, text = self.seed, "".join(self.pieces)
        match seed:
            case TextPart():
                return msgspec.structs.replace(
                    seed, text=seed.text + text, citations=(*seed.citations, *self.citations)
                )
            case ReasoningPart():
                return msgspec.structs.replace(seed, text=seed.text + text, state=self.state or seed.state)
            case ToolCallPart():
                return msgspec.structs.replace(seed, arguments=seed.arguments + text)
            case RefusalPart():
                return msgspec.structs.replace(seed, text=seed.text + text)
            case _:
                return seed


class Assembler:
    """Folds a legal stream. ``feed`` each event, then ``response()``."""

    def __init__(self) -> None:
        self._start: ev.Started | None = None
        self._parts: dict[int, dict[int, _OpenPart]] = {}
        self._finishes: dict[int, tuple[Finish, Extras]] = {}
        self._logprobs: dict[int, Json] = {}
        self._usage: Usage | None = None
        self._end_extras: Extras = {}

    def feed(self, event: ev.StreamEvent) -> None:
        match event:
            case ev.TextDelta() | ev.ReasoningDelta() | ev.RefusalDelta():
                self._parts[event.choice][event.index].pieces.append(event.text)
            case ev.ArgumentsDelta():
                self._parts[event.choice][event.index].pieces.append(event.fragment)
            case ev.StateDelta():
                self._parts[event.choice][event.index].state = event.state
            case ev.CitationAdded():
                self._parts[event.choice][event.index].citations.append(event.citation)
            case ev.PartStarted():
                self._parts.setdefault(event.choice, {})[event.index] = _OpenPart(event.part)
            case ev.PartFinished():
                self._close(event)
            case _:
                self._feed_whole(event)

    def _close(self, event: ev.PartFinished) -> None:
        if event.extras:
            open_part = self._parts[event.choice][event.index]
            merged = merge_extras(getattr(open_part.seed, "extras", {}), event.extras)
            open_part.seed = msgspec.structs.replace(open_part.seed, extras=merged)

    def _feed_whole(self, event: ev.StreamEvent) -> None:
        match event:
            case ev.Started():
                self._start = event
                self._usage = event.usage
            case ev.UsageReported():
                self._usage = event.usage
            case ev.ChoiceFinished():
                self._finishes[event.choice] = (event.finish, event.extras)
            case ev.LogprobsAdded():
                merge_lists(self._logprobs.setdefault(event.choice, {}), event.value)
            case ev.Ended():
                self._end_extras = event.extras
            case ev.Broke():
                raise FailureError(event.failure)
            case _:
                pass

    def response(self) -> GenerateResponse:
        start = self._start
        if start is None:
            raise ValueError("no Started event was fed")
        indices = sorted(set(self._parts) | set(self._finishes))
        return GenerateResponse(
            id=start.id,
            model=start.model,
            choices=tuple(self._choice(index) for index in indices),
            usage=self._usage,
            created=start.created,
            service_tier=start.service_tier,
            extras=merge_extras(start.extras, self._end_extras),
        )

    def _choice(self, index: int) -> Choice:
        finished = self._finishes.get(index)
        parts = self._parts.get(index, {})
        return Choice(
            parts=tuple(parts[key].build() for key in sorted(parts)),
            finish=finished[0] if finished else None,
            index=index,
            logprobs=self._logprobs.get(index),
            extras=finished[1] if finished else {},
        )


def assemble(events: list[ev.StreamEvent]) -> GenerateResponse:
    """The whole answer that ``events`` told. FailureError if the stream broke."""
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    return assembler.response()


def replay(response: GenerateResponse) -> list[ev.StreamEvent]:
    """``response`` as a legal stream: one delta a part. ``assemble(replay(r)) == r``."""
    events: list[ev.StreamEvent] = [
        ev.Started(response.id, response.model, response.created, None, response.service_tier, dict(response.extras))
    ]
    for choice in response.choices:
        for index, part in enumerate(choice.parts):
            events += _replay_part(part, index, choice.index)
        if choice.logprobs is not None:
            events.append(ev.LogprobsAdded(choice.logprobs, choice.index))
        events.append(ev.ChoiceFinished(choice.finish or Finish("other"), choice.index, choice.extras))
    if response.usage is not None:
        events.append(ev.UsageReported(response.usage))
    events.append(ev.Ended())
    return events


def _replay_part(part: Part, index: int, choice: int) -> list[ev.StreamEvent]:
    empty: Part = part
    deltas: list[ev.StreamEvent] = []
    match part:
        case TextPart():
            empty = msgspec.structs.replace(part, text="", citations=())
            deltas = [ev.CitationAdded(index, citation, choice) for citation in part.citations]
            deltas += [ev.TextDelta(index, part.text, choice)] if part.text else []
        case ReasoningPart() if not part.redacted:
            empty = msgspec.structs.replace(part, text="", state=None)
            deltas = [ev.ReasoningDelta(index, part.text, choice)] if part.text else []
            deltas += [ev.StateDelta(index, part.state, choice)] if part.state else []
        case ToolCallPart():
            empty = msgspec.structs.replace(part, arguments="")
            deltas = [ev.ArgumentsDelta(index, part.arguments, choice)] if part.arguments else []
        case RefusalPart():
            empty = msgspec.structs.replace(part, text="")
            deltas = [ev.RefusalDelta(index, part.text, choice)] if part.text else []
        case _:
            pass
    return [ev.PartStarted(index, empty, choice), *deltas, ev.PartFinished(index, choice)]


def merge_extras(first: Extras, second: Extras) -> Extras:
    """Both, key by key; ``second`` wins."""
    if not second:
        return first
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in {**first, **second}}


def merge_lists(target: dict[str, Any], addition: Json) -> None:
    """Append lists key by key (log probabilities come in slices); other values are replaced."""
    for key, value in addition.items():
        present = target.get(key)
        target[key] = [*present, *value] if isinstance(present, list) and isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]
