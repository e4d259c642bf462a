"""`encrypted_content`: read whole and in pieces, written back where it is taken, a Loss where it is not."""

import json

from anykey.conversation import events as ev
from anykey.conversation.message import Message
from anykey.conversation.parts import OpaqueState, Part, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.sealed import KEY, add_sealed, is_sealed, sealed_in, without_sealed

TAKES = Dialect(encrypted_content=True, echo_reasoning="always")
SEALED = OpaqueState("openai_chat", "djF+abc", KEY)


def chunk(**delta: object) -> bytes:
    value = {"id": "c", "model": "m", "created": 1, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def asked(*parts: Part, dialect: Dialect) -> tuple[dict[str, object], tuple[str, ...]]:
    request = GenerateRequest(
        model="m",
        messages=(Message("user", (TextPart("go"),)), Message("assistant", parts), Message("user", (TextPart("on"),))),
    )
    body, losses = CODEC.encode_request(request, dialect)
    return json.loads(body)["messages"][1], tuple(loss.path for loss in losses)


def test_a_whole_message_has_its_thought_and_the_state_of_it_in_one_part() -> None:
    message = {"role": "assistant", "content": "hi", "reasoning_content": "in short", KEY: "djF+abc"}
    body = {
        "id": "c",
        "model": "m",
        "created": 1,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    answer = CODEC.decode_response(json.dumps(body).encode(), Dialect()).value
    assert answer.choices[0].parts == (ReasoningPart("in short", SEALED), TextPart("hi"))
    told, losses = CODEC.encode_response(answer, GenerateRequest(model="m", messages=()), b"{}")
    again = json.loads(told)["choices"][0]["message"]
    assert (again["reasoning_content"], again[KEY]) == ("in short", "djF+abc")
    assert "reasoning_details" not in again
    assert not losses


def test_a_stream_gives_the_state_after_the_text_and_a_chat_client_the_same_key() -> None:
    wire = chunk(reasoning_content="in short") + chunk(**{KEY: "djF+abc"}) + chunk(content="hi")
    decoder = CODEC.stream_decoder(Dialect())
    events = decoder.feed(wire)
    assert ev.StateDelta(0, SEALED, 0) in events
    encoder = CODEC.stream_encoder(GenerateRequest(model="m", messages=()), b'{"stream":true}')
    assert b'"encrypted_content":"djF+abc"' in encoder.feed(events)


def test_state_without_text_is_a_part_of_its_own() -> None:
    events = CODEC.stream_decoder(Dialect()).feed(chunk(**{KEY: "djF+abc"}) + chunk(content="hi"))
    assert [event.part for event in events if isinstance(event, ev.PartStarted)] == [
        ReasoningPart("", SEALED, redacted=True),
        TextPart(""),
    ]


def test_it_goes_back_beside_the_text_where_it_is_taken() -> None:
    message, lost = asked(ReasoningPart("in short", SEALED), ToolCallPart("1", "f", "{}"), dialect=TAKES)
    assert (message["reasoning_content"], message[KEY]) == ("in short", "djF+abc")
    assert not lost


def test_where_it_is_not_taken_a_loss_says_so() -> None:
    message, lost = asked(ReasoningPart("in short", SEALED), TextPart("x"), dialect=Dialect(echo_reasoning="always"))
    assert message["reasoning_content"] == "in short"
    assert KEY not in message
    assert lost == ("messages[1].content[0].state",)


def test_a_message_has_one_state_the_last() -> None:
    parts: list[Part] = [TextPart("x")]
    add_sealed(parts, "one")
    assert parts[0] == ReasoningPart("", OpaqueState("openai_chat", "one", KEY), redacted=True)
    first, second = ReasoningPart("a", OpaqueState("openai_chat", "one", KEY)), ReasoningPart("b", SEALED)
    assert sealed_in([first, second]) == "djF+abc"
    assert sealed_in([ReasoningPart("a")]) is None
    assert without_sealed(second) == ReasoningPart("b")
    signed = ReasoningPart("c", OpaqueState("anthropic_messages", "s"))
    assert without_sealed(signed) is signed
    assert not is_sealed(None)
