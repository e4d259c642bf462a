"""Stop sequences kept by the gateway: the same cut for every cut of the fragments, whole or streamed."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.conversation.parts import Citation, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.stops import stop_stream, stop_whole, unsent

USAGE = Usage(input_tokens=3, output_tokens=9)


class Scripted:
    """A decoder that gives its events one a feed."""

    def __init__(self, events: list[ev.StreamEvent]) -> None:
        self.losses: list[Loss] = []
        self._events = events

    def feed(self, data: bytes) -> list[ev.StreamEvent]:
        return [self._events.pop(0)]

    def close(self) -> list[ev.StreamEvent]:
        return []


def told(events: list[ev.StreamEvent], stops: tuple[str, ...], choice_count: int = 1) -> list[ev.StreamEvent]:
    decoder = stop_stream(Scripted(list(events)), stops, choice_count)
    return [event for _ in events for event in decoder.feed(b"x")]


def stream(fragments: list[str], *, before: tuple[ev.StreamEvent, ...] = ()) -> list[ev.StreamEvent]:
    index = len({event.index for event in before if isinstance(event, ev.PartStarted)})
    return [
        ev.Started("id", "m"),
        *before,
        ev.PartStarted(index, TextPart("")),
        *[ev.TextDelta(index, fragment) for fragment in fragments],
        ev.PartFinished(index),
        ev.ChoiceFinished(Finish("stop")),
        ev.UsageReported(USAGE),
        ev.Ended(),
    ]


def answer(*parts: TextPart | ReasoningPart | ToolCallPart) -> GenerateResponse:
    return GenerateResponse("id", "m", (Choice(parts, Finish("stop")),), USAGE)


@pytest.mark.parametrize(
    ("text", "stops", "left", "stop"),
    [
        ("one END two", ("END",), "one ", "END"),
        ("abcd", ("abcd", "bc"), "a", "bc"),  # bc is complete first
        ("xab", ("b", "ab"), "x", "ab"),  # complete with the same letter: the longer
        ("aaab", ("aab",), "a", "aab"),
        ("ab\n\ncd", ("\n\n",), "ab", "\n\n"),
        ("END", ("END",), "", "END"),
        ("nothing EN", ("END",), "nothing EN", None),
        ("日本。語", ("。",), "日本", "。"),
    ],
)
def test_the_text_ends_before_the_first_complete_sequence(
    text: str, stops: tuple[str, ...], left: str, stop: str | None
) -> None:
    finish = Finish("stop") if stop is None else Finish("stop_sequence", stop_sequence=stop)
    for fragments in ([text], list(text), [text[:2], text[2:]]):
        events = told(stream(fragments), stops)
        check_stream(events)
        (choice,) = assemble(events).choices
        assert (choice.parts[0], choice.finish) == (TextPart(left), finish)
    (choice,) = stop_whole(answer(TextPart(text)), stops).choices
    assert (choice.parts[0], choice.finish) == (TextPart(left), finish)


@given(
    text=st.text("ab\n", max_size=30),
    stops=st.lists(st.text("ab\n", min_size=1, max_size=4), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 30), max_size=8),
)
def test_every_cut_of_the_fragments_tells_what_the_whole_tells(text: str, stops: list[str], cuts: list[int]) -> None:
    marks = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    fragments = [text[a:b] for a, b in itertools.pairwise(marks)]
    events = told(stream(fragments), tuple(stops))
    check_stream(events)
    assert assemble(events) == stop_whole(answer(TextPart(text)), tuple(stops))


def test_no_letter_is_held_that_cannot_begin_a_sequence() -> None:
    decoder = stop_stream(Scripted(stream(["abc", "xEN", "q"])), ("END", "Q"))
    pieces = [[event.text for event in decoder.feed(b"x") if isinstance(event, ev.TextDelta)] for _ in range(5)]
    assert pieces == [[], [], ["abc"], ["x"], ["ENq"]]


def test_what_follows_is_swallowed_but_usage_counts() -> None:
    call = (
        ev.PartStarted(1, ToolCallPart("c", "f", "")),
        ev.ArgumentsDelta(1, "{}"),
        ev.PartFinished(1),
    )
    events = stream(["a STOP b", " STOP"])
    events[-3:-3] = call
    found = told(events, ("STOP",))
    check_stream(found)
    whole = assemble(found)
    assert whole.choices[0].parts == (TextPart("a "),)
    assert whole.usage == USAGE
    assert stop_whole(assemble(events), ("STOP",)) == whole


def test_reasoning_and_arguments_are_not_looked_at() -> None:
    before = (
        ev.PartStarted(0, ReasoningPart("")),
        ev.ReasoningDelta(0, "STOP"),
        ev.PartFinished(0),
        ev.PartStarted(1, ToolCallPart("c", "f", "")),
        ev.ArgumentsDelta(1, '"STOP"'),
        ev.PartFinished(1),
    )
    events = stream(["ok"], before=before)
    assert assemble(told(events, ("STOP",))) == assemble(events)
    assert stop_whole(assemble(events), ("STOP",)) == assemble(events)


def test_parts_that_are_open_beside_the_text_are_closed() -> None:
    events = stream(["a STOP"])
    events.insert(2, ev.PartStarted(5, ToolCallPart("c", "f", "")))
    events.insert(-3, ev.PartFinished(5))
    found = told(events, ("STOP",))
    check_stream(found)
    assert [type(part) for part in assemble(found).choices[0].parts] == [TextPart, ToolCallPart]


def test_choices_are_cut_each_for_itself() -> None:
    events: list[ev.StreamEvent] = [ev.Started("id", "m")]
    for choice, text in enumerate(("a STOP b", "all of it")):
        events += [
            ev.PartStarted(0, TextPart(""), choice),
            ev.TextDelta(0, text, choice),
            ev.PartFinished(0, choice),
            ev.ChoiceFinished(Finish("stop"), choice),
        ]
    events.append(ev.Ended())
    found = told(events, ("STOP",), 2)
    check_stream(found)
    assert [choice.parts for choice in assemble(found).choices] == [(TextPart("a "),), (TextPart("all of it"),)]


@pytest.mark.parametrize(("text", "whole"), [("a STOP b", True), ("a b", False)])
def test_a_break_after_the_cut_is_no_break_for_the_client(text: str, whole: bool) -> None:
    events = [*stream([text])[:3], ev.Broke(Failure("upstream_error", "gone"))]
    found = told(events, ("STOP",))
    assert type(found[-1]) is (ev.Ended if whole else ev.Broke)
    assert type(told(events, ("STOP",), 2)[-1]) is ev.Broke  # another choice was still to come


def test_citations_of_what_is_cut_are_cut() -> None:
    kept = Citation("openai_chat", {}, start=0, end=1)
    lost = Citation("openai_chat", {}, start=4, end=8)
    cut = stop_whole(answer(TextPart("a STOP b", citations=(kept, lost))), ("STOP",))
    assert cut.choices[0].parts == (TextPart("a ", citations=(kept,)),)


def test_a_text_that_begins_with_its_part_is_read_too() -> None:
    events = replay(answer(TextPart("")))
    events[1] = ev.PartStarted(0, TextPart("a STOP"))
    found = told(events, ("STOP",))
    check_stream(found)
    assert assemble(found).choices[0].parts == (TextPart("a "),)


def test_nothing_to_keep_costs_nothing() -> None:
    decoder = Scripted([])
    assert stop_stream(decoder, ()) is decoder
    whole = answer(TextPart("a"))
    assert stop_whole(whole, ()) is whole


def test_the_encoders_losses_say_what_was_not_sent() -> None:
    request = GenerateRequest("m", (), stop=("a", "b", "", "c"))
    assert unsent(request, [Loss("emulated", "stop", "")]) == ("a", "b", "c")
    assert unsent(request, [Loss("emulated", "stop[1]", ""), Loss("emulated", "stop[2]", "")]) == ("b",)
    assert unsent(request, [Loss("dropped", "stop[1]", ""), Loss("emulated", "stopping", "")]) == ()
    assert unsent(msgspec.structs.replace(request, stop=()), [Loss("emulated", "stop", "")]) == ()
