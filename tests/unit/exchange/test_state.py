"""State at the crossing: sealed in answers, opened or left out in requests."""

import pytest

from anykey.conversation import events as ev
from anykey.conversation.message import Message
from anykey.conversation.parts import OpaqueState, Part, ProtocolName, ReasoningPart, TextPart, ToolCallPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, GenerateResponse
from anykey.exchange.state import Opened, Sealer, may_carry_state, open_states
from anykey.protocols.envelope import Maker, Sealed, derive_secret, seal, unseal

SECRET = derive_secret(b"pepper")
GOOGLE = Maker("gemini_generate", "google", "google/gemini")
STATE = OpaqueState("gemini_generate", "CiQB", "call")
CALL = ToolCallPart("c1", "read", "{}")


def asked(*parts: Part) -> GenerateRequest:
    return GenerateRequest("m", (Message("user", (TextPart("hi"),)), Message("assistant", parts)))


def opened(request: GenerateRequest, maker: Maker = GOOGLE, **more: str) -> Opened:
    return open_states(request, "anthropic_messages", maker, SECRET, **more)


def enveloped(part: ReasoningPart, maker: Maker = GOOGLE, *, with_text: bool = False) -> OpaqueState:
    return OpaqueState("anthropic_messages", seal(part, maker, SECRET, with_text=with_text))


def test_a_request_without_state_is_the_same_object() -> None:
    request = asked(ReasoningPart("thought"), CALL)
    assert opened(request) == Opened(request, (), carries=False)
    assert opened(request).request is request


def test_an_envelope_goes_back_to_its_maker_opened() -> None:
    part = ReasoningPart("Why", STATE)
    told, losses, carries = opened(asked(ReasoningPart("Why", enveloped(part)), CALL))
    assert told.messages[1].parts == (part, CALL)
    assert (losses, carries) == ((), True)


def test_a_redacted_part_is_redacted_again() -> None:
    part = ReasoningPart("", STATE, redacted=True, extras={"gemini_generate": {"x": 1}})
    told = opened(asked(ReasoningPart("", enveloped(part)), CALL)).request
    assert told.messages[1].parts[0] == part


def test_text_in_the_envelope_is_the_makers_own() -> None:
    part = ReasoningPart("exactly this", STATE)
    told = opened(asked(ReasoningPart("", enveloped(part, with_text=True), redacted=True))).request
    assert told.messages[1].parts[0] == part


def test_another_deployment_of_the_same_provider_may_read_it() -> None:
    other = Maker("gemini_generate", "google", "google/other")
    assert opened(asked(ReasoningPart("", enveloped(ReasoningPart("", STATE)))), other).carries


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        (Maker("gemini_generate", "vertex", "vertex/gemini"), "another provider"),
        (Maker("openai_chat", "google", "google/gemini"), "another provider"),
    ],
)
def test_a_foreign_state_is_left_out_and_its_text_stays(maker: Maker, reason: str) -> None:
    told, losses, carries = opened(asked(ReasoningPart("Why", enveloped(ReasoningPart("Why", STATE))), CALL), maker)
    assert told.messages[1].parts == (ReasoningPart("Why"), CALL)
    assert [(loss.code, loss.path) for loss in losses] == [
        ("dropped:messages.content.state", "messages[1].content[0].state")
    ]
    assert reason in losses[0].reason
    assert carries is False


def test_a_broken_seal_is_left_out() -> None:
    state = OpaqueState("anthropic_messages", seal(ReasoningPart("", STATE), GOOGLE, derive_secret(b"other")))
    told, losses, _ = opened(asked(ReasoningPart("", state, redacted=True), CALL))
    assert told.messages[1].parts == (CALL,)
    assert "seal" in losses[0].reason


def test_raw_state_stays_only_where_the_clients_protocol_is_spoken() -> None:
    part = ReasoningPart("Why", OpaqueState("anthropic_messages", "EqQB"))
    own = opened(asked(part), Maker("anthropic_messages", "claude", "claude/opus"))
    assert (own.request.messages[1].parts, own.losses, own.carries) == ((part,), (), True)
    foreign = opened(asked(part))
    assert foreign.request.messages[1].parts == (ReasoningPart("Why"),)
    assert len(foreign.losses) == 1


def test_a_message_of_nothing_but_dropped_state_disappears() -> None:
    told = opened(asked(ReasoningPart("", OpaqueState("anthropic_messages", "EqQB"), redacted=True))).request
    assert [message.role for message in told.messages] == ["user"]


def test_strip_takes_out_all_state_and_says_why() -> None:
    good = ReasoningPart("Why", enveloped(ReasoningPart("Why", STATE)))
    told, losses, carries = opened(asked(good, CALL), strip="refused")
    assert told.messages[1].parts == (ReasoningPart("Why"), CALL)
    assert ([loss.reason for loss in losses], carries) == (["refused"], False)


def sealed(part: Part, client: ProtocolName, text: str = "") -> Sealed:
    assert isinstance(part, ReasoningPart)
    assert part.state is not None
    assert part.text == text
    found = unseal(part.state.data, SECRET)
    assert isinstance(found, Sealed)
    return found


@pytest.mark.parametrize(
    ("client", "origin"),
    [
        ("anthropic_messages", "anthropic_messages"),
        ("openai_responses", "openai_responses"),
        ("openai_chat", "gemini_generate"),  # its slot names the family itself
    ],
)
def test_a_whole_answers_state_is_sealed_in_the_clients_name(client: ProtocolName, origin: str) -> None:
    part = ReasoningPart("Why", STATE)
    answer = GenerateResponse("r", "m", (Choice((part, ReasoningPart("no state"), CALL)),))
    told = Sealer(client, GOOGLE, SECRET).response(answer).choices[0].parts
    assert told[1:] == (ReasoningPart("no state"), CALL)
    found = sealed(told[0], client, "Why")
    assert isinstance(told[0], ReasoningPart)
    assert told[0].state is not None
    assert (told[0].state.origin, told[0].state.place) == (origin, "call")
    assert (found.maker, found.part.state, found.has_text) == (GOOGLE, STATE, client == "openai_chat")


def test_an_answer_without_reasoning_is_the_same_object() -> None:
    answer = GenerateResponse("r", "m", (Choice((TextPart("hi"), CALL)),))
    assert Sealer("anthropic_messages", GOOGLE, SECRET).response(answer) is answer


def test_a_streams_state_is_sealed_and_its_text_goes_along_where_the_slot_has_none() -> None:
    claude = Maker("anthropic_messages", "claude", "claude/opus")
    sealer = Sealer("gemini_generate", claude, SECRET)
    state = OpaqueState("anthropic_messages", "EqQB")
    events = [
        ev.PartStarted(0, ReasoningPart("", extras={"anthropic_messages": {"x": 1}})),
        ev.ReasoningDelta(0, "because "),
        ev.ReasoningDelta(0, "of that"),
        ev.StateDelta(0, state),
    ]
    *before, last = [sealer.event(event) for event in events]
    assert before == events[:-1]
    assert isinstance(last, ev.StateDelta)
    assert last.state.origin == "gemini_generate"
    found = unseal(last.state.data, SECRET)
    assert isinstance(found, Sealed)
    assert found.part == ReasoningPart("because of that", state, extras={"anthropic_messages": {"x": 1}})


def test_a_redacted_part_of_a_stream_is_sealed_at_its_start() -> None:
    part = ReasoningPart("", STATE, redacted=True)
    told = Sealer("anthropic_messages", GOOGLE, SECRET).event(ev.PartStarted(0, part))
    assert isinstance(told, ev.PartStarted)
    assert sealed(told.part, "anthropic_messages").part == part


def test_where_a_body_may_carry_state() -> None:
    assert may_carry_state(b'{"type":"thinking","signature":"E"}', "anthropic_messages")
    assert may_carry_state(b'{"encrypted_content":"g"}', "openai_responses")
    assert may_carry_state(b'{"thoughtSignature":"C"}', "gemini_generate")
    assert not may_carry_state(b'{"messages":[{"role":"user","content":"hi"}]}', "openai_chat")
