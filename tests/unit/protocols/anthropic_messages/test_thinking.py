from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.thinking import decode_reasoning, encode_reasoning
from anykey.protocols.fields import Fields

ADAPTIVE = Dialect(thinking="adaptive", effort=True)
BUDGET = Dialect()


def encode(asked: Reasoning | None, dialect: Dialect, limit: int = 64000) -> tuple[Any, str | None, list[str]]:
    log = LossLog("request")
    request = GenerateRequest("m", (Message("user", (TextPart("hi"),)),), reasoning=asked)
    thinking = encode_reasoning(request, dialect, limit, log)
    return thinking.thinking, thinking.effort, [f"{loss.kind} {loss.path}" for loss in log.losses]


@pytest.mark.parametrize(
    ("wire", "dialect"),
    [
        ({"type": "enabled", "budget_tokens": 2000, "display": "omitted"}, BUDGET),
        ({"type": "disabled"}, BUDGET),
        ({"type": "adaptive", "display": "summarized", "block_binding": {"a": 1}}, ADAPTIVE),
        ({"type": "between_tools"}, ADAPTIVE),
    ],
)
def test_thinking_comes_back(wire: dict[str, Any], dialect: Dialect) -> None:
    assert encode(decode_reasoning(Fields(dict(wire)), None), dialect) == (wire, None, [])


def test_nothing_said_is_nothing_sent() -> None:
    assert decode_reasoning(None, None) is None
    assert decode_reasoning(None, "low") == Reasoning(effort="low")
    assert encode(None, BUDGET) == (None, None, [])


@pytest.mark.parametrize(
    ("asked", "dialect", "thinking", "effort", "losses"),
    [
        (Reasoning(effort="high"), ADAPTIVE, {"type": "adaptive"}, "high", []),
        (Reasoning(effort="minimal"), ADAPTIVE, {"type": "adaptive"}, "low", ["approximated reasoning.effort"]),
        (Reasoning(effort="none"), ADAPTIVE, {"type": "disabled"}, None, []),
        (Reasoning(effort="wild"), ADAPTIVE, {"type": "adaptive"}, None, ["dropped reasoning.effort"]),
        (
            Reasoning("on", None, 9000),
            ADAPTIVE,
            {"type": "adaptive"},
            "medium",
            ["approximated reasoning.budget_tokens"],
        ),
        (Reasoning("on"), ADAPTIVE, {"type": "adaptive"}, None, ["approximated reasoning.mode"]),
        (Reasoning("off", "low", 5), ADAPTIVE, {"type": "disabled"}, "low", ["dropped reasoning.budget_tokens"]),
        (
            Reasoning(effort="high"),
            BUDGET,
            {"type": "enabled", "budget_tokens": 24576},
            None,
            ["approximated reasoning.effort"],
        ),
        (
            Reasoning(effort="minimal"),
            BUDGET,
            {"type": "enabled", "budget_tokens": 1024},
            None,
            ["approximated reasoning.effort"],
        ),
        (
            Reasoning("adaptive"),
            BUDGET,
            {"type": "enabled", "budget_tokens": 8192},
            None,
            ["approximated reasoning.mode"],
        ),
        (
            Reasoning("on", "low", 3000),
            BUDGET,
            {"type": "enabled", "budget_tokens": 3000},
            None,
            ["dropped reasoning.effort"],
        ),
        (Reasoning(effort="none"), BUDGET, {"type": "disabled"}, None, []),
        (
            Reasoning("on", "low", 9, "omitted"),
            Dialect(thinking="none"),
            None,
            None,
            [
                "dropped reasoning.mode",
                "dropped reasoning.budget_tokens",
                "dropped reasoning.display",
                "dropped reasoning.effort",
            ],
        ),
        (
            Reasoning("on", extras={"openai_chat": {"x": 1}}),
            BUDGET,
            {"type": "enabled", "budget_tokens": 8192},
            None,
            ["dropped reasoning.x"],
        ),
    ],
)
def test_reasoning_by_dialect(
    asked: Reasoning, dialect: Dialect, thinking: Any, effort: str | None, losses: list[str]
) -> None:
    assert encode(asked, dialect) == (thinking, effort, losses)


def test_a_budget_stays_below_the_limit_of_the_answer() -> None:
    wire, _, losses = encode(Reasoning("on", None, 5000), BUDGET, 4000)
    assert (wire, losses) == ({"type": "enabled", "budget_tokens": 3999}, ["approximated reasoning.budget_tokens"])
    assert encode(Reasoning("on", None, 5000), BUDGET, 1024) == (None, None, ["dropped reasoning"])


def test_a_budget_below_the_least_is_raised_to_it() -> None:
    wire, _, losses = encode(Reasoning("on", None, 0), BUDGET, 4000)
    assert (wire, losses) == ({"type": "enabled", "budget_tokens": 1024}, ["approximated reasoning.budget_tokens"])
