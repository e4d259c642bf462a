"""Arbitrary neutral answers, requests and legal event streams."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import replay
from anykey.conversation.failures import Failure
from anykey.conversation.parts import (
    Citation,
    Extras,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ProtocolName,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallKind,
    ToolCallPart,
)
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.response import Choice, Finish, FinishReason, GenerateResponse
from anykey.conversation.usage import Usage
from tests.properties.chat_wire import PNG
from tests.properties.words import Json, counts, dumps, filled, flags, objects, text, words

ORIGINS: tuple[ProtocolName, ...] = ("openai_chat", "anthropic_messages", "openai_responses", "gemini_generate")
REASONS: tuple[FinishReason, ...] = (
    "stop",
    "stop_sequence",
    "length",
    "context_window",
    "tool_calls",
    "content_filter",
    "refusal",
    "pause",
    "other",
)

KINDS: tuple[ToolCallKind, ...] = ("function", "function", "custom", "hosted")

origins = st.sampled_from(ORIGINS)
extras: st.SearchStrategy[Extras] = st.dictionaries(
    st.sampled_from([*map(str, ORIGINS)]), st.dictionaries(st.just("x_vendor"), objects, min_size=1), max_size=1
)
states = st.builds(OpaqueState, st.sampled_from([*ORIGINS, "google-gemini-v1"]), filled)
ADDRESS = "https://example.test"
citations = st.builds(Citation, origins, st.just({"type": "x_citation", "url": ADDRESS}), st.just(ADDRESS))
usages = st.builds(Usage, *[st.just(0) | counts] * 10)
finishes = st.builds(Finish, st.sampled_from(REASONS), st.none() | words, st.none() | filled)

arguments = objects.map(lambda value: dumps(value).decode()) | st.sampled_from(["", '{"cut": "o', "[1]", ' {"a": 1}'])


def _opaque(origin: ProtocolName, value: Json) -> OpaquePart:
    return OpaquePart(origin, "x_block", {"type": "x_block", **value})


answer_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, text, citations=st.lists(citations, max_size=2).map(tuple), extras=extras),
    st.builds(TextPart, filled),
    st.builds(ReasoningPart, text, st.none() | states, extras=extras),
    st.builds(ReasoningPart, st.just(""), states, st.just(value=True)),
    st.builds(RefusalPart, text),
    st.builds(MediaPart, st.sampled_from(["audio", "image"]), st.just("image/png"), st.just(PNG), extras=st.just({})),
    st.builds(_opaque, origins, objects),
)


@st.composite
def calls(draw: st.DrawFn, number: int) -> ToolCallPart:
    """A tool call whose id is its own."""
    kind = draw(st.sampled_from(KINDS))
    given = draw(text) if kind == "custom" else draw(arguments)
    return ToolCallPart(f"call_{number}", draw(words), given, kind)


@st.composite
def choices(draw: st.DrawFn, index: int) -> Choice:
    """What one answer may hold, in any order."""
    parts: list[Part] = draw(st.lists(answer_parts, max_size=3))
    parts += [draw(calls(10 * index + number)) for number in range(draw(st.integers(0, 2)))]
    if draw(flags):
        parts = draw(st.permutations(parts))
    return Choice(
        tuple(parts), draw(finishes), index, draw(st.none() | st.just({"content": [{"token": "a", "logprob": -0.5}]}))
    )


@st.composite
def responses(draw: st.DrawFn) -> GenerateResponse:
    """Any answer, with one choice or two, and with or without usage."""
    return GenerateResponse(
        id=draw(words),
        model=draw(words),
        choices=tuple(draw(choices(index)) for index in range(draw(st.integers(1, 2)))),
        usage=draw(st.none() | usages),
        created=draw(st.none() | st.just(1700000000)),
        service_tier=draw(st.none() | st.just("default")),
        extras=draw(extras),
    )


@st.composite
def event_streams(draw: st.DrawFn) -> list[ev.StreamEvent]:
    """Any legal stream: deltas cut anywhere, parts open at the same time, usage anywhere, ended or broken."""
    response = draw(responses())
    told = replay(msgspec.structs.replace(response, usage=None))
    lanes = [_lane(draw, told, choice.index, n) for choice in response.choices for n in range(len(choice.parts))]
    middle: list[ev.StreamEvent] = []
    while lanes:
        calls_begun = [lane for lane in lanes if _is_call(lane)] if _is_call(lanes[0]) and draw(flags) else lanes[:1]
        middle += _mixed(draw, calls_begun)
        lanes = [lane for lane in lanes if lane not in calls_begun]
    ends: list[ev.StreamEvent] = [event for event in told if isinstance(event, ev.ChoiceFinished)]
    for _ in range(draw(st.integers(0, 2))):
        middle.insert(draw(st.integers(0, len(middle))), draw(_interludes()))
    reported: list[ev.StreamEvent] = [] if response.usage is None else [ev.UsageReported(response.usage)]
    tail = reported + ends if draw(flags) else ends + reported
    whole = [told[0], *middle, *tail, ev.Ended()]
    if draw(st.integers(0, 4)):
        return whole
    return [*whole[: draw(st.integers(1, len(whole) - 1))], ev.Broke(Failure("upstream_error", "it broke"))]


def _interludes() -> st.SearchStrategy[ev.StreamEvent]:
    return st.one_of(
        st.just(ev.Heartbeat()),
        st.builds(ev.UsageReported, usages),
        st.just(ev.LogprobsAdded({"content": [{"token": "a", "logprob": -0.5}]})),
        st.just(ev.OpaqueEvent("openai_responses", "x_event", {"type": "x_event"})),
    )


def _lane(draw: st.DrawFn, told: list[ev.StreamEvent], choice: int, index: int) -> list[ev.StreamEvent]:
    """The events of one part, its text cut once more."""
    lane: list[ev.StreamEvent] = []
    for event in told:
        if getattr(event, "choice", None) != choice or getattr(event, "index", None) != index:
            continue
        field = "fragment" if isinstance(event, ev.ArgumentsDelta) else "text"
        said: str | None = getattr(event, field, None)
        if said is None:
            lane.append(event)
            continue
        cut = draw(st.integers(0, len(said)))
        replace: Any = msgspec.structs.replace
        lane += [replace(event, **{field: said[:cut]}), replace(event, **{field: said[cut:]})]
    return lane


def _is_call(lane: list[ev.StreamEvent]) -> bool:
    return isinstance(lane[0], ev.PartStarted) and isinstance(lane[0].part, ToolCallPart)


def _mixed(draw: st.DrawFn, lanes: list[list[ev.StreamEvent]]) -> list[ev.StreamEvent]:
    """The lanes run into each other, begun in their order."""
    mixed = [lane[0] for lane in lanes]
    left = [lane[1:] for lane in lanes]
    while left:
        lane = left[draw(st.integers(0, len(left) - 1))]
        mixed.append(lane.pop(0))
        left = [lane for lane in left if lane]
    return mixed


def asking(*, usage: bool | None = True) -> GenerateRequest:
    """The request that a stream answers; Chat tells its usage, and Gemini its thoughts, only to a caller that asked."""
    return GenerateRequest("m", (), stream=True, include_usage=usage, reasoning=Reasoning(display="summarized"))
