"""What of an answer must be looked at, and who listens to it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from anykey.conversation import events as ev
from anykey.conversation.parts import OpaqueState, ReasoningPart, ToolCallPart
from anykey.conversation.response import Finish
from anykey.exchange.carry import Carry
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.reasoning_memory import ReasoningMemory, Thought
from anykey.protocols.anthropic_messages.dialect import Dialect as MessagesDialect
from anykey.protocols.catalog import CODECS
from anykey.protocols.envelope import Sealed, unseal
from anykey.protocols.openai_chat.dialect import Dialect as ChatDialect
from anykey.routing.plan import PlanStep

SECRET = b"secret"
ECHO = ChatDialect(echo_reasoning="always")
SEALS = ChatDialect(echo_reasoning="always", encrypted_content=True)
TOOLS = b'{"tools": [{}]}'


def carry() -> Carry:
    return Carry(SECRET, ReasoningMemory(lambda: 0.0))


def exchange(client: str, body: bytes = TOOLS) -> Exchange:
    made = Exchange("req", Inbound(CODECS[client], (), body, "test"), 0.0, 0)
    made.key = cast("Any", SimpleNamespace(id="k"))
    return made


def step(protocol: str) -> PlanStep:
    endpoint = SimpleNamespace(provider="lab", protocol=protocol)
    return cast("PlanStep", SimpleNamespace(deployment=SimpleNamespace(id="lab/m"), endpoint=endpoint))


def test_text_passes_unseen_where_nobody_reads_it() -> None:
    state = carry().answer(exchange("anthropic_messages"), step("openai_chat"), ChatDialect())
    assert ev.ReasoningDelta in state.passing
    assert ev.StateDelta not in state.passing


def test_an_answer_is_sealed_and_remembered_on_its_way() -> None:
    carried = carry()
    state = carried.answer(exchange("anthropic_messages"), step("openai_chat"), ECHO)
    assert ev.ReasoningDelta not in state.passing
    told = [
        state.event(event)
        for event in (
            ev.PartStarted(0, ReasoningPart("")),
            ev.ReasoningDelta(0, "why"),
            ev.StateDelta(0, OpaqueState("openai_chat", "blob")),
            ev.PartStarted(1, ToolCallPart("c1", "read", "")),
            ev.ChoiceFinished(Finish("tool_calls")),
        )
    ]
    assert isinstance(told[2], ev.StateDelta)
    found = unseal(told[2].state.data, SECRET)
    assert isinstance(found, Sealed)
    assert (found.maker.provider, found.part.state) == ("lab", OpaqueState("openai_chat", "blob"))
    assert carried.memory.recall("k", ["c1"]) == Thought("why")


def test_the_same_protocol_on_both_sides_keeps_its_state_raw() -> None:
    state = carry().answer(exchange("openai_chat"), step("openai_chat"), ChatDialect())
    event = ev.StateDelta(0, OpaqueState("openai_chat", "blob"))
    assert state.event(event) is event


@pytest.mark.parametrize(
    ("body", "dialect", "listens"),
    [
        (TOOLS, ECHO, True),
        (TOOLS, ChatDialect(), False),
        (TOOLS, MessagesDialect(), False),
        (b'{"messages": []}', ECHO, False),
        (b'{"tools": [], "messages": [{"reasoning_content": "mine"}]}', ECHO, False),
        (b'{"tools": [], "messages": [{"reasoning_content": "mine"}]}', SEALS, True),
        (b'{"tools": [], "messages": [{"encrypted_content": "mine"}]}', SEALS, False),
    ],
)
def test_who_listens(body: bytes, dialect: Any, listens: bool) -> None:
    assert (carry().listener(exchange("openai_chat", body), step("openai_chat"), dialect) is not None) is listens
