from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.request import Reasoning
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.thinking import decode_reasoning, effort_of, encode_reasoning

LEVEL = Dialect(thinking="level", lowest_level="low", highest_level="high")
BUDGET = Dialect(thinking="budget", min_thinking_budget=0, max_thinking_budget=24_576)
ALWAYS = Dialect(thinking="budget", min_thinking_budget=128, max_thinking_budget=32_768)


@pytest.mark.parametrize(
    ("config", "reasoning"),
    [
        ({}, Reasoning(display="omitted")),
        ({"includeThoughts": True}, Reasoning(display="summarized")),
        ({"thinkingBudget": 0}, Reasoning("off", display="omitted")),
        ({"thinkingBudget": -1}, Reasoning("adaptive", display="omitted")),
        ({"thinkingBudget": 1000, "includeThoughts": True}, Reasoning("on", None, 1000, "summarized")),
        ({"thinkingLevel": "HIGH"}, Reasoning(effort="high", display="omitted")),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Reasoning(display="omitted")),
        ({"more": 1}, Reasoning(display="omitted", extras={"gemini_generate": {"more": 1}})),
    ],
)
def test_a_config_is_read(config: dict[str, Any], reasoning: Reasoning) -> None:
    assert decode_reasoning(Fields(config, "p")) == reasoning


def test_no_config_says_nothing() -> None:
    assert decode_reasoning(None) is None


def written(asked: Reasoning, dialect: Dialect) -> tuple[dict[str, Any], list[str]]:
    log = LossLog("request")
    return encode_reasoning(asked, dialect, log), [loss.code.replace("reasoning.", "") for loss in log.losses]


@pytest.mark.parametrize(
    ("asked", "config", "losses"),
    [
        (Reasoning(effort="low"), {"thinkingLevel": "LOW", "includeThoughts": True}, []),
        (Reasoning(effort="high", display="omitted"), {"thinkingLevel": "HIGH", "includeThoughts": False}, []),
        (Reasoning(effort="minimal"), {"thinkingLevel": "LOW", "includeThoughts": True}, ["approximated:effort"]),
        (Reasoning(effort="max"), {"thinkingLevel": "HIGH", "includeThoughts": True}, ["approximated:effort"]),
        (
            Reasoning("on", None, 9000),
            {"thinkingLevel": "MEDIUM", "includeThoughts": True},
            ["approximated:budget_tokens"],
        ),
        (Reasoning("on", "low", 9000), {"thinkingLevel": "LOW", "includeThoughts": True}, ["dropped:budget_tokens"]),
        (Reasoning("adaptive"), {"includeThoughts": True}, ["approximated:mode"]),
        (
            Reasoning("on", "none"),
            {"thinkingLevel": "LOW", "includeThoughts": True},
            ["approximated:mode", "approximated:effort"],
        ),
        (Reasoning("off"), {"thinkingLevel": "LOW"}, ["approximated:mode"]),
        (
            Reasoning(effort="none", display="summarized"),
            {"thinkingLevel": "LOW"},
            ["approximated:effort", "dropped:display"],
        ),
        (Reasoning(effort="odd"), {"includeThoughts": True}, ["dropped:effort"]),
        (
            Reasoning(effort="low", display="full"),
            {"thinkingLevel": "LOW", "includeThoughts": True},
            ["approximated:display"],
        ),
    ],
)
def test_thinking_by_level(asked: Reasoning, config: dict[str, Any], losses: list[str]) -> None:
    assert written(asked, LEVEL) == (config, losses)


def test_a_level_is_what_the_model_has() -> None:
    wide = Dialect(thinking="level", lowest_level="minimal", highest_level="xhigh")
    assert written(Reasoning(effort="xhigh"), wide) == ({"thinkingLevel": "XHIGH", "includeThoughts": True}, [])
    assert written(Reasoning("off"), wide)[0] == {"thinkingLevel": "MINIMAL"}


@pytest.mark.parametrize(
    ("asked", "config", "losses"),
    [
        (Reasoning("on", None, 1000), {"thinkingBudget": 1000, "includeThoughts": True}, []),
        (Reasoning(effort="low"), {"thinkingBudget": 1024, "includeThoughts": True}, ["approximated:effort"]),
        (Reasoning("on", "low", 1000), {"thinkingBudget": 1000, "includeThoughts": True}, ["dropped:effort"]),
        (
            Reasoning("on", None, 90_000),
            {"thinkingBudget": 24_576, "includeThoughts": True},
            ["approximated:budget_tokens"],
        ),
        (Reasoning("adaptive"), {"thinkingBudget": -1, "includeThoughts": True}, []),
        (Reasoning("on"), {"thinkingBudget": -1, "includeThoughts": True}, ["approximated:mode"]),
        (Reasoning("adaptive", None, 1000), {"thinkingBudget": 1000, "includeThoughts": True}, ["approximated:mode"]),
        (Reasoning(display="omitted"), {"includeThoughts": False}, []),
        (Reasoning("off", "high", 5), {"thinkingBudget": 0}, ["dropped:budget_tokens", "dropped:effort"]),
        (Reasoning(effort="none"), {"thinkingBudget": 0}, []),
    ],
)
def test_thinking_by_budget(asked: Reasoning, config: dict[str, Any], losses: list[str]) -> None:
    assert written(asked, BUDGET) == (config, losses)


def test_a_model_that_always_thinks_takes_its_least() -> None:
    assert written(Reasoning("off"), ALWAYS) == ({"thinkingBudget": 128}, ["approximated:mode"])
    assert written(Reasoning("on", None, 5), ALWAYS)[0]["thinkingBudget"] == 128


def test_a_model_that_cannot_think_names_all_that_was_asked() -> None:
    asked = Reasoning("on", "low", 5, "summarized", {"openai_chat": {"x": 1}})
    assert written(asked, Dialect(thinking="none")) == (
        {},
        ["dropped:mode", "dropped:effort", "dropped:budget_tokens", "dropped:display", "dropped:x"],
    )


@pytest.mark.parametrize(
    ("budget", "effort"), [(0, "minimal"), (1024, "low"), (8191, "low"), (24_576, "high"), (200_000, "max")]
)
def test_an_effort_for_a_budget(budget: int, effort: str) -> None:
    assert effort_of(budget) == effort
