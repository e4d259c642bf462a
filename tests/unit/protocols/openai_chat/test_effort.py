from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.request import Reasoning
from anykey.protocols.fields import Fields
from anykey.protocols.openai_chat.dialect import Dialect
from anykey.protocols.openai_chat.effort import encode_effort, read_effort
from tests.unit.protocols.openai_chat.samples import codes


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({}, None),
        ({"reasoning_effort": "high"}, Reasoning(effort="high")),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning("on", None, 2048)),
        ({"thinking": {"type": "disabled"}}, Reasoning("off")),
        ({"thinking": {"type": "auto"}}, Reasoning("auto")),
        ({"enable_thinking": True, "thinking_budget": 500}, Reasoning("on", None, 500)),
        ({"enable_thinking": False}, Reasoning("off")),
        ({"reasoning": {"effort": "low", "exclude": True}}, Reasoning(effort="low", display="omitted")),
        ({"reasoning": {"max_tokens": 9, "enabled": True}}, Reasoning("on", None, 9)),
        ({"reasoning": {"summary": "auto"}}, Reasoning(extras={"openai_chat": {"summary": "auto"}})),
    ],
)
def test_every_spelling_is_read(body: dict[str, Any], asked: Reasoning | None) -> None:
    fields = Fields(body)
    assert read_effort(fields) == asked
    assert fields.rest() == {}


SWITCH, ENABLE, OBJECT = (
    Dialect(thinking_switch="thinking_type"),
    Dialect(thinking_switch="enable_thinking", reasoning_effort=False),
    Dialect(reasoning_details=True),
)
BARE = Dialect(reasoning_effort=False)
AUTO = Dialect(thinking_switch="thinking_type", thinking_auto=True, efforts="minimal, low, medium, high")
ALWAYS = Dialect(thinking_switch="thinking_type", thinking_off="impossible", efforts="low, high, max")
MINIMAL = Dialect(thinking_switch="thinking_type", thinking_off="minimal")


@pytest.mark.parametrize(
    ("asked", "dialect", "body", "losses"),
    [
        (Reasoning(effort="high"), Dialect(), {"reasoning_effort": "high"}, []),
        (Reasoning(effort="none"), Dialect(), {"reasoning_effort": "none"}, []),
        (Reasoning(effort="high"), BARE, {}, ["dropped:reasoning.effort"]),
        (
            Reasoning("on", None, 9000),
            Dialect(),
            {"reasoning_effort": "medium"},
            ["approximated:reasoning.budget_tokens", "approximated:reasoning.mode"],
        ),
        (Reasoning("adaptive"), Dialect(), {}, ["dropped:reasoning.mode"]),
        (Reasoning("off"), Dialect(), {}, ["dropped:reasoning.mode"]),
        (Reasoning("off"), SWITCH, {"thinking": {"type": "disabled"}}, []),
        (
            Reasoning("off", "high", 2000),
            SWITCH,
            {"thinking": {"type": "disabled"}},
            ["dropped:reasoning.effort", "dropped:reasoning.budget_tokens"],
        ),
        (Reasoning("on"), SWITCH, {"thinking": {"type": "enabled"}}, []),
        (Reasoning("auto"), SWITCH, {"thinking": {"type": "auto"}}, []),
        (
            Reasoning("adaptive", "low"),
            SWITCH,
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
            ["approximated:reasoning.mode"],
        ),
        (
            Reasoning("adaptive", "xhigh"),
            AUTO,
            {"thinking": {"type": "auto"}, "reasoning_effort": "high"},
            ["approximated:reasoning.effort"],
        ),
        (Reasoning(effort="minimal"), AUTO, {"reasoning_effort": "minimal"}, []),
        (Reasoning(effort="much"), AUTO, {}, ["dropped:reasoning.effort"]),
        (
            Reasoning("on", None, 9000),
            ALWAYS,
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
            ["approximated:reasoning.budget_tokens"],
        ),
        (Reasoning("off"), ALWAYS, {"reasoning_effort": "low"}, ["approximated:reasoning.mode"]),
        (Reasoning(effort="none"), ALWAYS, {"reasoning_effort": "low"}, ["approximated:reasoning.effort"]),
        (Reasoning(effort="minimal"), ALWAYS, {"reasoning_effort": "low"}, ["approximated:reasoning.effort"]),
        (Reasoning(effort="max"), ALWAYS, {"reasoning_effort": "max"}, []),
        (
            Reasoning("off"),
            Dialect(thinking_off="impossible", reasoning_effort=False),
            {},
            ["dropped:reasoning.mode"],
        ),
        (
            Reasoning("off", "high"),
            MINIMAL,
            {"reasoning_effort": "minimal"},
            ["dropped:reasoning.effort", "emulated:reasoning.mode"],
        ),
        (Reasoning(effort="none"), MINIMAL, {"reasoning_effort": "minimal"}, ["emulated:reasoning.effort"]),
        (
            Reasoning(effort="none"),
            Dialect(thinking_switch="thinking_type", thinking_off="none", efforts="low"),
            {"reasoning_effort": "none"},
            [],
        ),
        (Reasoning(effort="none"), SWITCH, {"thinking": {"type": "disabled"}}, ["emulated:reasoning.effort"]),
        (Reasoning("on", None, 700), ENABLE, {"enable_thinking": True, "thinking_budget": 700}, []),
        (Reasoning(effort="low"), ENABLE, {"enable_thinking": True}, ["approximated:reasoning.effort"]),
        (Reasoning(None, None, 700), BARE, {}, ["dropped:reasoning.budget_tokens"]),
        (
            Reasoning("on", None, 700, "omitted"),
            OBJECT,
            {"reasoning": {"max_tokens": 700, "enabled": True, "exclude": True}},
            [],
        ),
        (
            Reasoning("adaptive", "low", 700, "summarized"),
            OBJECT,
            {"reasoning": {"effort": "low", "enabled": True}},
            ["dropped:reasoning.budget_tokens", "approximated:reasoning.mode", "dropped:reasoning.display"],
        ),
        (Reasoning("on", display="omitted"), SWITCH, {"thinking": {"type": "enabled"}}, ["dropped:reasoning.display"]),
        (
            Reasoning("on", extras={"anthropic_messages": {"x": 1}}),
            SWITCH,
            {"thinking": {"type": "enabled"}},
            ["dropped:reasoning.x"],
        ),
        (
            Reasoning(effort="low", extras={"openai_chat": {"x": 1}}),
            Dialect(),
            {"reasoning_effort": "low"},
            ["dropped:reasoning.x"],
        ),
    ],
)
def test_it_is_asked_as_the_upstream_understands(
    asked: Reasoning, dialect: Dialect, body: dict[str, Any], losses: list[str]
) -> None:
    log, out = LossLog("request"), dict[str, Any]()
    encode_effort(out, asked, dialect, log)
    assert out == body
    assert codes(log.losses) == losses
