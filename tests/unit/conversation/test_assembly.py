"""A stream and a whole answer are the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, merge_extras, replay
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.parts import (
    Citation,
    Extras,
    MediaPart,
    OpaquePart,
    OpaqueState,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream

states = st.none() | st.builds(OpaqueState, st.just("anthropic_messages"), st.text(min_size=1))
citations = st.builds(Citation, st.just("openai_chat"), st.just({"a": 1}), st.none() | st.text())
parts = st.one_of(
    st.builds(TextPart, st.text(), citations=st.lists(citations, max_size=2).map(tuple)),
    st.builds(ReasoningPart, st.text(), states),
    st.builds(ReasoningPart, st.just(""), st.just(OpaqueState("x", "y")), st.just(value=True)),
    st.builds(ToolCallPart, st.text(min_size=1), st.text(min_size=1), st.text()),
    st.builds(RefusalPart, st.text()),
    st.builds(MediaPart, st.just("image"), st.just("image/png"), st.text(min_size=1)),
    st.builds(OpaquePart, st.just("anthropic_messages"), st.just("web"), st.just({"type": "web"})),
)
choices = st.builds(Choice, st.lists(parts, max_size=5).map(tuple), st.just(Finish("stop")))


def numbered(found: list[Choice], usage: Usage | None, extras: Extras) -> GenerateResponse:
    """An answer with these choices, numbered."""
    choices = tuple(Choice(choice.parts, choice.finish, index) for index, choice in enumerate(found))
    return GenerateResponse("i", "m", choices, usage, 7, None, extras)


responses = st.builds(
    numbered,
    st.lists(choices, min_size=1, max_size=3),
    st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
    st.sampled_from([Extras(), {"openai_chat": {"system_fingerprint": "f"}}]),
)


@given(responses)
def test_replay_is_legal_and_folds_back_to_the_same_answer(response: GenerateResponse) -> None:
    events = replay(response)
    check_stream(events)
    assert assemble(events) == response


def test_a_broken_stream_raises_its_failure() -> None:
    events: list[ev.StreamEvent] = [ev.Started("i", "m"), ev.Broke(Failure("upstream_error", "gone"))]
    with pytest.raises(FailureError, match="gone"):
        assemble(events)


def test_late_keys_of_a_part_join_its_early_ones() -> None:
    events: list[ev.StreamEvent] = [
        ev.Started("i", "m"),
        ev.PartStarted(0, TextPart("", extras={"openai_chat": {"a": 1}})),
        ev.TextDelta(0, "x"),
        ev.PartFinished(0, extras={"openai_chat": {"b": 2}}),
        ev.LogprobsAdded({"content": [1]}),
        ev.LogprobsAdded({"content": [2]}),
        ev.ChoiceFinished(Finish("stop")),
        ev.Ended({"openai_chat": {"z": 1}}),
    ]
    response = assemble(events)
    assert response.choices[0].parts == (TextPart("x", extras={"openai_chat": {"a": 1, "b": 2}}),)
    assert response.choices[0].logprobs == {"content": [1, 2]}
    assert response.extras == {"openai_chat": {"z": 1}}


def test_merging_extras_goes_key_by_key() -> None:
    assert merge_extras({"a": {"x": 1}}, {"a": {"y": 2}, "b": {"z": 3}}) == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
