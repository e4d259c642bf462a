"""From what a call used to what it costs.

Law: the sum of quantity times price over all units is an exact integer of pico-USD; it is multiplied by the exact factors of the
service tier and the group, and rounded once, half to even, to nano-USD. No float and no Decimal comes near it.

Each line of a bill is kept with the charge, so that whoever doubts it can add it up again.
"""

from __future__ import annotations

from fractions import Fraction
from operator import attrgetter, mul

import msgspec

from anykey.conversation.usage import Usage
from anykey.providers.price_book import PriceBook, Priced, Sale
from anykey.providers.rate_cards import INPUTS, ONE, TOKEN_UNITS, RateCard

__all__ = ["Bill", "Billable", "Line", "PriceBook", "Priced", "Sale", "bill", "estimate_nano", "lines_text"]

PICO_PER_NANO = 1000
MOST_NANO = 10**15
"""No bill is dearer (a million USD): what an upstream claims beyond that is no usage, and thousands of them still fit into 64
bits together. SQLite would go on with a float where they do not."""

_BUCKETS: dict[str, str] = {
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
"""The bucket of `Usage` that each unit counts."""
_quantities = attrgetter(*(_BUCKETS[unit] for unit in TOKEN_UNITS))
_PROMPT = len(INPUTS)
_NO_USAGE = Usage()


class Billable(msgspec.Struct, frozen=True, gc=False):
    """What a call used. `images` are (size as asked for, how many). A video is told by its milliseconds and its tokens, one of
    which a card prices, and by what it is like: `input_video`, it was made from another; `audio`, it has sound."""

    usage: Usage = _NO_USAGE
    images: tuple[tuple[str, int], ...] = ()
    video_ms: int = 0
    video_tokens: int = 0
    resolution: str = ""
    input_video: bool = False
    audio: bool = False
    calls: int = 1


class Line(msgspec.Struct, frozen=True):
    """One unit of a bill (of TOKEN_UNITS, `image:2K`, `video_ms:720p`, `video_token:720p`, `call`), before any factor."""

    unit: str
    quantity: int
    price_pico: int
    amount_pico: int


NO_LINES: tuple[Line, ...] = ()


class Bill(msgspec.Struct, frozen=True, gc=False):
    """What a call costs: the amounts of `lines`, times `numerator / denominator`, rounded once.

    Most calls ask for the cost alone, so lines are made when they are asked for: of the token units from `quantities` and
    `prices`, in the order of TOKEN_UNITS; `others` are ready."""

    cost_nano: int
    quantities: tuple[int, ...] = ()
    prices: tuple[int, ...] = ()
    others: tuple[Line, ...] = ()
    numerator: int = 1
    denominator: int = 1

    @property
    def lines(self) -> tuple[Line, ...]:
        """Each unit that was used, with its price and amount."""
        used = zip(TOKEN_UNITS, self.quantities, self.prices, strict=True) if self.quantities else ()
        tokens = [Line(unit, quantity, price, quantity * price) for unit, quantity, price in used if quantity]
        return (*tokens, *self.others)


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    lines: tuple[Line, ...]
    times: str | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Kept)


def bill(card: RateCard, billable: Billable, multiplier: Fraction = ONE) -> Bill:
    """Return what `billable` costs by `card`, times a group's multiplier."""
    quantities: tuple[int, ...] = _quantities(billable.usage)
    levels = card.levels
    level = levels[0] if len(levels) == 1 else card.level_of(sum(quantities[:_PROMPT]))
    prices = level.prices
    pico = sum(map(mul, quantities, prices))
    others = NO_LINES
    if card.per_call or card.images is not None or card.video:
        others = _other_lines(card, billable)
        pico += sum([line.amount_pico for line in others])
    if card.factor is ONE and multiplier is ONE:
        return Bill(_nano(pico, PICO_PER_NANO), quantities, prices, others)
    above = card.factor.numerator * multiplier.numerator
    below = card.factor.denominator * multiplier.denominator
    return Bill(_nano(pico * above, PICO_PER_NANO * below), quantities, prices, others, above, below)


def estimate_nano(
    card: RateCard, input_tokens: int, output_tokens: int, multiplier: Fraction = ONE, images: int = 0
) -> int:
    """Return what a call of so many tokens costs at the most, rounded up: every prompt token in the dearest bucket of its side,
    every token of the answer in the dearest of the other, the images of the dearest size, and the fee of the call."""
    level = card.level_of(input_tokens)
    pico = input_tokens * level.dearest_input + output_tokens * level.dearest_output + card.per_call
    if images and card.images is not None:
        pico += images * max(tier.price for tier in card.images.tiers)
    above = card.factor.numerator * multiplier.numerator
    below = card.factor.denominator * multiplier.denominator * PICO_PER_NANO
    return min(-(-pico * above // below), MOST_NANO)


def lines_text(done: Bill) -> str:
    """Return the lines as JSON, to be kept with the charge; `times` is the exact factor where there is one."""
    times = None if done.numerator == done.denominator else str(Fraction(done.numerator, done.denominator))
    return _ENCODER.encode(_Kept(done.lines, times)).decode()


def lines_in(text: str) -> tuple[tuple[Line, ...], str | None]:
    """Return what `lines_text` wrote: the lines, and the factor as text where there is one."""
    kept = _DECODER.decode(text)
    return kept.lines, kept.times


def _other_lines(card: RateCard, billable: Billable) -> tuple[Line, ...]:
    """The lines of what is not tokens of a conversation."""
    found: list[tuple[str, int, int]] = []
    if card.images is not None:
        for size, count in billable.images:
            tier = card.images.tier_of(size)
            found.append((f"image:{tier.name}", count, tier.price))
    if card.video and (billable.video_ms or billable.video_tokens):
        found += _video(card, billable)
    if card.per_call:
        found.append(("call", billable.calls, card.per_call))
    return tuple([Line(unit, quantity, price, quantity * price) for unit, quantity, price in found if quantity])


def _video(card: RateCard, billable: Billable) -> list[tuple[str, int, int]]:
    resolution = billable.resolution.lower()
    for rate in card.video:
        asked = ((rate.resolution, resolution), (rate.input_video, billable.input_video), (rate.audio, billable.audio))
        if all(wanted is None or wanted == is_ for wanted, is_ in asked):
            unit, quantity = ("ms", billable.video_ms) if rate.per == "second" else ("token", billable.video_tokens)
            return [(f"video_{unit}:{resolution}" if resolution else f"video_{unit}", quantity, rate.price)]
    return []


def _nano(above: int, below: int) -> int:
    """`above / below`, half to even."""
    whole, rest = divmod(above, below)
    twice = 2 * rest
    if twice > below or (twice == below and whole & 1):
        whole += 1
    return whole if whole < MOST_NANO else MOST_NANO
