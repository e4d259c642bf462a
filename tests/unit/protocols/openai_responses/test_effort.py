"""How much the model thinks, and what is shown of it."""

from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.request import Reasoning
from anykey.protocols.fields import Fields
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.effort import encode_effort, read_effort

NAME = "openai_responses"
OWN: list[tuple[dict[str, Any], Reasoning]] = [
    ({"effort": "high"}, Reasoning(effort="high", extras={NAME: {}})),
    ({"effort": "low", "summary": "auto"}, Reasoning(effort="low", display="summarized", extras={NAME: {}})),
    ({"summary": "detailed"}, Reasoning(display="summarized", extras={NAME: {"summary": "detailed"}})),
    ({"effort": "none", "context": "all_turns"}, Reasoning(effort="none", extras={NAME: {"context": "all_turns"}})),
]


def encode(asked: Reasoning, dialect: Dialect | None = None) -> tuple[dict[str, Any], list[str]]:
    body: dict[str, Any] = {}
    log = LossLog("request")
    encode_effort(body, asked, dialect or Dialect(), log)
    return body, [loss.code for loss in log.losses]


@pytest.mark.parametrize(("wire", "asked"), OWN)
def test_our_own_object_comes_back(wire: dict[str, Any], asked: Reasoning) -> None:
    assert read_effort(Fields(wire), encrypted=False) == asked
    assert encode(asked) == ({"reasoning": wire}, [])


def test_the_old_name_of_the_summary() -> None:
    read = read_effort(Fields({"generate_summary": "concise"}), encrypted=False)
    assert read == Reasoning(display="summarized", extras={NAME: {"summary": "concise"}})


def test_encrypted_reasoning_alone_says_that_there_is_some() -> None:
    assert read_effort(None, encrypted=False) is None
    asked = read_effort(None, encrypted=True)
    assert asked == Reasoning(extras={NAME: {}})
    assert encode(Reasoning(extras={NAME: {}})) == ({}, [])


@pytest.mark.parametrize(
    ("asked", "reasoning", "losses"),
    [
        (Reasoning(effort="high"), {"effort": "high", "summary": "auto"}, []),
        (Reasoning(effort="high", display="omitted"), {"effort": "high"}, []),
        (Reasoning("adaptive"), {"summary": "auto"}, ["approximated:reasoning.mode"]),
        (
            Reasoning("on", budget_tokens=10_000),
            {"effort": "medium", "summary": "auto"},
            ["approximated:reasoning.budget_tokens"],
        ),
        (
            Reasoning("on", "low", 10_000),
            {"effort": "low", "summary": "auto"},
            ["dropped:reasoning.budget_tokens"],
        ),
        (Reasoning("off"), {"effort": "none"}, ["emulated:reasoning.mode"]),
        (
            Reasoning("off", "high", 5),
            {"effort": "none"},
            ["emulated:reasoning.mode", "dropped:reasoning.effort", "dropped:reasoning.budget_tokens"],
        ),
        (Reasoning("between_tools", "low"), {"effort": "low", "summary": "auto"}, ["approximated:reasoning.mode"]),
    ],
)
def test_other_spellings_are_carried(asked: Reasoning, reasoning: Any, losses: list[str]) -> None:
    assert encode(asked) == ({"reasoning": reasoning}, losses)


def test_what_a_server_does_not_take() -> None:
    plain = Dialect(reasoning_summary=False)
    assert encode(Reasoning(effort="low", display="summarized"), plain) == (
        {"reasoning": {"effort": "low"}},
        ["dropped:reasoning.display"],
    )
    none = Dialect(reasoning=False, reasoning_summary=False)
    assert encode(Reasoning(effort="low", extras={NAME: {"context": "auto"}}), none) == (
        {},
        ["dropped:reasoning.effort", "dropped:reasoning.context"],
    )


def test_a_switch_at_the_top_level() -> None:
    switch = Dialect(thinking_switch=True, reasoning_summary=False)
    assert encode(Reasoning("off"), switch) == ({"thinking": {"type": "disabled"}}, [])
    assert encode(Reasoning("on", "low"), switch) == (
        {"thinking": {"type": "enabled"}, "reasoning": {"effort": "low"}},
        [],
    )
    assert encode(Reasoning("odd"), switch) == ({"thinking": {"type": "enabled"}}, ["approximated:reasoning.mode"])
