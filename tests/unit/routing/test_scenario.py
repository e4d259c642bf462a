"""Which scenario a call is, and why."""

import msgspec
import pytest

from anykey.routing.ask import Facts
from anykey.routing.scenario import LONG_CONTEXT_TOKENS, SCENARIOS, ScenarioRules, scenario_of, scenarios_of

ALL = ScenarioRules({name: f"model-of-{name}" for name in SCENARIOS})
PLAIN = Facts(model="m", protocol="openai_chat")
EVERYTHING = msgspec.structs.replace(
    PLAIN,
    client="claude-code",
    tokens=312_481,
    background="title",
    web_search=True,
    thinking=True,
    images=2,
    effort="high",
)


@pytest.mark.parametrize(
    ("changed", "name", "why"),
    [
        ({"tokens": 312_481}, "longContext", "312,481 tokens estimated, more than 60,000"),
        ({"background": "title", "client": "opencode"}, "background", "a helper call of opencode: title"),
        ({"web_search": True, "tools": 1}, "webSearch", "it asks for the provider's own web search"),
        ({"thinking": True, "effort": "high"}, "think", "it asks for reasoning, effort high"),
        ({"thinking": True}, "think", "it asks for reasoning"),
        ({"images": 1}, "image", "its newest turn shows a picture"),
        ({"images": 3}, "image", "its newest turn shows 3 pictures"),
        ({}, "default", "nothing else fits"),
    ],
)
def test_each_scenario_says_why(changed: dict[str, object], name: str, why: str) -> None:
    found = scenario_of(msgspec.structs.replace(PLAIN, **changed), ALL)
    assert found == (name, why, f"model-of-{name}")


def test_they_are_decided_in_order() -> None:
    assert [found.name for found in scenarios_of(EVERYTHING, ALL)] == list(SCENARIOS)


def test_one_without_a_rule_is_passed_over() -> None:
    rules = ScenarioRules({"think": "opus", "image": "gemini"})
    assert [found.model for found in scenarios_of(EVERYTHING, rules)] == ["opus", "gemini"]
    assert scenario_of(PLAIN, rules) is None


def test_the_limit_of_long_contexts_is_not_long_itself() -> None:
    at_limit = msgspec.structs.replace(PLAIN, tokens=LONG_CONTEXT_TOKENS)
    rules = ScenarioRules({"longContext": "big"})
    assert scenario_of(at_limit, rules) is None
    assert scenario_of(msgspec.structs.replace(at_limit, tokens=LONG_CONTEXT_TOKENS + 1), rules) is not None
    assert scenario_of(at_limit, ScenarioRules({"longContext": "big"}, long_context_tokens=10)) is not None


def test_a_search_tool_among_others_is_no_web_search() -> None:
    """Codex offers one with every call; what it asks for is not a search."""
    among = msgspec.structs.replace(PLAIN, web_search=True, tools=9)
    assert scenario_of(among, ScenarioRules({"webSearch": "s"})) is None
