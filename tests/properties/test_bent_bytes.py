"""Twenty thousand bent inputs for each protocol: what a reader sees when bytes get lost, doubled or overwritten on their way.

These are the targets of `./dev fuzz`, without the fuzzer.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.conversation.failures import FailureError
from tests.fuzz.seeds import ANSWERS, REQUESTS, STREAMS, bend
from tests.fuzz.targets import TARGETS
from tests.properties.budget import MANY
from tests.properties.speakers import SPEAKERS, Speaker

each_speaker = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
numbers = st.integers(0, 2**40)
CUTS = (b"\x00", b"\x00", b"\x0b", b"\x61")


def broken(data: bytes) -> str:
    return f"tried with {data!r}"


@each_speaker
@settings(max_examples=MANY)
@given(number=numbers)
def test_a_bent_stream_is_legal_whatever_the_cut(speaker: Speaker, number: int) -> None:
    data = CUTS[number % len(CUTS)] + bend(STREAMS[speaker.name], number)
    try:
        TARGETS[f"{speaker.name}-stream"](data)
    except Exception as error:
        raise AssertionError(broken(data)) from error


@each_speaker
@settings(max_examples=MANY // 2)
@given(number=numbers)
def test_a_bent_request_is_read_or_refused(speaker: Speaker, number: int) -> None:
    data = bend(REQUESTS[speaker.name], number)
    try:
        TARGETS[f"{speaker.name}-request"](data)
    except Exception as error:
        raise AssertionError(broken(data)) from error


@each_speaker
@settings(max_examples=MANY // 2)
@given(number=numbers)
def test_a_bent_answer_is_read_or_the_upstreams_fault(speaker: Speaker, number: int) -> None:
    data = bend(ANSWERS[speaker.name], number)
    try:
        answer, _ = speaker.codec.decode_response(data, speaker.generous)
    except FailureError as error:
        blames_upstream = error.failure.fault == "upstream"
        assert blames_upstream or b"error" in data, broken(data)
        return
    except Exception as error:
        raise AssertionError(broken(data)) from error
    for target in SPEAKERS:
        target.codec.encode_response(answer)


@settings(max_examples=MANY)
@given(number=numbers)
def test_a_bent_event_stream_is_parsed_the_same_whatever_the_cut(number: int) -> None:
    name = SPEAKERS[number % len(SPEAKERS)].name
    TARGETS["sse"](CUTS[number // 7 % len(CUTS)] + bend(STREAMS[name], number))
