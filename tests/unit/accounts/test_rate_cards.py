"""Cards as they are written: what they mean, and what is refused, with the name of the field."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from anykey.accounts.rate_cards import card_of, cards_in, rates_in
from anykey.accounts.written_cards import CardError, moment_of, scope_of
from anykey.providers.rate_cards import ImageRates, ImageTier, LongPrompt, RateCard, TokenRates, VideoRate

WHOLE = b"""
[[rate_cards]]
model = "gpt-image-2"
provider = "openai"
lane = "general"
effective_from = "2026-11-01"
source = "a page"
input = "5"
cache_read = "0.0028"
output = "40.5"
image_out = "30"
per_call = "0.001"
long_prompts = [{ over_tokens = 200000, input = "10", output = "60" }]
video = [{ per = "second", price = "0.1", resolution = "720P", audio = true }, { per = "token", price = "4.3" }]
tier_factors = { Flex = "0.5", priority = "2.5" }

[rate_cards.images]
otherwise = "2K"
tiers = [{ name = "1K", price = "0.05", sizes = ["1024X1024"] }, { name = "2K", price = "0.10" }]
"""


def card(**fields: Any) -> RateCard:
    """The card of these fields, read as JSON."""
    (written,) = cards_in(msgspec.json.encode({"model": "m", **fields}))
    return card_of(scope_of(written), written.rates())


def test_a_whole_card() -> None:
    (written,) = cards_in(WHOLE)
    assert written.effective_from == "2026-11-01"
    since = moment_of(written.effective_from)
    assert card_of(scope_of(written), written.rates(), 3, since, written.source) == RateCard(
        id="gpt-image-2@openai;lane=general/v3",
        model="gpt-image-2",
        version=3,
        provider="openai",
        lane="general",
        effective_from=1_793_491_200,
        tokens=TokenRates(input=5_000_000, cache_read=2800, output=40_500_000, image_out=30_000_000),
        long_prompts=(LongPrompt(over_tokens=200_000, input=10_000_000, output=60_000_000),),
        images=ImageRates((ImageTier("1K", 50_000_000_000, ("1024x1024",)), ImageTier("2K", 100_000_000_000)), "2K"),
        video=(
            VideoRate(per="second", price=100_000_000, resolution="720p", audio=True),
            VideoRate(per="token", price=4_300_000),
        ),
        per_call=1_000_000_000,
        tier_factors={"flex": Fraction(1, 2), "priority": Fraction(5, 2)},
        source="a page",
    )


def test_json_is_read_too_and_what_is_kept_says_the_same() -> None:
    (written,) = cards_in(WHOLE)
    again = rates_in(written.rates().text())
    assert again == written.rates()
    (from_json,) = cards_in(msgspec.json.encode({"rate_cards": [written]}))
    assert from_json == written


def test_another_currency_has_a_fixed_rate_and_is_rounded_to_the_pico() -> None:
    found = card(input="8", output="0.0000035", currency="CNY", usd_per_unit="0.140845")
    assert (found.tokens.input, found.tokens.output) == (1_126_760, 0)
    assert card(per_call="1", currency="CNY", usd_per_unit="0.1").per_call == 10**11


def test_a_card_may_be_free_or_for_one_tier() -> None:
    assert card(input="0").tokens == TokenRates(input=0)
    found = card(input="1", tier="FLEX")
    assert (found.tier, found.id) == ("flex", "m;tier=flex/v0")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": 5}, "input"),
        ({"input": 0.5}, "input"),
        ({"input": "-1"}, "input"),
        ({"input": "1e3"}, "input"),
        ({"input": "1,5"}, "input"),
        ({"input": "NaN"}, "input"),
        ({"input": ""}, "input"),
        ({"input": "\u0661"}, "input"),
        ({"input": "0.0000001"}, "input"),
        ({"input": "1000001"}, "input"),
        ({"inputs": "5"}, "inputs"),
        ({}, "input"),
        ({"input": "1", "currency": "CNY"}, "usd_per_unit"),
        ({"input": "1", "currency": "CNY", "usd_per_unit": "0"}, "usd_per_unit"),
        ({"input": "1", "usd_per_unit": "1"}, "usd_per_unit"),
        ({"input": "1", "currency": "yuan"}, "currency"),
        ({"input": "1", "per_call": "x"}, "per_call"),
        ({"input": "1", "long_prompts": [{"over_tokens": 0, "input": "1"}]}, "long_prompts[0].over_tokens"),
        ({"input": "1", "long_prompts": [{"over_tokens": 5, "output": "1"}]}, "long_prompts[0].input"),
        (
            {"input": "1", "long_prompts": [{"over_tokens": 5, "input": "1"}, {"over_tokens": 5, "input": "1"}]},
            "long_prompts[1].over_tokens",
        ),
        ({"images": {"otherwise": "2K", "tiers": [{"name": "1K", "price": "1"}]}}, "images.otherwise"),
        ({"images": {"otherwise": "1K", "tiers": [{"name": "1K", "price": "a"}]}}, "images.tiers[0].price"),
        (
            {"images": {"otherwise": "a", "tiers": [{"name": n, "price": "1", "sizes": ["1x1"]} for n in "ab"]}},
            "images.tiers[1].sizes",
        ),
        ({"images": {"otherwise": "a", "tiers": [{"name": "a", "price": "1", "sizes": [""]}]}}, "images.tiers[0]"),
        ({"video": [{"per": "minute", "price": "1"}]}, "video[0].per"),
        ({"video": [{"per": "second", "price": "0.0000000001"}]}, "video[0].price"),
        ({"input": "1", "tier_factors": {"default": "2"}}, "tier_factors"),
        ({"input": "1", "tier_factors": {"flex": "2000"}}, "tier_factors.flex"),
        ({"input": "1", "tier_factors": {"flex": "2"}, "tier": "batch"}, "tier_factors"),
        ({"input": "1", "tier": "auto"}, "tier"),
        ({"input": "1", "provider": "a@b"}, "provider"),
        ({"input": "1", "model": "a\nb"}, "model"),
        ({"input": "1", "model": ""}, "model"),
        ({"input": "1", "effective_from": "tomorrow"}, "effective_from"),
        ({"input": "1", "effective_from": "2026-11-01T10:00:00"}, "effective_from"),
        ({"input": "1", "effective_from": -1}, "effective_from"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_the_name_of_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(CardError) as error:
        card(**fields)
    assert field in str(error.value)
    with pytest.raises(CardError) as error:
        cards_in(msgspec.json.encode({"rate_cards": [{"model": "m", "input": "1"}, {"model": "m", **fields}]}))
    assert "rate_cards[1]" in str(error.value)
    assert field in str(error.value)


@pytest.mark.parametrize("text", [b"{", b"model = ", b"\xff", b"[" * 60_000, b" " * (1 << 21)])
def test_what_is_no_file_is_refused(text: bytes) -> None:
    with pytest.raises(CardError):
        cards_in(text)


def test_kept_text_of_another_release_is_an_error() -> None:
    with pytest.raises(CardError):
        rates_in('{"per_token": "1"}')
