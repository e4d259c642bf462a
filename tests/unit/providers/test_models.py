"""Facts and prices of models: exact integers, exact names, newer facts over older ones."""

from decimal import Decimal

import pytest

from anykey.providers.models import (
    ModelCatalogue,
    ModelFacts,
    ModelPrices,
    PriceTier,
    ordered_abilities,
    price_per_million,
    usd_per_million,
)

PRO = ModelFacts("ark", "seed-pro-260328", 256_000, abilities=("tools",), prices=ModelPrices(input=500_000), source="a")
BARE = ModelFacts("ark", "Seed-Lite", 100)


def catalogue() -> ModelCatalogue:
    shelf = {"seed-pro-260328": PRO, "seed-lite": BARE}
    plans = {"ark_plan": ("ark", True)}
    return ModelCatalogue(lambda name: shelf if name == "ark" else {}, lambda kind: plans.get(kind, (kind, False)))


@pytest.mark.parametrize(
    ("usd", "price"),
    [("0.15", 150_000), ("0.0028", 2_800), (Decimal("0.000001"), 1), ("30", 30_000_000), ("0", 0), (None, None)],
)
def test_a_price_is_exact(usd: str | Decimal | None, price: int | None) -> None:
    assert price_per_million(usd) == price


def test_binary_noise_is_rounded_away() -> None:
    assert price_per_million(Decimal("3.00019999999999960")) == 3_000_200


@pytest.mark.parametrize("usd", ["-1", "NaN", "Infinity", "free", "1e30"])
def test_what_is_no_price_is_refused(usd: str) -> None:
    with pytest.raises(ValueError, match=usd if usd == "free" else "price"):
        price_per_million(usd)


@pytest.mark.parametrize("text", ["0.15", "0.0028", "3", "12.50", "0.000001"])
def test_a_price_is_written_as_it_was_read(text: str) -> None:
    price = price_per_million(text)
    assert price is not None
    assert usd_per_million(price) == text


def test_a_tier_holds_for_the_whole_call() -> None:
    tiers = (PriceTier(over_tokens=128_000, input=2), PriceTier(over_tokens=256_000, input=3))
    prices = ModelPrices(input=1, tiers=tiers)
    assert [prices.for_prompt(tokens).input for tokens in (0, 128_000, 128_001, 256_000, 300_000)] == [1, 1, 2, 2, 3]


def test_a_name_is_known_exactly_or_without_its_date() -> None:
    known = catalogue()
    assert known.facts_of("ark", "seed-pro-260328") is PRO
    assert known.facts_of("ark", "SEED-lite") is BARE
    for dated in ("seed-lite-260415", "seed-lite-20260415", "seed-lite-2026-04-15", "seed-lite@20260415"):
        assert known.facts_of("ark", dated) is BARE
    for other in ("seed-pro", "seed-lite-0415", "seed-lite-turbo", "seed", "seed-lite-269915", ""):
        assert known.facts_of("ark", other) is None
    assert known.facts_of("elsewhere", "seed-lite") is None


def test_a_plan_has_limits_and_no_prices() -> None:
    found = catalogue().facts_of("ark_plan", "seed-pro-260328")
    assert found is not None
    assert (found.context_tokens, found.prices) == (256_000, None)


def test_rows_lie_over_what_is_shipped() -> None:
    rows = [
        ModelFacts("ark", "seed-pro-260328", prices=ModelPrices(input=7), source="b", observed_on="2026-01-01"),
        ModelFacts("ark", "seed-pro-260328", abilities=("vision",), source="c", observed_on="2026-01-02"),
        ModelFacts("new", "m", 5),
    ]
    known = catalogue().with_rows(rows)
    found = known.facts_of("ark", "seed-pro-260328")
    assert found == ModelFacts(
        "ark",
        "seed-pro-260328",
        256_000,
        abilities=("tools", "vision"),
        prices=ModelPrices(input=7),
        source="c; b; a",
        observed_on="2026-01-02",
    )
    assert known.facts_of("new", "m") == rows[2]
    assert [facts.model for facts in known.models_of("ark")] == ["Seed-Lite", "seed-pro-260328"]
    assert catalogue().facts_of("ark", "seed-pro-260328") is PRO


def test_abilities_have_one_order_and_unknown_ones_are_left_out() -> None:
    assert ordered_abilities(["reasoning", "levitation", "tools"]) == ("tools", "reasoning")
