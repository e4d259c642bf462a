"""The table between efforts and thinking budgets."""

import pytest

from anykey.protocols.effort import BUDGETS, effort_of, nearest_effort


@pytest.mark.parametrize(
    ("tokens", "effort"),
    [
        (100, "minimal"),
        (1024, "low"),
        (8191, "low"),
        (8192, "medium"),
        (31999, "high"),
        (32768, "xhigh"),
        (200000, "max"),
    ],
)
def test_a_budget_is_the_effort_nearest_below(tokens: int, effort: str) -> None:
    assert effort_of(tokens) == effort


def test_an_effort_is_its_own_budget_s() -> None:
    assert [effort_of(tokens) for tokens in BUDGETS.values()] == list(BUDGETS)


def test_only_words_that_the_protocol_has() -> None:
    assert effort_of(100, {"low", "high"}) == "low"
    assert effort_of(128_000, {"low", "high"}) == "high"


@pytest.mark.parametrize(
    ("word", "among", "nearest"),
    [
        ("medium", {"low", "high", "max"}, "low"),
        ("xhigh", {"low", "high", "max"}, "high"),
        ("low", {"high", "max"}, "high"),
        ("none", {"low", "high"}, "low"),
        ("much", {"low", "high"}, None),
    ],
)
def test_the_nearest_of_the_words_a_model_knows(word: str, among: set[str], nearest: str | None) -> None:
    assert nearest_effort(word, among) == nearest
