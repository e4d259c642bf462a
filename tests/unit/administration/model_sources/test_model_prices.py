"""The package model-prices: the rates in force now, the dear hours, the tiers."""

import json
from decimal import Decimal
from typing import Any

import pytest

from anykey.administration.model_sources.model_prices import facts_in
from anykey.providers.models import ModelFacts, ModelPrices, PriceTier
from anykey.providers.shipped_models import Vendor

VENDORS = {"openai": Vendor(model_prices=("openai",)), "deep": Vendor(model_prices=("deepseek",))}
COMMIT = "https://github.com/sst/models.dev/commit/abc"


def snapshot(**prices: Any) -> dict[str, Any]:
    schedule = [
        {"provider": "deepseek", "valid_from": "2025-01-01", "valid_until": "2025-09-05", "peak_multiplier": 9.0},
        {"provider": "deepseek", "valid_from": "2026-08-16", "peak_multiplier": {"d": 2.0}},
    ]
    data = {"updated_at": "2026-10-26T18:46:35Z", "schedules": {"schedule": schedule}, "prices": prices}
    return json.loads(json.dumps(data), parse_float=Decimal)


def interval(**rates: Any) -> dict[str, Any]:
    return {"start": None, "rates": {"valid_from": "2026-05-12T22:40:48Z", "source": COMMIT, **rates}}


def test_the_last_interval_of_the_standard_mode_counts() -> None:
    now = interval(
        input=2.5,
        output=15.0,
        cache_read=0.25,
        cache_write=3.125,
        cache_write_1h_multiple=2.0,
        tiers=[{"above": 272000, "input": 5.0, "output": 22.5}],
    )
    modes = {"batch": [interval(input=1, output=1)], "standard": [interval(input=9, output=9), now]}
    (found,) = facts_in(snapshot(openai={"gpt-x": modes}, stranger={"y": modes}), VENDORS)
    assert found == ModelFacts(
        "openai",
        "gpt-x",
        prices=ModelPrices(
            input=2_500_000,
            output=15_000_000,
            cache_read=250_000,
            cache_write_5m=3_125_000,
            cache_write_1h=5_000_000,
            tiers=(PriceTier(over_tokens=272_000, input=5_000_000, output=22_500_000),),
            source="models.dev",
            since="2026-05-12",
        ),
        source="model-prices",
        observed_on="2026-10-26",
    )


def test_a_model_that_is_not_sold_any_more_is_left_out() -> None:
    modes = {"standard": [interval(input=1, output=1), {"start": "2026-01-01", "rates": None}]}
    assert not list(facts_in(snapshot(openai={"gone": modes, "never": {"batch": []}}), VENDORS))


def test_the_dear_hours_are_taken() -> None:
    modes = {"standard": [interval(input=0.15, output=0.6, cache_read=0.003)]}
    found = {facts.model: facts.prices for facts in facts_in(snapshot(deepseek={"d": modes, "e": modes}), VENDORS)}
    assert found["d"] is not None
    assert (found["d"].input, found["d"].output, found["d"].cache_read) == (300_000, 1_200_000, 6_000)
    assert found["e"] is not None
    assert found["e"].input == 150_000


def test_another_file_is_refused() -> None:
    with pytest.raises(KeyError):
        list(facts_in({"prices": {}}, VENDORS))
