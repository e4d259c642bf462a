"""Which provider a name means, what a wildcard matches, which patterns may rewrite."""

import re
import time

import pytest

from anykey.routing.names import LONGEST_REWRITTEN, fault_of_pattern, providers_by_name, rewritten, wildcard
from tests.unit.routing.configuring import provider


def test_configured_names_win_over_kinds_and_aliases() -> None:
    work, private = provider("openai", "work"), provider("xai", "openai")
    found = providers_by_name([work, private])
    assert found["work"] is found["openai_compatible"] is work
    assert found["openai"] is found["grok"] is private


def test_the_earlier_of_two_of_a_kind_has_its_names() -> None:
    first, second = provider("moonshot", "a"), provider("moonshot", "b")
    found = providers_by_name([first, second])
    assert found["kimi"] is found["moonshot"] is first
    assert found["b"] is second


@pytest.mark.parametrize(
    ("name", "asked", "star"),
    [
        ("claude-*", "claude-opus", "opus"),
        ("claude-*", "claude-", None),
        ("claude-*", "my-claude-x", None),
        ("*-latest", "gpt-latest", "gpt"),
        ("a*a", "a", None),
        ("a*a", "aa", None),
        ("a*a", "aba", "b"),
        ("*", "anything", "anything"),
    ],
)
def test_a_wildcard_matches_at_least_one_character(name: str, asked: str, star: str | None) -> None:
    fit = wildcard(name)
    assert fit is not None
    assert fit.match(asked) == star


def test_a_name_without_a_star_is_no_wildcard() -> None:
    assert wildcard("claude") is None


RULES = ((re.compile("claude-3-(.*)"), r"claude-\1"), (re.compile(".*opus.*"), "big"))


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("claude-3-opus", "claude-opus"),
        ("my-opus-1", "big"),
        ("xclaude-3-a", "xclaude-3-a"),
        ("opus" * 100, "opus" * 100),
    ],
)
def test_the_first_rule_that_fits_the_whole_name_rewrites_it_once(asked: str, name: str) -> None:
    assert rewritten(RULES, asked) == name


@pytest.mark.parametrize(
    "pattern", ["claude-3-(.*)", r"gpt-4\.1(-mini)?", "(sonnet|opus|haiku)-(.+)", "[*+?|]x", r"\(\?a"]
)
def test_patterns_that_may_be_used(pattern: str) -> None:
    assert fault_of_pattern(pattern, r"x-\g<0>") is None


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(", "not a regular expression"),
        ("x" * 201, "longer than 200"),
        ("(a+)+b", "repeats a group"),
        ("(?:a|a)*b", "repeats a group"),
        ("(ab){2}", "repeats a group"),
        (".*.*.*=", "more than 2 of"),
        ("a?" * 30 + "a" * 30, "more than 6 of"),
        ("(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)", "more than 6 of"),
        (r"(a)\1", "refers back"),
        ("(?=a)a", "holds (?…)"),
        ("(?P<n>a)", "holds (?…)"),
    ],
)
def test_patterns_that_may_take_too_long_are_refused(pattern: str, fault: str) -> None:
    assert fault in (fault_of_pattern(pattern, "x") or "")


def test_a_template_names_only_groups_that_are_there() -> None:
    assert "cannot be filled" in (fault_of_pattern("(a)", r"\2") or "")
    assert fault_of_pattern("(a)", r"\1") is None


@pytest.mark.parametrize("pattern", [".*a.*b", "(a|b|a|b|a|b|c).*x.*y", "a?a?a?a?a?a?.*.*b"])
def test_the_worst_pattern_that_is_allowed_ends_soon(pattern: str) -> None:
    assert fault_of_pattern(pattern, "x") is None
    start = time.process_time()
    rewritten([(re.compile(pattern), "x")], "a" * LONGEST_REWRITTEN)
    assert time.process_time() - start < 0.5
