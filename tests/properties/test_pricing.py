"""Laws of bills: the exact rational sum, rounded once; never below nothing; never above what was reserved for it.

The seeded loop tries 100,000 random cards and usages, and the million under `--full`.
"""

import random
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts.pricing import MOST_NANO, Billable, bill, estimate_nano
from anykey.conversation.usage import Usage
from anykey.providers.rate_cards import INPUTS, TOKEN_UNITS, ImageRates, ImageTier, LongPrompt, RateCard, TokenRates

FIELDS = {
    "input": "input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "audio_in": "input_audio_tokens",
    "image_in": "input_image_tokens",
    "output": "output_tokens",
    "reasoning": "reasoning_tokens",
    "audio_out": "output_audio_tokens",
    "image_out": "output_image_tokens",
}
FALLBACKS = {"cache_write_1h": ("cache_write_5m", "input"), "output": (), "input": ()}
NO_USAGE = Usage()
USD_PICO = Fraction(1, 10**12)
ROUNDS, ALL_ROUNDS = 100_000, 1_000_000

prices = st.integers(0, 10**9)
rates = st.fixed_dictionaries({}, optional=dict.fromkeys(TOKEN_UNITS, prices))
usages = st.builds(Usage, **dict.fromkeys(FIELDS.values(), st.integers(0, 10**10) | st.integers(0, 300_000)))
factors = st.fractions(Fraction(0), Fraction(1000), max_denominator=10_000) | st.just(Fraction(1))
per_image = st.lists(st.integers(0, 10**13), min_size=1, max_size=3)


def price_in(said: dict[str, int], unit: str) -> int:
    """What a unit costs, by the page that says which price stands in for which."""
    side = "input" if unit in INPUTS else "output"
    for name in (unit, *FALLBACKS.get(unit, (side,))):
        if name in said:
            return said[name]
    return 0


def exact_usd(usage: Usage, said: dict[str, int]) -> Fraction:
    return sum(
        (Fraction(getattr(usage, FIELDS[unit])) * price_in(said, unit) * USD_PICO for unit in TOKEN_UNITS), Fraction(0)
    )


@given(
    said=rates, usage=usages, factor=factors, share=factors, per_call=prices, images=per_image, count=st.integers(0, 50)
)
def test_a_bill_is_the_exact_sum_rounded_once(
    said: dict[str, int],
    usage: Usage,
    factor: Fraction,
    share: Fraction,
    per_call: int,
    images: list[int],
    count: int,
) -> None:
    tiers = tuple(ImageTier(f"T{place}", price) for place, price in enumerate(images))
    card = RateCard(
        id="m/v1",
        model="m",
        tokens=TokenRates(**said),
        images=ImageRates(tiers, "T0"),
        per_call=per_call,
        tier_factors={"flex": share},
    )
    done = bill(card.in_tier("flex"), Billable(usage, images=(("auto", count),)), factor)
    exact = (exact_usd(usage, said) + (per_call + images[0] * count) * USD_PICO) * factor * share
    assert done.cost_nano == min(round(exact * 10**9), MOST_NANO)  # Fractions round half to even
    lines = sum(Fraction(line.quantity) * line.price_pico for line in done.lines)
    assert lines * USD_PICO * done.numerator / done.denominator == exact
    assert all(line.amount_pico == line.quantity * line.price_pico and line.quantity for line in done.lines)


@given(short=rates, long=rates, usage=usages, over=st.integers(0, 600_000))
def test_a_long_prompt_changes_the_price_of_the_whole_call(
    short: dict[str, int], long: dict[str, int], usage: Usage, over: int
) -> None:
    card = RateCard(
        id="m/v1", model="m", tokens=TokenRates(**short), long_prompts=(LongPrompt(over_tokens=over, **long),)
    )
    said = long if usage.total_input() > over else short
    assert bill(card, Billable(usage)).cost_nano == min(round(exact_usd(usage, said) * 10**9), MOST_NANO)


@given(said=rates, usage=usages, factor=factors, per_call=prices)
def test_an_estimate_of_as_many_tokens_is_never_below_the_bill(
    said: dict[str, int], usage: Usage, factor: Fraction, per_call: int
) -> None:
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(**said), per_call=per_call)
    held = estimate_nano(card, usage.total_input(), usage.total_output(), factor)
    assert held >= bill(card, Billable(usage), factor).cost_nano


@given(said=rates, usage=usages, more=st.integers(1, 10**6), bucket=st.sampled_from(sorted(FIELDS.values())))
def test_more_tokens_never_cost_less(said: dict[str, int], usage: Usage, more: int, bucket: str) -> None:
    card = RateCard(id="m/v1", model="m", tokens=TokenRates(**said))
    grown = msgspec.structs.replace(usage, **{bucket: getattr(usage, bucket) + more})
    assert bill(card, Billable(grown)).cost_nano >= bill(card, Billable(usage)).cost_nano


def test_random_prices_times_random_usages_are_exact(request: pytest.FixtureRequest) -> None:
    """Integers against integers here, so that the loop is short; the Fractions are in the law above."""
    rng = random.Random(20_261_121)
    bits = rng.getrandbits
    whole, half = Fraction(1), (Fraction(1, 2), Fraction(3, 7), Fraction(5, 4))
    for turn in range(ALL_ROUNDS if request.config.getoption("--full") else ROUNDS):
        said = {unit: bits(30) for unit in TOKEN_UNITS if bits(1)}
        counts = [bits(20) if bits(1) else 0 for _ in TOKEN_UNITS]
        card = RateCard(id="m/v1", model="m", tokens=TokenRates(**said))
        factor = half[turn % 3] if turn & 1 else whole
        usage = msgspec.structs.replace(NO_USAGE, **dict(zip(FIELDS.values(), counts, strict=True)))
        pico = sum(count * price_in(said, unit) for unit, count in zip(FIELDS, counts, strict=True))
        exact = Fraction(pico * factor.numerator, 1000 * factor.denominator)
        assert bill(card, Billable(usage), factor).cost_nano == round(exact)
