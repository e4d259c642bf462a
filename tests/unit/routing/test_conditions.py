"""Conditions in CEL: what they may name, what they refuse, and what becomes of a call that they do not fit."""

import subprocess
import sys

import msgspec
import pytest

from anykey.routing.ask import Facts
from anykey.routing.conditions import LONGEST_CONDITION, VARIABLES, ConditionError, compile_condition

CALL = Facts(
    model="claude-sonnet-5",
    protocol="anthropic_messages",
    client="claude-code",
    key="ci",
    group="default",
    stream=True,
    tokens=61_000,
    max_tokens=None,
    tools=12,
    thinking=True,
    effort="high",
    background="title",
    metadata={"team": "search"},
    headers={"x-team": "search", "user-agent": "claude-cli/2.1"},
)


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ('tokens > 60000 && model.startsWith("claude-")', True),
        ('metadata.team == "search"', True),
        ('metadata["team"] == "ads"', False),
        ('metadata.nothing == "search"', False),
        ('!(metadata.nothing == "search")', False),
        ('metadata.nothing == "x" || metadata.team == "search"', True),
        ('has(metadata.nothing) && metadata.nothing == "x"', False),
        ('"team" in metadata', True),
        ('headers["x-team"].matches("^sea")', True),
        ('client in ["codex", "claude-code"]', True),
        ("max_tokens > 0", False),
        ("background && stream && thinking && !web_search", True),
        ('effort == "high" && tools >= 12 && images == 0', True),
        ("tokens / images > 3", False),
    ],
)
def test_a_condition_is_asked_of_a_calls_facts(source: str, holds: bool) -> None:
    assert compile_condition(source)(CALL) is holds


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_can_be_named(name: str) -> None:
    assert compile_condition(f"{name} == {name}")(CALL) is True


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("", "empty"),
        ("tokens >", "mismatched input"),
        ("tokns > 3", "there is no 'tokns'"),
        ("price(model) > 3", "price"),
        ('tokens > "many"', "No such overload"),
        ("tokens", "must be true or false"),
        ("[1, 2].all(tokens, tokens > 0)", "all(…) is not allowed"),
        ('model == "' + "x" * LONGEST_CONDITION + '"', "characters"),
        ('model.matches("(")', "regex"),
        ("(" * 900 + "true" + ")" * 900, ""),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_call(source: str, what: str) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(source)
    assert what in str(refused.value)


def test_a_condition_that_a_calls_values_break_is_false_and_is_told_once() -> None:
    told: list[str] = []
    condition = compile_condition("int(metadata.team) > 3", told.append)
    assert condition(msgspec.structs.replace(CALL, metadata={"team": "7"})) is True
    assert condition(CALL) is condition(CALL) is False
    assert len(told) == 1
    assert condition.fault is not None
    assert "int(metadata.team) > 3" in told[0]


def test_an_evil_pattern_takes_no_longer_than_its_text() -> None:
    condition = compile_condition('model.matches("(a+)+$")')
    assert condition(msgspec.structs.replace(CALL, model="a" * 5000 + "b")) is False


def test_the_library_is_loaded_by_the_first_condition_only() -> None:
    code = (
        "import sys, anykey.routing.config as c; c.parse_config('{}'); assert 'cel' not in sys.modules; "
        "c.compile_condition('stream'); assert 'cel' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
