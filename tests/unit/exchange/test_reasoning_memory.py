"""Reasoning that a client drops and its upstream demands: what is remembered, for whom, how long, and where it is put back."""

import json
from typing import Any

import pytest

from anykey.conversation import events as ev
from anykey.conversation.message import Message
from anykey.conversation.parts import Json, OpaqueState, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice, Finish, GenerateResponse
from anykey.exchange.reasoning_memory import (
    KEPT_S,
    MOST_BYTES,
    MOST_ENTRIES,
    NOTHING,
    ReasoningListener,
    ReasoningMemory,
    Recollection,
    Thought,
    demands_echo,
    refill_chat_body,
    refill_request,
)
from anykey.protocols.anthropic_messages.dialect import Dialect as MessagesDialect
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.sealed import sealed_state

ALWAYS = Dialect(echo_reasoning="always")
SEALS = Dialect(echo_reasoning="always", encrypted_content=True)
IN_TURN = Dialect(echo_reasoning="tool_turn")
CALL = ToolCallPart("c1", "read", "{}")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> ReasoningMemory:
    return ReasoningMemory(clock)


def own(memory: ReasoningMemory, provider: str = "lab") -> Recollection:
    return Recollection(memory, "k", provider)


def test_a_memory_is_one_keys_own_and_ends(memory: ReasoningMemory, clock: Clock) -> None:
    memory.remember("k1", "c1", Thought("because"))
    assert memory.recall("k1", ["c0", "c1"]) == Thought("because")
    assert memory.recall("k2", ["c1"]) == NOTHING
    clock.now += KEPT_S - 1
    assert memory.recall("k1", ["c1"]) == Thought("because")
    clock.now += 1
    assert memory.recall("k1", ["c1"]) == NOTHING


def test_the_oldest_entries_make_room(memory: ReasoningMemory) -> None:
    for number in range(MOST_ENTRIES + 1):
        memory.remember("k", str(number), Thought("x"))
    assert (memory.recall("k", ["0"]), memory.recall("k", ["1"])) == (NOTHING, Thought("x"))
    memory.remember("k", "large", Thought("y" * (MOST_BYTES - 1)))
    assert (memory.recall("k", [str(MOST_ENTRIES - 1)]), memory.recall("k", [str(MOST_ENTRIES)])) == (
        NOTHING,
        Thought("x"),
    )
    memory.remember("k", "larger", Thought("y" * (MOST_BYTES + 1)))
    assert memory.recall("k", ["larger"]) == NOTHING


def test_what_is_told_twice_is_counted_once(memory: ReasoningMemory) -> None:
    for _ in range(4):
        memory.remember("k", "c", Thought("y" * (MOST_BYTES // 2)))
    memory.remember("k", "d", Thought("y" * (MOST_BYTES // 2)))
    assert memory.recall("k", ["c"])


def test_a_stream_is_heard(memory: ReasoningMemory) -> None:
    listener = ReasoningListener(own(memory))
    for event in (
        ev.PartStarted(0, ReasoningPart("")),
        ev.ReasoningDelta(0, "be"),
        ev.ReasoningDelta(0, "cause"),
        ev.PartStarted(1, CALL),
        ev.PartStarted(2, ToolCallPart("c2", "read", "")),
    ):
        listener.event(event)
    assert memory.recall("k", ["c1"]) == NOTHING
    listener.event(ev.ChoiceFinished(Finish("tool_calls")))
    assert memory.recall("k", ["c1"]) == Thought("because")


def test_a_whole_answer_is_heard_if_it_calls_tools(memory: ReasoningMemory) -> None:
    listener = ReasoningListener(own(memory))
    listener.response(GenerateResponse("r", "m", (Choice((ReasoningPart("no call"), TextPart("hi"))),)))
    listener.response(GenerateResponse("r", "m", (Choice((ReasoningPart("why"), CALL)),)))
    assert memory.recall("k", ["c1"]) == Thought("why")


def test_who_demands_the_echo() -> None:
    assert demands_echo(ALWAYS)
    assert demands_echo(IN_TURN)
    assert not demands_echo(Dialect())
    assert not demands_echo(Dialect(echo_reasoning="always", reasoning_field="none"))
    assert not demands_echo(MessagesDialect())


def conversation() -> GenerateRequest:
    """Two tool turns, the user speaking between them."""
    return GenerateRequest(
        "m",
        (
            Message("user", (TextPart("first"),)),
            Message("assistant", (CALL,)),
            Message("tool", (ToolResultPart("c1", (TextPart("r"),)),)),
            Message("user", (TextPart("second"),)),
            Message("assistant", (TextPart("I will"), ToolCallPart("c2", "read", "{}"))),
            Message("tool", (ToolResultPart("c2", (TextPart("r"),)),)),
        ),
    )


@pytest.mark.parametrize(("dialect", "filled"), [(ALWAYS, [1, 4]), (IN_TURN, [4])])
def test_a_request_gets_back_what_is_missing(memory: ReasoningMemory, dialect: Dialect, filled: list[int]) -> None:
    memory.remember("k", "c1", Thought("one"))
    memory.remember("k", "c2", Thought("two"))
    told = refill_request(conversation(), dialect, own(memory)).messages
    assert [index for index, message in enumerate(told) if type(message.parts[0]) is ReasoningPart] == filled
    assert told[4].parts == (ReasoningPart("two"), TextPart("I will"), ToolCallPart("c2", "read", "{}"))


def test_a_request_that_lacks_nothing_or_is_not_known_is_the_same_object(memory: ReasoningMemory) -> None:
    request = conversation()
    assert refill_request(request, ALWAYS, own(memory)) is request
    memory.remember("k", "c1", Thought("one"))
    told = GenerateRequest("m", (Message("assistant", (ReasoningPart("mine"), CALL)),))
    assert refill_request(told, ALWAYS, own(memory)) is told


def chat_body(**more: Any) -> bytes:
    call = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call], **more},
        {"role": "tool", "tool_call_id": "c1", "content": "r"},
    ]
    return json.dumps({"model": "m", "temperature": 1.50, "messages": messages}, indent=1).encode()


def test_a_body_gets_back_what_is_missing(memory: ReasoningMemory) -> None:
    memory.remember("k", "c1", Thought("why"))
    told = json.loads(refill_chat_body(chat_body(), ALWAYS, own(memory)))
    wanted = json.loads(chat_body(reasoning_content="why"))
    assert told == wanted
    other = Dialect(echo_reasoning="always", reasoning_field="reasoning")
    assert json.loads(refill_chat_body(chat_body(), other, own(memory))) == json.loads(chat_body(reasoning="why"))


def test_what_nobody_knows_goes_back_empty(memory: ReasoningMemory) -> None:
    told = json.loads(refill_chat_body(chat_body(), ALWAYS, own(memory)))
    assert told["messages"][1]["reasoning_content"] == ""
    silent = Dialect(echo_reasoning="always", empty_reasoning=False)
    assert json.loads(refill_chat_body(chat_body(), silent, own(memory))) == json.loads(chat_body())


@pytest.mark.parametrize(
    "body",
    [
        chat_body(reasoning_content="mine"),
        chat_body(reasoning_content=""),
        chat_body(reasoning_details=[]),
        b'{"model":"m","messages":[{"role":"user","content":"hi"}]}',
        b'{"messages":[{"role":"assistant","tool_calls":[{"id":7}]}]}',
        b'{"messages":[{"role":"assistant","tool_calls":[{',
    ],
)
def test_a_body_that_lacks_nothing_or_cannot_be_read_is_the_same_object(memory: ReasoningMemory, body: bytes) -> None:
    assert refill_chat_body(body, ALWAYS, own(memory)) is body


def test_an_earlier_turn_is_left_alone_where_only_this_one_counts(memory: ReasoningMemory) -> None:
    value = json.loads(chat_body())
    value["messages"].append({"role": "user", "content": "and now?"})
    body = json.dumps(value).encode()
    assert refill_chat_body(body, IN_TURN, own(memory)) is body
    assert refill_chat_body(body, ALWAYS, own(memory)) is not body


def sealed_answer() -> GenerateResponse:
    return GenerateResponse("r", "m", (Choice((ReasoningPart("in short", sealed_state("djF+")), CALL)),))


def test_a_sealed_thought_is_heard_whole_or_as_a_stream(memory: ReasoningMemory) -> None:
    ReasoningListener(own(memory)).response(sealed_answer())
    assert own(memory).recall(["c1"]) == Thought("in short", "djF+", "lab")
    listener = ReasoningListener(own(memory))
    for event in (
        ev.PartStarted(0, ReasoningPart("")),
        ev.ReasoningDelta(0, "shorter"),
        ev.StateDelta(0, sealed_state("djF2")),
        ev.StateDelta(0, OpaqueState("openai_chat", "a signature")),
        ev.PartStarted(1, CALL),
        ev.ChoiceFinished(Finish("tool_calls")),
    ):
        listener.event(event)
    assert own(memory).recall(["c1"]) == Thought("shorter", "djF2", "lab")


def test_a_sealed_thought_without_a_text_is_heard_too(memory: ReasoningMemory) -> None:
    listener = ReasoningListener(own(memory))
    listener.event(ev.PartStarted(0, ReasoningPart("", sealed_state("djF+"), redacted=True)))
    listener.event(ev.PartStarted(1, CALL))
    listener.event(ev.ChoiceFinished(Finish("tool_calls")))
    assert own(memory).recall(["c1"]) == Thought("", "djF+", "lab")


def test_what_is_sealed_is_for_its_maker_alone(memory: ReasoningMemory) -> None:
    ReasoningListener(own(memory)).response(sealed_answer())
    assert own(memory, "other").recall(["c1"]) == Thought("in short")
    told = json.loads(refill_chat_body(chat_body(), SEALS, own(memory, "other")))
    assert told == json.loads(chat_body(reasoning_content="in short"))


@pytest.mark.parametrize(
    ("said", "filled"),
    [
        ({}, {"reasoning_content": "in short", "encrypted_content": "djF+"}),
        ({"reasoning_content": "kept"}, {"reasoning_content": "kept", "encrypted_content": "djF+"}),
        (
            {"reasoning_content": "kept", "encrypted_content": None},
            {"reasoning_content": "kept", "encrypted_content": "djF+"},
        ),
    ],
)
def test_a_body_gets_its_sealed_thought_back(memory: ReasoningMemory, said: Json, filled: Json) -> None:
    ReasoningListener(own(memory)).response(sealed_answer())
    assert json.loads(refill_chat_body(chat_body(**said), SEALS, own(memory))) == json.loads(chat_body(**filled))


def test_a_body_with_its_sealed_thought_is_the_same_object(memory: ReasoningMemory) -> None:
    ReasoningListener(own(memory)).response(sealed_answer())
    body = chat_body(encrypted_content="mine")
    assert refill_chat_body(body, SEALS, own(memory)) is body
    unknown = chat_body(reasoning_content="kept").replace(b'"c1"', b'"c9"')
    assert refill_chat_body(unknown, SEALS, own(memory)) is unknown


def test_a_request_gets_its_sealed_thought_back(memory: ReasoningMemory) -> None:
    ReasoningListener(own(memory)).response(sealed_answer())
    whole = ReasoningPart("in short", sealed_state("djF+"))
    bare = GenerateRequest("m", (Message("assistant", (CALL,)),))
    assert refill_request(bare, SEALS, own(memory)).messages[0].parts == (whole, CALL)
    kept = GenerateRequest("m", (Message("assistant", (ReasoningPart("kept"), CALL)),))
    assert refill_request(kept, SEALS, own(memory)).messages[0].parts == (
        ReasoningPart("kept", sealed_state("djF+")),
        CALL,
    )
    assert refill_request(kept, ALWAYS, own(memory)) is kept
    assert refill_request(kept, SEALS, own(memory, "other")) is kept
    full = GenerateRequest("m", (Message("assistant", (whole, CALL)),))
    assert refill_request(full, SEALS, own(memory)) is full
