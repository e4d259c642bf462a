"""When a turn under way has to go on without thinking."""

import pytest

from anykey.conversation.message import Message
from anykey.conversation.parts import OpaqueState, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.exchange.state import Opened
from anykey.exchange.unthought import go_on_without
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.bedrock_converse.dialect import Dialect as ConverseDialect
from anykey.protocols.openai_chat.dialect import Dialect as ChatDialect

BUDGET = Dialect(thinking="budget")
USER = Message("user", (TextPart("hi"),))
CALL = ToolCallPart("c1", "read", "{}")
RESULT = Message("tool", (ToolResultPart("c1", (TextPart("r"),)),))
THOUGHT = ReasoningPart("why", OpaqueState("anthropic_messages", "E"))
HARD = Reasoning(effort="high")


def asked(*messages: Message, reasoning: Reasoning | None = HARD) -> Opened:
    return Opened(GenerateRequest("m", messages, reasoning=reasoning), (), carries=False)


def said(*parts: Part) -> Message:
    return Message("assistant", parts)


@pytest.mark.parametrize("dialect", [BUDGET, ConverseDialect(thinking="budget")])
@pytest.mark.parametrize(
    "messages",
    [
        (USER, said(CALL), RESULT),
        (USER, said(ReasoningPart("no state"), CALL), RESULT, RESULT),
        (USER, said(THOUGHT, CALL), RESULT, said(CALL), RESULT),
        (USER, said(CALL), Message("user", (*RESULT.parts, TextPart("and")))),
    ],
)
def test_a_turn_without_its_thinking_goes_on_without(messages: tuple[Message, ...], dialect: object) -> None:
    told = go_on_without(asked(*messages), dialect)
    assert told.request.reasoning == Reasoning(mode="off")
    assert [loss.code for loss in told.losses] == ["dropped:reasoning"]


@pytest.mark.parametrize(
    "opened",
    [
        asked(USER),
        asked(USER, said(THOUGHT, CALL), RESULT),
        asked(USER, said(THOUGHT), said(CALL), RESULT),  # a Responses client's items, one message each
        asked(USER, said(CALL), RESULT, said(TextPart("done")), USER),
        asked(USER, said(CALL), RESULT, reasoning=None),
        asked(USER, said(CALL), RESULT, reasoning=Reasoning(mode="off")),
    ],
)
def test_what_is_left_alone(opened: Opened) -> None:
    assert go_on_without(opened, BUDGET) is opened


@pytest.mark.parametrize("dialect", [Dialect(thinking="adaptive"), Dialect(thinking="none"), ChatDialect()])
def test_only_a_budget_minds(dialect: object) -> None:
    opened = asked(USER, said(CALL), RESULT)
    assert go_on_without(opened, dialect) is opened
