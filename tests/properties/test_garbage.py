"""Laws of what nobody promised: a decoder takes any bytes in bounded time, and refuses what it cannot read in so many words."""

import copy
from time import monotonic

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.verify import check_request, check_stream
from tests.properties.edits import at, leaves, objects
from tests.properties.speakers import HERE, SPEAKERS, Speaker, check_refusal, decoded
from tests.properties.words import Json, dumps, values

each_speaker = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)

noise = st.binary(max_size=80)
sse_noise = st.lists(
    st.one_of(
        noise,
        values.map(lambda value: b"data: " + dumps(value) + b"\n\n"),
        st.sampled_from(
            [b"event: error\n", b"data: [DONE]\n\n", b"\r\n", b"\n\n", b": x\n", b"data:", b'data: {"error":{}}\n\n']
        ),
    ),
    max_size=6,
).map(b"".join)


@st.composite
def bent(draw: st.DrawFn, whole: st.SearchStrategy[Json]) -> Json:
    """A body with any JSON values put in places where others belong, keys taken away and nothing else wrong."""
    body = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 2))):
        places = [path for path in [*leaves(body), *objects(body)] if path]
        if not places:
            break
        path = draw(st.sampled_from(places))
        if draw(st.integers(0, 4)):
            at(body, path[:-1])[path[-1]] = draw(values)
        else:
            del at(body, path[:-1])[path[-1]]
    return body


@each_speaker
@given(body=noise)
def test_a_body_of_noise_is_refused(speaker: Speaker, body: bytes) -> None:
    with pytest.raises(FailureError) as request:
        speaker.codec.decode_request(body, HERE)
    assert request.value.failure.fault == "caller"
    with pytest.raises(FailureError) as response:
        speaker.codec.decode_response(body, speaker.generous)
    assert response.value.failure.fault == "upstream", "what an upstream sends is no fault of the caller"


@each_speaker
@given(data=st.data())
def test_a_bent_request_is_read_or_refused_by_name(speaker: Speaker, data: st.DataObject) -> None:
    body = data.draw(bent(speaker.requests))
    try:
        request, _ = speaker.read(body)
    except FailureError as error:
        check_refusal(error.failure)
        return
    check_request(request)
    for target in SPEAKERS:
        try:
            target.codec.encode_request(request, target.codec.dialect({}))
        except FailureError as error:
            check_refusal(error.failure)


def check_blames_upstream(failure: Failure, body: Json) -> None:
    """An answer that cannot be read is the upstream's fault; one that is an error says itself whose it is."""
    assert failure.fault == "upstream" or "error" in body


@each_speaker
@given(data=st.data())
def test_a_bent_answer_is_read_or_refused_as_the_upstreams_fault(speaker: Speaker, data: st.DataObject) -> None:
    body = data.draw(bent(speaker.responses))
    try:
        response, _ = speaker.codec.decode_response(dumps(body), speaker.generous)
    except FailureError as error:
        check_blames_upstream(error.failure, body)
        return
    for target in SPEAKERS:
        target.codec.encode_response(response)


@each_speaker
@given(data=st.data())
def test_a_stream_with_noise_in_it_is_legal(speaker: Speaker, data: st.DataObject) -> None:
    wire: bytes = data.draw(speaker.streams)
    cut = data.draw(st.integers(0, len(wire)))
    stuff = data.draw(sse_noise)
    check_stream(decoded(speaker, wire[:cut] + stuff + wire[cut:], (cut,)))
    check_stream(decoded(speaker, stuff))


@each_speaker
@given(data=st.data())
def test_a_stream_of_bent_events_is_legal(speaker: Speaker, data: st.DataObject) -> None:
    lines = data.draw(speaker.streams).split(b"\n")
    places = [number for number, line in enumerate(lines) if line.startswith(b"data: {")]
    place = data.draw(st.sampled_from(places))
    event = st.just(lines[place]).map(lambda line: msgspec.json.decode(line.removeprefix(b"data: ")))
    lines[place] = b"data: " + dumps(data.draw(bent(event)))
    events = decoded(speaker, b"\n".join(lines))
    check_stream(events)
    assert isinstance(events[-1], ev.Ended | ev.Broke)


@each_speaker
@given(status=st.integers(100, 599), body=noise | values.map(dumps), data=st.data())
def test_any_error_becomes_a_failure_and_any_failure_a_reply(
    speaker: Speaker, status: int, body: bytes, data: st.DataObject
) -> None:
    name = st.sampled_from([b"retry-after", b"retry-after-ms", b"x-should-retry", b"content-type", b"date", b"x-a"])
    headers = data.draw(st.lists(st.tuples(name, noise | st.sampled_from([b"1", b"-1", b"1e400", b"nan"])), max_size=3))
    failure = speaker.codec.decode_failure(status, headers, body)
    assert failure.message
    assert failure.retry_after_s is None or failure.retry_after_s >= 0
    for target in SPEAKERS:
        reply = target.codec.encode_failure(failure, "req_1")
        assert 400 <= reply.status <= 599
        assert b"req_1" in reply.body
        events = decoded(target, target.codec.encode_stream_failure(failure, "req_1"))
        assert isinstance(events[-1], ev.Broke)


DEEP = 100_000


@each_speaker
@pytest.mark.parametrize(
    "body", [b"[" * DEEP, b'{"a":' * DEEP, b'{"model":"m","messages":' + b"[" * DEEP + b"]" * DEEP + b"}"]
)
def test_what_nests_too_deeply_is_refused_at_once(speaker: Speaker, body: bytes) -> None:
    begun = monotonic()
    with pytest.raises(FailureError):
        speaker.codec.decode_request(body, HERE)
    with pytest.raises(FailureError):
        speaker.codec.decode_response(body, speaker.generous)
    assert isinstance(decoded(speaker, b"data: " + body + b"\n\n")[-1], ev.Broke)
    assert speaker.codec.decode_failure(500, (), body).message
    assert monotonic() - begun < 2
