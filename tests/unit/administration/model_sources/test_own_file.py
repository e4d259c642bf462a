"""A TOML file of one's own facts."""

import tomllib
from decimal import Decimal

import pytest

from anykey.administration.model_sources.own_file import facts_in
from anykey.providers.models import ModelFacts, ModelPrices, PriceTier

TEXT = """
source = "our contract"
observed_on = "2026-11-01"
[[models]]
vendor = "openai"
model = "gpt-5.4"
context_tokens = 400000
abilities = ["tools"]
prices = { input = "1.25", output = 10, cache_read = 0.1, tiers = [{ over_tokens = 200000, input = "2.5", output = "15" }] }
[[models]]
vendor = "lab"
model = "m"
"""


def read(text: str) -> list[ModelFacts]:
    return list(facts_in(tomllib.loads(text, parse_float=Decimal)))


def test_prices_are_read_to_the_last_digit() -> None:
    first, second = read(TEXT)
    tier = PriceTier(over_tokens=200_000, input=2_500_000, output=15_000_000)
    assert first == ModelFacts(
        "openai",
        "gpt-5.4",
        400_000,
        abilities=("tools",),
        prices=ModelPrices(
            input=1_250_000, output=10_000_000, cache_read=100_000, tiers=(tier,), source="our contract"
        ),
        source="our contract",
        observed_on="2026-11-01",
    )
    assert (second.vendor, second.prices) == ("lab", None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"tools"', '"tool"'), "unknown abilities tool"),
        (("context_tokens", "context"), "context"),
        (('"1.25"', '"-1"'), "not a price"),
        (("over_tokens", "above"), "above"),
        (("observed_on", "on"), "on"),
    ],
)
def test_a_slip_is_named(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(TEXT.replace(*change))
