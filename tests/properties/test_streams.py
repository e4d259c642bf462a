"""Laws of streams: any cut gives the same events, what is written is legal, and a stream says what a whole answer says."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.losses import Loss
from anykey.conversation.response import GenerateResponse
from anykey.conversation.verify import check_stream
from tests.properties.answers import normal_answer, told
from tests.properties.budget import A_THIRD
from tests.properties.equivalence import differences
from tests.properties.speakers import CROSSINGS, SPEAKERS, Speaker, decoded, pair_id
from tests.properties.strategies import asking, event_streams, responses

CUTS = st.lists(st.integers(0, 3000), max_size=12).map(tuple)
each_speaker = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)


@each_speaker
@given(data=st.data())
def test_any_cut_of_a_stream_gives_the_same_events(speaker: Speaker, data: st.DataObject) -> None:
    wire: bytes = data.draw(speaker.streams)
    whole = decoded(speaker, wire)
    check_stream(whole)
    assert decoded(speaker, wire, data.draw(CUTS)) == whole


@each_speaker
@settings(max_examples=A_THIRD)
@given(data=st.data())
def test_every_single_byte_may_come_alone(speaker: Speaker, data: st.DataObject) -> None:
    wire: bytes = data.draw(speaker.streams)
    assert decoded(speaker, wire, tuple(range(len(wire)))) == decoded(speaker, wire)


@each_speaker
@given(data=st.data(), cut=st.integers(0, 3000))
def test_a_stream_that_stops_anywhere_is_legal_and_no_normal_end_unless_it_was_complete(
    speaker: Speaker, data: st.DataObject, cut: int
) -> None:
    wire: bytes = data.draw(speaker.streams)
    events = decoded(speaker, wire[:cut])
    check_stream(events)
    if isinstance(events[-1], ev.Ended):
        ends = [event for event in events if isinstance(event, ev.ChoiceFinished)]
        whole = [event for event in decoded(speaker, wire) if isinstance(event, ev.ChoiceFinished)]
        assert ends == whole[: len(ends)] != [], "an end that nobody told"


@each_speaker
@given(events=event_streams(), data=st.data())
def test_a_written_stream_is_legal_and_says_the_same(
    speaker: Speaker, events: list[ev.StreamEvent], data: st.DataObject
) -> None:
    check_stream(events)
    encoder = speaker.codec.stream_encoder(asking())
    wire = b""
    left = events
    while left:
        size = data.draw(st.integers(1, len(left)))
        wire += encoder.feed(left[:size])
        left = left[size:]
    read = decoded(speaker, wire)
    check_stream(read)
    if isinstance(events[-1], ev.Broke):
        assert isinstance(read[-1], ev.Broke)
        return
    assert isinstance(read[-1], ev.Ended)
    _same_answer(assemble(events), assemble(read), encoder.losses)


def _same_answer(sent: GenerateResponse, got: GenerateResponse, losses: list[Loss]) -> None:
    """Text, thoughts, calls, and the usage's totals, of the first choice, which every protocol can tell. What has no place may
    be told in words besides, if a Loss says so."""
    assert got.model == sent.model
    before, after = told(sent), told(got)
    for said in (before, after):
        said["calls"].sort(key=str)  # two that run into each other may be told in either order
    if any(loss.kind == "approximated" and "content[" in loss.path for loss in losses):
        assert not Counter(before.pop("said")) - Counter(after.pop("said"))
    assert differences(before, after) == []
    assert got.choices[0].finish is not None
    if sent.usage is not None:
        assert got.usage is not None
        assert got.usage.total_input() == sent.usage.total_input()
        assert got.usage.total_output() == sent.usage.total_output()


@each_speaker
@given(response=responses())
def test_a_replayed_answer_folds_to_what_the_whole_answer_says(speaker: Speaker, response: GenerateResponse) -> None:
    whole, losses = speaker.codec.encode_response(response)
    expected, _ = speaker.codec.decode_response(whole, speaker.generous)
    encoder = speaker.codec.stream_encoder(asking())
    decoder = speaker.codec.stream_decoder(speaker.generous)
    folded = assemble(decoder.feed(encoder.feed(replay(response))) + decoder.close())
    assert _named(encoder.losses) == _named(losses)
    one, other = normal_answer(expected), normal_answer(folded)
    for key in _TOLD_LATE:
        if any(key in loss.path for loss in (*decoder.losses, *encoder.losses)):
            _forget(key, one, other)
    assert differences(one, other) == []


_TOLD_LATE = ("logprobs", "citations")
"""What comes at the end of a stream, where the text it is about may be closed; a Loss says so then."""


def _forget(key: str, *answers: dict[str, Any]) -> None:
    for answer in answers:
        for choice in answer["choices"]:
            choice[key] = None


def _named(losses: Iterable[Loss]) -> set[tuple[str, str]]:
    """What was lost where. Arguments that are no JSON pass through a stream as they are: nobody can know them before they end."""
    late = (".arguments", *_TOLD_LATE, "logprobs.content")
    return {(loss.kind, loss.path) for loss in losses if not loss.path.endswith(late)}


@each_speaker
@given(data=st.data())
def test_an_answer_read_written_and_read_again_is_the_same(speaker: Speaker, data: st.DataObject) -> None:
    first, _ = speaker.codec.decode_response(msgspec.json.encode(data.draw(speaker.responses)), speaker.generous)
    body, losses = speaker.codec.encode_response(first)
    second, _ = speaker.codec.decode_response(body, speaker.generous)
    if not losses:
        assert differences(normal_answer(first), normal_answer(second)) == []


@pytest.mark.parametrize("pair", CROSSINGS, ids=pair_id)
@given(data=st.data())
def test_a_stream_of_one_protocol_becomes_a_legal_stream_of_the_other(
    pair: tuple[Speaker, Speaker], data: st.DataObject
) -> None:
    source, target = pair
    events = decoded(source, data.draw(source.streams))
    encoder = target.codec.stream_encoder(asking())
    read = decoded(target, b"".join(encoder.feed([event]) for event in events))
    check_stream(read)
    if isinstance(events[-1], ev.Ended):
        _same_answer(assemble(events), assemble(read), encoder.losses)
