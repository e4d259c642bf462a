"""What parts become on the wire, whole and streamed alike."""

import json
from typing import Any

import pytest

from anykey.conversation.assembly import replay
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.protocols.gemini_generate.candidates_encoding import add_service_tier, head_of_answer, shows_thoughts
from anykey.protocols.gemini_generate.response import encode_response
from anykey.protocols.gemini_generate.stream_encoding import StreamEncoder
from tests.unit.protocols.gemini_generate.answers import HIDES, SHOWS, answering, codes, frames, state


def told(*parts: Part, request: GenerateRequest = SHOWS) -> tuple[list[Any], list[str]]:
    """The wire parts of an answer and the codes of its losses; a stream tells the same ones."""
    body, losses = encode_response(answering(*parts), request)
    entries: list[Any] = json.loads(body)["candidates"][0]["content"]["parts"]
    encoder = StreamEncoder(request)
    streamed = frames(encoder.feed(replay(answering(*parts))))
    pieces = [part for frame in streamed for part in frame["candidates"][0]["content"]["parts"]]
    assert [piece for piece in pieces if piece != {"text": ""}] == entries
    assert sorted(codes(encoder.losses)) == sorted(codes(losses))
    return entries, codes(losses)


CALL = ToolCallPart("1", "f", '{"a":1}')
WIRE_CALL: dict[str, Any] = {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}}


WITH_A_PLACE: list[Any] = [
    ((TextPart("a"),), [{"text": "a"}]),
    ((TextPart(""),), []),
    ((RefusalPart("no"),), [{"text": "no"}]),
    ((CALL,), [WIRE_CALL]),
    ((ToolCallPart("1", "f", ""),), [{"functionCall": {"id": "1", "name": "f", "args": {}}}]),
    (
        (ToolCallPart("1", "f", "free", "custom"),),
        [{"functionCall": {"id": "1", "name": "f", "args": {"input": "free"}}}],
    ),
    ((MediaPart("image", "image/png", "AAAA"),), [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]),
    ((MediaPart("image", url="https://x/i"),), [{"fileData": {"fileUri": "https://x/i"}}]),
    ((OpaquePart("gemini_generate", "toolCall", {"toolCall": {}}),), [{"toolCall": {}}]),
    ((TextPart("a", extras={"gemini_generate": {"partMetadata": 1}}),), [{"text": "a", "partMetadata": 1}]),
    ((TextPart("", extras={"gemini_generate": {"partMetadata": 1}}),), [{"text": "", "partMetadata": 1}]),
]


@pytest.mark.parametrize(("parts", "entries"), WITH_A_PLACE)
def test_parts_with_a_place(parts: tuple[Part, ...], entries: list[Any]) -> None:
    assert told(*parts) == (entries, [])


WITHOUT_A_PLACE: list[Any] = [
    (
        ToolCallPart("1", "f", "{cut"),
        [{"functionCall": {"id": "1", "name": "f", "args": {"_raw": "{cut"}}}],
        ["approximated:choices[0].content[0].arguments"],
    ),
    (
        ToolCallPart("1", "f", "", namespace="n"),
        [{"functionCall": {"id": "1", "name": "f", "args": {}}}],
        ["dropped:choices[0].content[0].namespace"],
    ),
    (ToolCallPart("1", "web", "{}", "hosted"), [], ["dropped:choices[0].content[0]"]),
    (OpaquePart("openai_responses", "mcp_call", {}), [], ["dropped:choices[0].content[0]"]),
    (ToolResultPart("1"), [], ["dropped:choices[0].content[0]"]),
    (MediaPart("document", text="t"), [{"text": "t"}], ["approximated:choices[0].content[0]"]),
    (
        MediaPart("image", "image/png", "AAAA", title="T"),
        [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
        ["dropped:choices[0].content[0].title"],
    ),
    (TextPart("a", extras={"openai_chat": {"k": 1}}), [{"text": "a"}], ["dropped:choices[0].content[0].k"]),
    (
        ReasoningPart("hm", OpaqueState("anthropic_messages", "s"), extras={"openai_chat": {"k": 1}}),
        [{"text": "hm", "thought": True}],
        ["dropped:choices[0].content[0].k", "dropped:choices[0].content[0].state"],
    ),
]


@pytest.mark.parametrize(("part", "entries", "losses"), WITHOUT_A_PLACE)
def test_what_has_no_place_is_a_loss(part: Part, entries: list[Any], losses: list[str]) -> None:
    found = told(part)
    assert (found[0], sorted(found[1])) == (entries, losses)


def test_a_state_is_the_signature_of_the_next_part() -> None:
    thought = ReasoningPart("hm", state("c2ln"))
    shown = {"text": "hm", "thought": True}
    assert told(thought, CALL, CALL)[0] == [shown, {**WIRE_CALL, "thoughtSignature": "c2ln"}, WIRE_CALL]
    assert told(thought, TextPart("a"), CALL)[0] == [shown, {"text": "a", "thoughtSignature": "c2ln"}, WIRE_CALL]
    assert told(thought, TextPart(""), CALL)[0] == [shown, {**WIRE_CALL, "thoughtSignature": "c2ln"}]
    medium = told(ReasoningPart("", state("c2ln", "media"), redacted=True), MediaPart("image", "image/png", "A"))[0]
    assert medium == [{"inlineData": {"mimeType": "image/png", "data": "A"}, "thoughtSignature": "c2ln"}]


def test_a_state_that_nothing_follows_stands_on_an_empty_text() -> None:
    alone = {"text": "", "thoughtSignature": "c2ln"}
    assert told(TextPart("a"), ReasoningPart("", state("c2ln"), redacted=True))[0] == [{"text": "a"}, alone]
    ended = told(ReasoningPart("", state("c2ln", "end"), redacted=True), TextPart("a"))[0]
    assert ended == [alone, {"text": "a"}]
    two = told(ReasoningPart("", state("c2ln")), ReasoningPart("", state("dHdv")), CALL)[0]
    assert two == [alone, {**WIRE_CALL, "thoughtSignature": "dHdv"}]
    opaque = OpaquePart("gemini_generate", "toolCall", {"toolCall": {}})
    assert told(ReasoningPart("", state("c2ln")), opaque, CALL)[0][1:] == [{**WIRE_CALL, "thoughtSignature": "c2ln"}]


def test_thoughts_are_shown_to_those_who_asked_and_states_to_all() -> None:
    parts = (ReasoningPart("hm", state("c2ln")), ReasoningPart("so", state("dHdv", "thought")), CALL)
    signed = {**WIRE_CALL, "thoughtSignature": "dHdv"}
    alone = {"text": "", "thoughtSignature": "c2ln"}
    assert told(*parts, request=HIDES)[0] == [alone, signed]
    whole = json.loads(encode_response(answering(*parts), SHOWS).body)["candidates"][0]["content"]["parts"]
    assert whole[0] == {"text": "hm", "thought": True}
    assert whole[2] == {"text": "so", "thought": True, "thoughtSignature": "dHdv"}


@pytest.mark.parametrize(
    ("request_", "shows"),
    [
        (None, True),
        (GenerateRequest("m", ()), False),
        (GenerateRequest("m", (), reasoning=Reasoning("on", display="omitted")), False),
        (GenerateRequest("m", (), reasoning=Reasoning(display="summarized")), True),
    ],
)
def test_who_is_shown_thoughts(request_: GenerateRequest | None, shows: bool) -> None:
    assert shows_thoughts(request_) is shows


def test_the_head_of_an_answer() -> None:
    assert head_of_answer("r", "m", 1777924862) == {
        "modelVersion": "m",
        "responseId": "r",
        "createTime": "2026-05-04T20:01:02Z",
    }
    made_up = head_of_answer("", "m", None, "seed")
    assert made_up == head_of_answer("", "m", None, "seed")
    assert len(made_up["responseId"]) == 24
    assert "createTime" not in head_of_answer("r", "m", 1777924862000), "milliseconds are no date"


def test_service_tiers() -> None:
    log = LossLog("response")
    usage: dict[str, Any] = {}
    add_service_tier(usage, None, log)
    assert usage == {}
    add_service_tier(usage, "default", log)
    assert usage == {"serviceTier": "standard"}
    add_service_tier({}, "scale", log)
    assert codes(log.losses) == ["dropped:service_tier"]


def test_what_a_thought_without_text_says_besides_is_a_loss() -> None:
    _, losses = told(ReasoningPart("", state("c2ln"), extras={"openai_chat": {"x_vendor": 1}}))
    assert losses == ["dropped:choices[0].content[0].x_vendor"]
