"""litellm's price list: names without its prefixes, costs per token, steps in both of their spellings."""

import json
from decimal import Decimal
from typing import Any

from anykey.administration.model_sources.litellm_prices import facts_in
from anykey.providers.models import ModelFacts, ModelPrices, PriceTier
from anykey.providers.shipped_models import Vendor

VENDORS = {
    "anthropic": Vendor(litellm=("anthropic",)),
    "vertex": Vendor(litellm=("vertex_ai-anthropic_models",)),
    "fireworks": Vendor(litellm=("fireworks_ai",)),
}


def read(**rows: dict[str, Any]) -> dict[str, ModelFacts]:
    data = {key: {"mode": "chat", "litellm_provider": "anthropic", **row} for key, row in rows.items()}
    return {
        f"{facts.vendor}/{facts.model}": facts
        for facts in facts_in(json.loads(json.dumps(data), parse_float=Decimal), VENDORS)
    }


def test_a_model_with_everything() -> None:
    found = read(
        claude={
            "input_cost_per_token": 4e-06,
            "output_cost_per_token": 2e-05,
            "cache_read_input_token_cost": 2.8e-09,
            "cache_creation_input_token_cost": 5e-06,
            "cache_creation_input_token_cost_above_1hr": 8e-06,
            "input_cost_per_token_above_200k_tokens": 8e-06,
            "output_cost_per_token_above_200k_tokens": 3e-05,
            "input_cost_per_token_batches": 1e-06,
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.6e-05,
            "max_input_tokens": 1000000,
            "max_output_tokens": 128000,
            "supports_vision": True,
            "supports_function_calling": True,
            "supports_web_search": False,
            "deprecation_date": "2027-02-01",
            "source": "https://example.com/pricing",
        }
    )
    assert found["anthropic/claude"] == ModelFacts(
        "anthropic",
        "claude",
        1_000_000,
        128_000,
        ("tools", "vision"),
        ModelPrices(
            input=4_000_000,
            output=20_000_000,
            cache_read=2_800,
            cache_write_5m=5_000_000,
            cache_write_1h=8_000_000,
            tiers=(PriceTier(over_tokens=200_000, input=8_000_000, output=30_000_000, cache_write_1h=16_000_000),),
            source="https://example.com/pricing",
        ),
        deprecated_on="2027-02-01",
        source="litellm",
    )


def test_steps_as_a_list() -> None:
    steps = [
        {"input_cost_per_token": 4.6e-07, "output_cost_per_token": 2.3e-06, "range": [0, 32000.0]},
        {"input_cost_per_token": 7e-07, "output_cost_per_token": 3.5e-06, "range": [32000.0, 128000.0]},
    ]
    prices = read(m={"tiered_pricing": steps})["anthropic/m"].prices
    assert prices is not None
    assert (prices.input, prices.output) == (460_000, 2_300_000)
    assert prices.tiers == (PriceTier(over_tokens=32_000, input=700_000, output=3_500_000),)


def test_names_are_the_vendors_own() -> None:
    names = read(
        **{
            "vertex_ai/claude-x@20250101": {"litellm_provider": "vertex_ai-anthropic_models"},
            "fireworks_ai/accounts/fireworks/models/y": {"litellm_provider": "fireworks_ai"},
            "ft:z": {},
            "plain": {},
        }
    )
    assert set(names) == {"vertex/claude-x@20250101", "fireworks/accounts/fireworks/models/y", "anthropic/plain"}


def test_what_writes_no_text_or_is_nobody_s_we_know_is_left_out() -> None:
    assert not read(a={"mode": "embedding"}, b={"litellm_provider": "stranger"}, sample_spec={"mode": "one of: chat"})


def test_what_has_no_price_has_none() -> None:
    found = read(
        free={"input_cost_per_token": 0, "output_cost_per_token": 0.0},
        cached={"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06, "cache_creation_input_token_cost": 0.0},
        odd={"max_input_tokens": "many", "deprecation_date": "soon"},
    )
    assert found["anthropic/free"].prices is None
    cached = found["anthropic/cached"].prices
    assert cached is not None
    assert cached.cache_write_5m is None
    assert found["anthropic/odd"] == ModelFacts("anthropic", "odd", source="litellm")
