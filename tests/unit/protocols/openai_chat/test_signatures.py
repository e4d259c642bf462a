"""A signature that stands on a call, read and written wherever calls are."""

import json
from typing import Any

import pytest

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble, replay
from anykey.conversation.message import Message
from anykey.conversation.parts import OpaqueState, Part, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.signatures import call_state, read_signed, sign_call

CALL = ToolCallPart("c1", "read", "{}")
STATE = ReasoningPart("", OpaqueState("gemini_generate", "CiQB", "call"), redacted=True)
SIGNED = {"google": {"thought_signature": "CiQB"}}
WIRE = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}


def decoded(message: dict[str, Any]) -> tuple[Part, ...]:
    body = json.dumps({"model": "m", "messages": [{"role": "assistant", "content": None, **message}]}).encode()
    return CODEC.decode_request(body, RequestPath()).value.messages[0].parts


def encoded(*parts: Part) -> dict[str, Any]:
    request = GenerateRequest("m", (Message("assistant", parts),))
    return json.loads(CODEC.encode_request(request, Dialect(reasoning_details=True, echo_reasoning="always")).body)[
        "messages"
    ][0]


def test_a_signed_call_of_a_client_is_state_before_the_call() -> None:
    assert decoded({"tool_calls": [{**WIRE, "extra_content": SIGNED}]}) == (STATE, CALL)


def test_what_the_details_told_already_is_told_once() -> None:
    detail = {"type": "reasoning.encrypted", "data": "CiQB", "format": "google-gemini-v1"}
    parts = decoded({"reasoning_details": [detail], "tool_calls": [{**WIRE, "extra_content": SIGNED}]})
    assert parts == (ReasoningPart("", OpaqueState("gemini_generate", "CiQB"), redacted=True), CALL)


@pytest.mark.parametrize(
    "content", [{}, {"google": {}}, {"google": {"thought_signature": "x", "more": 1}}, {"other": SIGNED}]
)
def test_other_content_stays_with_the_call(content: dict[str, Any]) -> None:
    call = ToolCallPart("c1", "read", "{}", extras={"openai_chat": {"extra_content": content}})
    assert read_signed(call, []) == [call]


def test_an_upstream_gets_the_signature_on_the_call() -> None:
    message = encoded(STATE, CALL, ToolCallPart("c2", "read", "{}"))
    assert [call.get("extra_content") for call in message["tool_calls"]] == [SIGNED, None]
    assert "reasoning_details" not in message


def test_a_signature_without_its_call_stands_in_the_details() -> None:
    assert encoded(STATE, TextPart("hi"))["reasoning_details"][0]["data"] == "CiQB"


def test_a_client_is_told_it_in_both_places() -> None:
    answer = GenerateResponse("r", "m", (Choice((STATE, CALL), Finish("tool_calls")),), created=1)
    message = json.loads(CODEC.encode_response(answer).body)["choices"][0]["message"]
    assert message["tool_calls"] == [{**WIRE, "extra_content": SIGNED}]
    assert message["reasoning_details"][0]["data"] == "CiQB"
    told = CODEC.stream_encoder(GenerateRequest("m", ())).feed(replay(answer))
    assert told.count(b'"extra_content":{"google":{"thought_signature":"CiQB"}}') == 1


def test_state_that_comes_as_a_delta_is_put_on_the_call_too() -> None:
    assert STATE.state is not None
    events: list[ev.StreamEvent] = [
        ev.Started("r", "m", 1),
        ev.PartStarted(0, ReasoningPart("")),
        ev.StateDelta(0, STATE.state),
        ev.PartFinished(0),
        ev.PartStarted(1, CALL),
    ]
    assert b'"thought_signature":"CiQB"' in CODEC.stream_encoder(GenerateRequest("m", ())).feed(events)


def test_an_upstreams_signed_call_is_read_whole_and_streamed() -> None:
    call = {**WIRE, "index": 0, "extra_content": SIGNED}
    choice = {"index": 0, "finish_reason": "tool_calls"}
    head = {"id": "r", "created": 1, "model": "m"}
    whole = {**head, "choices": [{**choice, "message": {"role": "assistant", "tool_calls": [call]}}]}
    answer = CODEC.decode_response(json.dumps(whole).encode(), Dialect()).value
    assert answer.choices[0].parts == (STATE, CALL)
    chunk = {**head, "choices": [{**choice, "delta": {"tool_calls": [call]}}]}
    decoder = CODEC.stream_decoder(Dialect())
    events = decoder.feed(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
    assert assemble([*events, *decoder.close()]).choices[0].parts == (STATE, CALL)


def test_a_stream_that_tells_a_signature_twice_has_it_once() -> None:
    """As this gateway's own streams do, for clients that know the one place and those that know the other."""
    events = replay(GenerateResponse("r", "m", (Choice((STATE, CALL), Finish("tool_calls")),)))
    told = CODEC.stream_encoder(GenerateRequest("m", ())).feed(events)
    assert (told.count(b'"data":"CiQB"'), told.count(b'"thought_signature":"CiQB"')) == (1, 1)
    decoder = CODEC.stream_decoder(Dialect())
    (choice,) = assemble([*decoder.feed(told), *decoder.close()]).choices
    assert [type(part) for part in choice.parts] == [ReasoningPart, ToolCallPart]


def test_only_a_signature_of_a_call_goes_on_a_call() -> None:
    assert call_state(STATE) == "CiQB"
    assert call_state(ReasoningPart("", OpaqueState("gemini_generate", "x", "text"))) is None
    assert call_state(ReasoningPart("", OpaqueState("anthropic_messages", "x", "call"))) is None
    assert call_state(ReasoningPart("why")) is None
    entry: dict[str, Any] = {"id": "c1"}
    sign_call(entry, None)
    assert entry == {"id": "c1"}
