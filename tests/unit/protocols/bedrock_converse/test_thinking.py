from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.protocols.bedrock_converse.dialect import dialect
from anykey.protocols.bedrock_converse.thinking import Thinking, encode_reasoning


def sent(asked: Reasoning | None, limit: int | None = None, **fields: Any) -> tuple[Thinking, list[str]]:
    log = LossLog("request")
    request = GenerateRequest("m", (), reasoning=asked, max_output_tokens=limit)
    found = encode_reasoning(request, dialect(fields), log)
    return found, [f"{loss.kind}:{loss.path}" for loss in log.losses]


def budget(tokens: int) -> Json:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def test_unasked_is_unsaid() -> None:
    assert sent(None, thinking="budget") == (Thinking({}), [])


@pytest.mark.parametrize(
    ("asked", "limit", "fields", "losses"),
    [
        (Reasoning("on", budget_tokens=4000), None, budget(4000), []),
        (Reasoning("on", budget_tokens=10), None, budget(1024), ["approximated:reasoning.budget_tokens"]),
        (Reasoning("on", budget_tokens=4000), 2000, budget(1999), ["approximated:reasoning.budget_tokens"]),
        (Reasoning("on", budget_tokens=4000), 1000, {}, ["dropped:reasoning"]),
        (Reasoning(effort="medium"), None, budget(8192), ["approximated:reasoning.effort"]),
        (Reasoning("adaptive"), None, budget(8192), ["approximated:reasoning.mode"]),
        (Reasoning("on", "low", 4000), None, budget(4000), ["dropped:reasoning.effort"]),
        (
            Reasoning("off", budget_tokens=9),
            None,
            {"thinking": {"type": "disabled"}},
            ["dropped:reasoning.budget_tokens"],
        ),
        (Reasoning(effort="none"), None, {"thinking": {"type": "disabled"}}, []),
    ],
)
def test_a_budget(asked: Reasoning, limit: int | None, fields: Json, losses: list[str]) -> None:
    found, told = sent(asked, limit, thinking="budget")
    assert (found.fields, told) == (fields, losses)
    assert found.active is found.by_budget is (fields.get("thinking", {}).get("type") == "enabled")


@pytest.mark.parametrize(
    ("asked", "effort", "word", "losses"),
    [
        (Reasoning("adaptive", "high"), True, "high", []),
        (Reasoning("adaptive", "minimal"), True, "low", ["approximated:reasoning.effort"]),
        (Reasoning("adaptive", "high"), False, None, ["dropped:reasoning.effort"]),
        (Reasoning("on", budget_tokens=9000), True, "medium", ["approximated:reasoning.budget_tokens"]),
        (Reasoning("on", budget_tokens=9000), False, None, ["dropped:reasoning.budget_tokens"]),
        (Reasoning("on"), True, None, ["approximated:reasoning.mode"]),
        (Reasoning("on", "odd"), True, None, ["dropped:reasoning.effort", "approximated:reasoning.mode"]),
    ],
)
def test_a_model_that_sizes_its_thinking_itself(
    asked: Reasoning, effort: bool, word: str | None, losses: list[str]
) -> None:
    found, told = sent(asked, thinking="adaptive", effort=effort)
    assert found == Thinking({"thinking": {"type": "adaptive"}}, word, active=True)
    assert told == losses


@pytest.mark.parametrize(
    ("asked", "word", "losses"),
    [
        (Reasoning(effort="high"), "high", []),
        (Reasoning(effort="max"), "high", ["approximated:reasoning.effort"]),
        (Reasoning("on", budget_tokens=2000), "low", ["approximated:reasoning.budget_tokens"]),
        (Reasoning("on", "low", 9000), "low", ["dropped:reasoning.budget_tokens"]),
        (Reasoning("on", display="omitted"), "medium", ["dropped:reasoning.display"]),
    ],
)
def test_a_model_that_takes_a_word(asked: Reasoning, word: str, losses: list[str]) -> None:
    found, told = sent(asked, thinking="reasoning_config")
    assert found == Thinking({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": word}})
    assert told == losses
    found, told = sent(asked, thinking="reasoning_effort")
    assert found == Thinking({"reasoning_effort": word})
    assert set(losses) <= set(told)


def test_thinking_off() -> None:
    off = Reasoning("off", budget_tokens=9)
    assert sent(off, thinking="reasoning_config") == (
        Thinking({"reasoningConfig": {"type": "disabled"}}),
        ["dropped:reasoning.budget_tokens"],
    )
    assert sent(Reasoning("off"), thinking="reasoning_effort") == (Thinking({}), ["dropped:reasoning"])
    assert sent(Reasoning("on", "high", 9, "omitted"))[1] == [
        "dropped:reasoning.mode", "dropped:reasoning.budget_tokens", "dropped:reasoning.display", "dropped:reasoning.effort",
    ]  # fmt: skip


def test_a_display_goes_along_and_foreign_keys_are_named() -> None:
    asked = Reasoning("on", budget_tokens=2000, display="omitted", extras={"openai_chat": {"x": 1}})
    found, told = sent(asked, thinking="budget")
    assert found.fields["thinking"]["display"] == "omitted"
    assert told == ["dropped:reasoning.x"]
