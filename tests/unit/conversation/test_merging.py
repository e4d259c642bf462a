"""Several one-choice answers told as one answer with several choices."""

import itertools

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.failures import Failure
from anykey.conversation.merging import StreamMerger, merge_answers, sum_usage
from anykey.conversation.parts import TextPart, ToolCallPart
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream


def answer(number: int) -> GenerateResponse:
    parts = (TextPart(f"text {number}"), ToolCallPart(f"call{number}", "f", "{}"))
    usage = Usage(
        input_tokens=10, cache_read_tokens=number, output_tokens=number, extras={"openai_chat": {"at": number}}
    )
    return GenerateResponse(f"id{number}", f"m{number}", (Choice(parts, Finish("tool_calls")),), usage, number)


ANSWERS = [answer(1), answer(2), answer(3)]
USAGE = Usage(input_tokens=30, cache_read_tokens=6, output_tokens=6, extras={"openai_chat": {"at": 1}})


def test_whole_answers_become_choices_and_usage_is_summed() -> None:
    merged = merge_answers(ANSWERS)
    assert [(choice.index, choice.parts) for choice in merged.choices] == [
        (index, one.choices[0].parts) for index, one in enumerate(ANSWERS)
    ]
    assert (merged.id, merged.model, merged.created, merged.usage) == ("id1", "m1", 1, USAGE)


def test_streams_in_any_interleaving_are_the_same_answer() -> None:
    streams = [replay(one) for one in ANSWERS]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        merger, told = StreamMerger(3), list[ev.StreamEvent]()
        for row in itertools.zip_longest(*(streams[source] for source in order)):
            for source, event in zip(order, row, strict=True):
                told += merger.feed(source, [event] if event else [])
        check_stream(told)
        found, first = assemble(told), order[0]
        assert found.id == f"id{first + 1}"
        assert found.choices == merge_answers(ANSWERS).choices
        assert found.usage is not None
        assert (found.usage.total_input(), found.usage.total_output()) == (36, 6)


def test_a_source_without_usage_or_with_an_early_one() -> None:
    assert sum_usage([None, None]) is None
    assert sum_usage([None, Usage(output_tokens=2)]) == Usage(output_tokens=2)
    merger = StreamMerger(2)
    early = [ev.Started("a", "m", usage=Usage(input_tokens=5)), ev.ChoiceFinished(Finish("stop")), ev.Ended()]
    late = [
        ev.Started("b", "m"),
        ev.ChoiceFinished(Finish("stop")),
        ev.UsageReported(Usage(input_tokens=6)),
        ev.Ended(),
    ]
    told = merger.feed(0, list(early)) + merger.feed(1, list(late))
    check_stream(told)
    assert told[-2] == ev.UsageReported(Usage(input_tokens=11))


def test_one_break_breaks_the_whole_and_only_the_first_is_opaque() -> None:
    merger = StreamMerger(2)
    opaque = ev.OpaqueEvent("openai_responses", "x", {})
    told = merger.feed(1, [ev.Started("b", "m"), opaque, ev.Heartbeat()])
    told += merger.feed(0, [ev.Started("a", "m"), opaque, ev.Broke(Failure("upstream_error", "gone"))])
    assert [type(event) for event in told] == [ev.Started, ev.OpaqueEvent, ev.Heartbeat, ev.Broke]
