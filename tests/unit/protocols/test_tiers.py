from typing import Any

import pytest

from anykey.conversation.usage import Usage
from anykey.protocols.tiers import tier_in, tier_of_usage, tier_word


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({}, None),
        ({"service_tier": None}, None),
        ({"service_tier": 7}, None),
        ({"service_tier": "Priority"}, "priority"),
        ({"service_tier": "on_demand"}, "on_demand"),
        ({"serviceTier": "flex"}, "flex"),
        ({"serviceTier": {"type": "reserved"}}, "reserved"),
        ({"trafficType": "ON_DEMAND"}, "on_demand"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ({"service_tier": "standard", "speed": "standard"}, "standard"),
    ],
)
def test_the_tier_in_what_is_said(said: dict[str, Any], tier: str | None) -> None:
    assert tier_in(said) == tier


def test_words_that_are_none() -> None:
    words: list[Any] = ["", [], {}, {"type": 3}, True]
    assert [tier_word(word) for word in words] == [None] * 5


def test_the_tier_beside_the_counts() -> None:
    assert tier_of_usage(None) is None
    assert tier_of_usage(Usage(7)) is None
    assert tier_of_usage(Usage(7, extras={"anthropic_messages": {"service_tier": "priority"}})) == "priority"
