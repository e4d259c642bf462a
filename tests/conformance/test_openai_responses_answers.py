"""Recorded Responses answers read and told again in Responses: they say the same, up to ids and what the request said."""

import json
from typing import Any

import msgspec
import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import Part, ReasoningPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.conversation.verify import check_stream
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.errors import decode_failure
from anykey.protocols.openai_responses.response import decode_response, encode_response
from anykey.protocols.openai_responses.stream_decoding import StreamDecoder
from anykey.protocols.openai_responses.stream_encoding import StreamEncoder
from anykey.protocols.openai_responses.tap import StreamTap
from tests.conformance.recordings import exchanges

pytestmark = pytest.mark.corpus

PLAIN = Dialect()
REQUEST = GenerateRequest("m", ())
replace = msgspec.structs.replace

BROKEN_STREAMS = {
    "a2636303141224a2": "the account has no quota left: an error event under HTTP 200",
    "40ae65cd34f3a55c": "a rate limit: an error event under HTTP 200",
}
EXPECTED_LOSSES = {
    "approximated:usage",  # a background answer that has only begun
    "dropped:response.image_generation_call.partial_image",
}


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


UNLIKE = {
    "1c8d6e0a0f65fd6f": "the schemas of listed tools are shortened in one of the two",
    "3f9782fb66e3937d": "the aggregator's terminal event has new ids",
    "8b97d906b7c33264": "the recording was put together from two answers",
    "09abd50eb51e988b": "a program's fingerprint is made anew",
    "016165fdfed3a7db": "the server's terminal event has new ids",
}
"""Streams whose terminal event does not say what their items said."""


ROWS = exchanges("openai_responses")
ANSWERED = [row for row in ROWS if (row["status"] or 200) < 400]
REFUSED = [row for row in ROWS if (row["status"] or 200) >= 400]
WHOLE = {
    row["id"]: row["response"]["body"]
    for row in ANSWERED
    if isinstance(row["response"].get("body"), dict) and "output" in row["response"]["body"]
}
OTHER = {
    row["id"]: row["response"]["body"]
    for row in ANSWERED
    if isinstance(row["response"].get("body"), dict) and "output" not in row["response"]["body"]
}
STREAMS = {
    row["id"]: row["response"]["sse"]
    for row in ANSWERED
    if row["response"].get("sse") and "several_answers_joined" not in row["fidelity"]
}
ASKED = {row["id"]: dump(row["request"]["body"]) for row in ROWS if row["request"] and row["request"].get("body")}


def settled(answer: GenerateResponse) -> GenerateResponse:
    """``answer`` without what is respelled on purpose: a foreign id, an absent time or model, a tier that comes late."""
    choices = tuple(replace(choice, parts=tuple(map(settled_part, choice.parts))) for choice in answer.choices)
    usage = answer.usage or Usage()
    return replace(
        answer, id="", created=answer.created or 0, model="", service_tier=None, usage=usage, choices=choices, extras={}
    )


def settled_part(part: Part) -> Part:
    """Of a client's shell the order of keys does not count."""
    if isinstance(part, ToolCallPart) and part.kind == "local_shell":
        return replace(part, arguments=json.dumps(json.loads(part.arguments), sort_keys=True))
    return part


def check_usage(usage: Usage | None, reported: dict[str, Any] | None) -> None:
    """Every bucket is a count and together they are what the provider says."""
    if usage is None or not reported:
        return
    assert all(getattr(usage, name) >= 0 for name in usage.__struct_fields__ if name != "extras")
    assert usage.total_input() == reported["input_tokens"]
    assert usage.total_output() == reported["output_tokens"]


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_comes_back(name: str) -> None:
    body = WHOLE[name]
    answer, losses = decode_response(dump(body), PLAIN)
    again, more_losses = encode_response(answer, REQUEST, ASKED.get(name, b""))
    assert not losses
    assert {loss.code for loss in more_losses} <= EXPECTED_LOSSES
    assert settled(decode_response(again, PLAIN).value) == settled(answer)
    check_usage(answer.usage, body.get("usage"))
    told = StreamEncoder(REQUEST, ASKED.get(name, b"")).feed(replay(answer))
    if body.get("status") in ("completed", "incomplete"):
        assert settled(assemble(events_of(told, 4096))) == settled(answer)


@pytest.mark.parametrize("name", OTHER)
def test_an_object_of_another_kind_is_no_answer(name: str) -> None:
    with pytest.raises(FailureError):
        decode_response(dump(OTHER[name]), PLAIN)


def events_of(data: bytes, size: int) -> list[ev.StreamEvent]:
    decoder = StreamDecoder(PLAIN)
    events: list[ev.StreamEvent] = []
    for start in range(0, len(data), size):
        events += decoder.feed(data[start : start + size])
    return events + decoder.close()


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_comes_back(name: str) -> None:
    data = STREAMS[name].encode()
    events = events_of(data, len(data))
    check_stream(events)
    assert events_of(data, 61) == events
    if name in BROKEN_STREAMS:
        assert isinstance(events[-1], ev.Broke)
        return
    answer = assemble(events)
    encoder = StreamEncoder(REQUEST, ASKED.get(name, b""))
    told = encoder.feed(events)
    assert {loss.code for loss in encoder.losses} <= EXPECTED_LOSSES
    again = events_of(told, 4096)
    check_stream(again)
    assert settled(assemble(again)) == settled(answer)
    numbers = [json.loads(block.split("data: ", 1)[1])["sequence_number"] for block in told.decode().split("\n\n")[:-1]]
    assert numbers == list(range(len(numbers)))


def final_response(data: str) -> dict[str, Any] | None:
    """The response object of the terminal event."""
    for block in reversed(data.replace("\r\n", "\n").split("\n\n")):
        for line in block.split("\n"):
            if line.startswith("data: {"):
                value = json.loads(line[6:])
                if value.get("type") in ("response.completed", "response.incomplete"):
                    return value["response"]
    return None


def visible(choice: Choice) -> list[Any]:
    """What can be read of an answer: states differ between an item's end and the answer's, and only the former may go back."""
    parts = [replace(part, state=None) if isinstance(part, ReasoningPart) else part for part in choice.parts]
    return [part for part in parts if getattr(part, "kind", "") != "compaction"]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_says_what_its_terminal_event_says(name: str) -> None:
    final = final_response(STREAMS[name])
    if final is None or not final.get("output"):
        return  # a server that leaves the output out there
    data = STREAMS[name].encode()
    (streamed,) = assemble(events_of(data, len(data))).choices
    (told,) = decode_response(dump(final), PLAIN).value.choices
    assert len(visible(streamed)) == len(visible(told))
    if name not in UNLIKE:
        assert visible(streamed) == visible(told)
        assert streamed.finish == told.finish


@pytest.mark.parametrize("name", STREAMS)
def test_a_relayed_stream_is_heard(name: str) -> None:
    data = STREAMS[name].encode()
    tap = StreamTap(PLAIN)
    relayed = b"".join([tap.feed(data[start : start + 997]) for start in range(0, len(data), 997)]) + tap.close()
    if name in BROKEN_STREAMS:
        assert tap.report.failure is not None
        assert b'"response.failed"' in relayed, "a bare error is told as the failed response that it stands for"
        return
    assert relayed == data
    answer = assemble(events_of(data, len(data)))
    assert tap.report.complete
    assert tap.report.content or not any(choice.parts for choice in answer.choices)
    assert tap.report.usage == (answer.usage and replace(answer.usage, extras={}))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["id"])
def test_a_refusal_is_read(row: dict[str, Any]) -> None:
    body = row["response"].get("body")
    failure = decode_failure(
        row["status"], (), row["response"].get("text", "").encode() if body is None else dump(body)
    )
    assert failure.upstream_status == row["status"]
    if body and failure.kind != "upstream_refused_credential":
        assert body.get("error", {}).get("message", failure.message) in failure.message
