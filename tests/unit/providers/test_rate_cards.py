"""The records of rate cards: which price stands in for which, and list prices as a card."""

from fractions import Fraction

from anykey.providers.models import ModelPrices, PriceTier
from anykey.providers.rate_cards import TOKEN_UNITS, LongPrompt, RateCard, TokenRates, listed_card, series_of


def prices(rates: TokenRates) -> dict[str, int]:
    (level,) = RateCard(id="m/v1", model="m", tokens=rates).levels
    return dict(zip(TOKEN_UNITS, level.prices, strict=True))


def test_what_has_no_price_costs_what_its_side_does() -> None:
    assert prices(TokenRates(input=2, output=5)) == {
        **dict.fromkeys(("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in"), 2),
        **dict.fromkeys(("output", "reasoning", "audio_out", "image_out"), 5),
    }
    assert prices(TokenRates(cache_write_5m=3))["cache_write_1h"] == 3
    assert prices(TokenRates()) == dict.fromkeys(TOKEN_UNITS, 0)
    assert prices(TokenRates(input=2, cache_read=0, reasoning=0, output=5))["cache_read"] == 0


def test_a_level_begins_above_its_length() -> None:
    long = (LongPrompt(over_tokens=10, input=2), LongPrompt(over_tokens=20, input=3))
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(input=1, audio_in=9), long_prompts=long)
    assert [card.level_of(prompt).prices[0] for prompt in (0, 10, 11, 20, 21)] == [1, 1, 2, 2, 3]
    assert [level.dearest_input for level in card.levels] == [9, 2, 3]


def test_a_tier_without_a_share_pays_the_card() -> None:
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(input=1), tier_factors={"flex": Fraction(1, 2)})
    assert card.in_tier("priority") is card
    assert card.in_tier("flex").factor == Fraction(1, 2)
    assert card.in_tier("flex").levels == card.levels


def test_list_prices_are_a_card_unless_in_another_currency() -> None:
    tier = PriceTier(over_tokens=200_000, input=2, output=4, cache_read=1)
    listed = ModelPrices(input=1, output=2, cache_write_1h=3, tiers=(tier,), source="a page", since="2026-10-01")
    assert listed_card("anthropic", "opus", listed) == RateCard(
        id="opus@anthropic/list:2026-10-01",
        model="opus",
        provider="anthropic",
        tokens=TokenRates(input=1, output=2, cache_write_1h=3),
        long_prompts=(LongPrompt(over_tokens=200_000, input=2, output=4, cache_read=1),),
        source="a page",
    )
    assert listed_card("a", "b", ModelPrices(input=1, output=2, currency="CNY")) is None


def test_the_name_of_a_series() -> None:
    assert series_of("m", None, "coding", None, None) == "m;lane=coding"
