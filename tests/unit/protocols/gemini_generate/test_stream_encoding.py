import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.failures import Failure
from anykey.conversation.parts import (
    Citation,
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.conversation.usage import Usage
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.response import decode_response, encode_response
from anykey.protocols.gemini_generate.stream_encoding import HEARTBEAT, StreamEncoder
from tests.unit.protocols.gemini_generate.answers import HIDES, SHOWS, answering, codes, frames, heard, state


def encode(events: list[ev.StreamEvent], request: Any = SHOWS) -> tuple[bytes, list[str]]:
    encoder = StreamEncoder(request)
    data = b"".join(encoder.feed([event]) for event in events)
    assert data == StreamEncoder(request).feed(events)
    assert encoder.feed([ev.Heartbeat()]) == b""
    return data, codes(encoder.losses)


def wire_parts(data: bytes) -> list[Any]:
    return [part for frame in frames(data) for part in frame["candidates"][0]["content"]["parts"]]


def test_a_plain_stream_byte_by_byte() -> None:
    data, losses = encode(replay(answering(TextPart('a"é\n'), usage=Usage(3, output_tokens=2), created=0)))
    head = '"modelVersion":"m","responseId":"r","createTime":"1970-01-01T00:00:00Z"'
    usage = '"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}'
    end = '{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}'
    assert data.decode().split("\r\n\r\n") == [
        f'data: {{"candidates":[{{"content":{{"parts":[{{"text":"a\\"é\\n"}}],"role":"model"}},"index":0}}],{head}}}',
        f'data: {{"candidates":[{end}],{usage},{head}}}',
        "",
    ]
    assert losses == []


def test_calls_are_told_when_they_are_whole() -> None:
    events: list[ev.StreamEvent] = [
        ev.Started("r", "m"),
        ev.PartStarted(0, ToolCallPart("1", "f", "")),
        ev.PartStarted(1, ToolCallPart("2", "g", "")),
        ev.ArgumentsDelta(0, '{"a'),
        ev.ArgumentsDelta(1, '{\n "b": 1\r\n}'),
        ev.ArgumentsDelta(0, '":2.0}'),
        ev.PartFinished(0),
        ev.PartFinished(1),
        ev.ChoiceFinished(Finish("tool_calls")),
        ev.Ended(),
    ]
    data, losses = encode(events)
    assert b'"args":{"a":2.0}' in data
    assert b'"args":{"b":1}' in data
    assert wire_parts(data)[:2] == [
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 2.0}}},
        {"functionCall": {"id": "2", "name": "g", "args": {"b": 1}}},
    ]
    assert losses == []


def test_a_state_stands_on_the_first_piece_of_the_text_that_follows() -> None:
    events: list[ev.StreamEvent] = [
        ev.Started("r", "m"),
        ev.PartStarted(0, ReasoningPart("")),
        ev.ReasoningDelta(0, "hm"),
        ev.StateDelta(0, state("c2ln")),
        ev.PartFinished(0),
        ev.PartStarted(1, TextPart("")),
        ev.TextDelta(1, ""),
        ev.TextDelta(1, "a"),
        ev.TextDelta(1, "b"),
        ev.PartFinished(1),
        ev.ChoiceFinished(Finish("stop")),
        ev.Ended(),
    ]
    data, _ = encode(events, HIDES)
    assert wire_parts(data) == [{"text": "a", "thoughtSignature": "c2ln"}, {"text": "b"}, {"text": ""}]
    assert wire_parts(encode(events)[0])[0] == {"text": "hm", "thought": True}


def test_a_state_that_nothing_follows_ends_the_stream() -> None:
    data, _ = encode(replay(answering(TextPart("a"), ReasoningPart("", state("c2ln"), redacted=True))))
    assert frames(data)[-1]["candidates"][0]["content"]["parts"] == [{"text": "", "thoughtSignature": "c2ln"}]


def test_every_choice_ends_in_the_last_chunk() -> None:
    answer = GenerateResponse("r", "m", (Choice((TextPart("a"),)), Choice((RefusalPart("no"),), Finish("refusal"), 1)))
    data, _ = encode(replay(answer))
    first, second, last = frames(data)
    assert (first["candidates"][0]["index"], second["candidates"][0]["index"]) == (0, 1)
    assert [(entry["index"], entry["finishReason"]) for entry in last["candidates"]] == [(0, "OTHER"), (1, "SAFETY")]


def test_sources_are_told_at_the_end() -> None:
    citation = Citation("anthropic_messages", {}, "https://a", "A", None, 0, 1)
    data, _ = encode(replay(answering(TextPart("é"), TextPart("bc", citations=(citation,)))))
    grounding = frames(data)[-1]["candidates"][0]["groundingMetadata"]
    assert grounding["groundingSupports"][0]["segment"] == {"startIndex": 2, "endIndex": 3, "text": "b"}


def test_log_probabilities_are_told_at_the_end() -> None:
    slices = [ev.LogprobsAdded({"content": [{"token": name, "logprob": -1}]}) for name in "ab"]
    events: list[ev.StreamEvent] = [ev.Started("r", "m"), *slices, ev.ChoiceFinished(Finish("stop")), ev.Ended()]
    chosen = frames(encode(events)[0])[-1]["candidates"][0]["logprobsResult"]["chosenCandidates"]
    assert [entry["token"] for entry in chosen] == ["a", "b"]


def test_a_blocked_prompt_has_no_candidate() -> None:
    events: list[ev.StreamEvent] = [
        ev.Started("r", "m", extras={"gemini_generate": {"promptFeedback": {"blockReason": "SAFETY"}}}),
        ev.ChoiceFinished(Finish("content_filter", "SAFETY")),
        ev.Ended(),
    ]
    (frame,) = frames(encode(events)[0])
    assert frame == {"modelVersion": "m", "responseId": "r", "promptFeedback": {"blockReason": "SAFETY"}}


def test_a_keep_alive_is_an_empty_chunk() -> None:
    encoder = StreamEncoder(SHOWS)
    assert encoder.heartbeat() == encoder.feed([ev.Heartbeat()]) == HEARTBEAT


def test_a_broken_answer_ends_with_its_error() -> None:
    failure = Failure("overloaded", "too much", retry_after_s=2)
    data, _ = encode([ev.Started("r", "m"), ev.PartStarted(0, TextPart("a")), ev.Broke(failure)])
    error = frames(data)[-1]["error"]
    assert (error["code"], error["message"], error["status"]) == (503, "too much", "UNAVAILABLE")
    events, _ = heard(data)
    assert isinstance(events[-1], ev.Broke)
    assert (events[-1].failure.kind, events[-1].failure.retry_after_s) == ("unavailable", 2)


@pytest.mark.parametrize(
    ("event", "loss"),
    [
        (ev.OpaqueEvent("anthropic_messages", "odd", {}), "dropped:odd"),
        (ev.PartFinished(0, extras={"openai_chat": {"x": 1}}), "dropped:choices[0].content[0].x"),
        (ev.PartStarted(1, OpaquePart("openai_chat", "odd", {})), "dropped:choices[0].content[1]"),
        (ev.PartStarted(1, ReasoningPart("", extras={"openai_chat": {"x": 1}})), "dropped:choices[0].content[1].x"),
    ],
)
def test_what_a_stream_cannot_tell_is_a_loss(event: ev.StreamEvent, loss: str) -> None:
    encoder = StreamEncoder(SHOWS)
    encoder.feed([ev.Started("r", "m"), ev.PartStarted(0, TextPart("")), event])
    assert codes(encoder.losses) == [loss]


@pytest.mark.parametrize(
    ("end", "loss"),
    [
        (ev.Ended({"anthropic_messages": {"container": {}}}), "dropped:container"),
        (ev.ChoiceFinished(Finish("stop"), extras={"anthropic_messages": {"x": 1}}), "dropped:choices[0].x"),
        (ev.UsageReported(Usage(1, extras={"openai_chat": {"cost": 1}})), "dropped:usage.cost"),
    ],
)
def test_what_the_end_cannot_tell_is_a_loss(end: ev.StreamEvent, loss: str) -> None:
    encoder = StreamEncoder(SHOWS)
    ends = [end] if isinstance(end, ev.Ended) else [end, ev.Ended()]
    encoder.feed([ev.Started("r", "m"), ev.PartStarted(0, TextPart("a")), ev.PartFinished(0), *ends])
    assert codes(encoder.losses) == [loss]


STATES = st.one_of(st.none(), st.builds(state, st.sampled_from(["YQ==", "Yg=="]), st.sampled_from(["", "call", "end"])))
PARTS = st.one_of(
    st.builds(TextPart, st.text("aé\n", max_size=3)),
    st.builds(ReasoningPart, st.text("xy", min_size=1, max_size=3), STATES),
    st.builds(ToolCallPart, st.sampled_from("12"), st.just("f"), st.sampled_from(["{}", '{"a":1}'])),
    st.just(MediaPart("image", "image/png", "AAAA")),
    st.just(OpaquePart("gemini_generate", "toolCall", {"toolCall": {"id": "1"}})),
)


@given(st.lists(PARTS, max_size=6), st.booleans())
def test_what_is_told_is_legal_and_the_same_as_whole(parts: list[Part], shows: bool) -> None:
    answer = answering(*parts, usage=Usage(3, output_tokens=2))
    request = SHOWS if shows else HIDES
    data, losses = encode(replay(answer), request)
    events, heard_losses = heard(data)
    body, whole_losses = encode_response(answer, request)
    assert (losses, heard_losses) == (codes(whole_losses), [])
    assert assemble(events) == decode_response(body, Dialect()).value


@given(st.lists(PARTS, max_size=6))
def test_an_own_answer_comes_back(parts: list[Part]) -> None:
    """What this protocol told once it tells the same way again."""
    once = assemble(heard(encode(replay(answering(*parts)))[0])[0])
    again = assemble(heard(encode(replay(once))[0])[0])
    assert again == once
    assert json.loads(encode_response(once).body)["candidates"][0]["index"] == 0
    assert msgspec.structs.replace(once, choices=()) == msgspec.structs.replace(answering(), choices=())
