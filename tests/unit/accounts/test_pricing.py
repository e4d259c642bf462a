"""Bills, line by line; the laws are in tests/properties/test_pricing.py."""

import json
import timeit
from fractions import Fraction

import pytest

from anykey.accounts.pricing import MOST_NANO, Bill, Billable, Line, bill, estimate_nano, lines_in, lines_text
from anykey.accounts.rate_cards import card_of, cards_in
from anykey.accounts.written_cards import scope_of
from anykey.conversation.usage import Usage
from anykey.providers.rate_cards import ImageRates, ImageTier, LongPrompt, RateCard, TokenRates, VideoRate

SONNET = RateCard(
    id="sonnet/v1",
    model="sonnet",
    tokens=TokenRates(
        input=3_000_000, cache_read=300_000, cache_write_5m=3_750_000, cache_write_1h=6_000_000, output=15_000_000
    ),
    long_prompts=(LongPrompt(over_tokens=200_000, input=6_000_000, output=22_500_000),),
)


def test_each_bucket_is_a_line_and_reasoning_costs_what_output_does() -> None:
    used = Usage(
        input_tokens=100, cache_read_tokens=1000, cache_write_1h_tokens=10, output_tokens=7, reasoning_tokens=3
    )
    done = bill(SONNET, Billable(used))
    assert done.cost_nano == 300_000 + 300_000 + 60_000 + 105_000 + 45_000
    assert done.lines == (
        Line("input", 100, 3_000_000, 300_000_000),
        Line("cache_read", 1000, 300_000, 300_000_000),
        Line("cache_write_1h", 10, 6_000_000, 60_000_000),
        Line("output", 7, 15_000_000, 105_000_000),
        Line("reasoning", 3, 15_000_000, 45_000_000),
    )


def test_cached_tokens_make_a_prompt_long_and_the_edge_is_not_over_it() -> None:
    edge = Usage(cache_read_tokens=200_000, output_tokens=1)
    assert bill(SONNET, Billable(edge)).cost_nano == 200_000 * 300 + 15_000
    over = Usage(cache_read_tokens=200_000, input_tokens=1)
    assert bill(SONNET, Billable(over)).cost_nano == 200_001 * 6000  # the tier has no price for what was cached


@pytest.mark.parametrize(
    ("pico", "nano"), [(499, 0), (500, 0), (501, 1), (1499, 1), (1500, 2), (2500, 2), (2501, 3), (3500, 4)]
)
def test_halves_go_to_the_even_neighbour(pico: int, nano: int) -> None:
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(input=pico))
    assert bill(card, Billable(Usage(input_tokens=1))).cost_nano == nano


def test_a_group_and_a_tier_multiply_before_the_one_rounding() -> None:
    card = RateCard(
        id="m/v1", model="m", tokens=TokenRates(input=1001), tier_factors={"flex": Fraction(1, 2)}, per_call=1000
    )
    done = bill(card.in_tier("flex"), Billable(Usage(input_tokens=3)), Fraction(4, 3))
    assert done.cost_nano == round(Fraction(3 * 1001 + 1000, 1000) * Fraction(2, 3)) == 3
    assert Fraction(done.numerator, done.denominator) == Fraction(2, 3)
    assert json.loads(lines_text(done)) == {
        "lines": [
            {"unit": "input", "quantity": 3, "price_pico": 1001, "amount_pico": 3003},
            {"unit": "call", "quantity": 1, "price_pico": 1000, "amount_pico": 1000},
        ],
        "times": "2/3",
    }


def test_what_is_kept_is_read_again() -> None:
    done = bill(SONNET, Billable(Usage(input_tokens=3, output_tokens=2)), Fraction(3, 2))
    assert lines_in(lines_text(done)) == (done.lines, "3/2")
    assert lines_in(lines_text(bill(SONNET, Billable()))) == ((), None)


def test_what_nobody_used_costs_nothing_and_leaves_no_line() -> None:
    done = bill(SONNET, Billable())
    assert (done.cost_nano, done.lines, Bill(0).lines) == (0, (), ())
    assert lines_text(bill(SONNET, Billable())) == '{"lines":[]}'


def test_a_free_plan_is_priced_at_nothing() -> None:
    free = RateCard(id="plan/v1", model="plan", tokens=TokenRates(input=0, output=0))
    done = bill(free, Billable(Usage(input_tokens=5, output_tokens=5)))
    assert (done.cost_nano, [line.amount_pico for line in done.lines]) == (0, [0, 0])


SIZES = """
model = "image-2"
[images]
otherwise = "2K"
tiers = [
  { name = "1K", price = "0.05", sizes = ["1024x1024"] },
  { name = "2K", price = "0.10", sizes = ["2048x2048"] },
]
"""


@pytest.mark.parametrize(
    ("size", "unit", "usd"),
    [
        ("1024x1024", "image:1K", "0.05"),
        ("1024X1024", "image:1K", "0.05"),
        (" 1024*1024 ", "image:1K", "0.05"),
        ("1k", "image:1K", "0.05"),
        ("", "image:2K", "0.10"),
        ("auto", "image:2K", "0.10"),
        ("7x7", "image:2K", "0.10"),
    ],
)
def test_images_by_size(size: str, unit: str, usd: str) -> None:
    (written,) = cards_in(SIZES.encode())
    card = card_of(scope_of(written), written.rates())
    done = bill(card, Billable(images=((size, 3),)))
    price = int(Fraction(usd) * 10**12)
    assert done.lines == (Line(unit, 3, price, 3 * price),)
    assert done.cost_nano == int(Fraction(usd) * 3 * 10**9)


def test_video_by_what_it_is_like() -> None:
    card = RateCard(
        id="v/v1",
        model="v",
        video=(
            VideoRate(per="token", price=4_300_000, input_video=True),
            VideoRate(per="second", price=100_000_000, resolution="720p", audio=True),
            VideoRate(per="second", price=50_000_000),
        ),
    )
    made_of_one = Billable(video_ms=5000, video_tokens=100_000, resolution="720p", input_video=True)
    assert bill(card, made_of_one).lines == (Line("video_token:720p", 100_000, 4_300_000, 430_000_000_000),)
    with_sound = Billable(video_ms=5500, resolution="720P", audio=True)
    assert bill(card, with_sound).cost_nano == 550_000_000
    assert bill(card, Billable(video_ms=1000)).lines == (Line("video_ms", 1000, 50_000_000, 50_000_000_000),)
    only = RateCard(id="v/v1", model="v", video=(VideoRate(per="second", price=1, resolution="4k"),))
    assert bill(only, Billable(video_ms=1000, resolution="720p")).lines == ()


def test_an_estimate_takes_the_dearest_bucket_of_each_side_and_rounds_up() -> None:
    assert estimate_nano(SONNET, 1000, 100) == 1000 * 6000 + 100 * 15_000
    assert estimate_nano(SONNET, 200_001, 0) == 200_001 * 6000
    thinking = RateCard(id="m/v1", model="m", tokens=TokenRates(input=1, output=2, reasoning=7), per_call=1)
    assert estimate_nano(thinking, 0, 0) == 1
    assert estimate_nano(thinking, 1000, 1000, Fraction(1, 3)) == 3  # (1000 + 7000 + 1) / 3000, up
    tiers = ImageRates((ImageTier("1K", 5000), ImageTier("4K", 20_000)), "1K")
    assert estimate_nano(RateCard(id="i/v1", model="i", images=tiers), 0, 0, images=2) == 40


def test_what_an_upstream_claims_beyond_all_reason_fits_the_table() -> None:
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(input=10**12))
    assert bill(card, Billable(Usage(input_tokens=10**10))).cost_nano == MOST_NANO
    assert estimate_nano(card, 10**10, 0) == MOST_NANO


def test_a_bill_takes_about_a_microsecond() -> None:
    """Ten times as long as measured, for a slow and busy machine; the bound is there for what is a hundred times as long."""
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(input=3_000_000, output=15_000_000))
    used = Billable(Usage(input_tokens=1234, output_tokens=77))
    assert min(timeit.repeat(lambda: bill(card, used), number=1000, repeat=5)) < 0.015
