"""A rate card: what is asked for the calls of a model, per unit, in whole pico-USD.

Law: a price is an integer in the smallest unit that anybody sells by, and every bucket of `Usage` has exactly one price, known
before the first call: what a card does not say follows from what it says (`TokenRates.price_of`). `tests/unit` and
`tests/properties` hold bills to the exact rational sum.

The records lie beside the catalogue's list prices because routing's snapshot holds them; what a call comes to is
`anykey.accounts.pricing`, how a card is read from text `anykey.accounts.rate_cards`.
"""

from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

from anykey.providers.models import ModelPrices, Rates

ONE = Fraction(1)

INPUTS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in")
"""The token units of the prompt; together they are `Usage.total_input`."""
OUTPUTS = ("output", "reasoning", "audio_out", "image_out")
"""The token units of the answer; together they are `Usage.total_output`."""
TOKEN_UNITS = INPUTS + OUTPUTS


class TokenRates(Rates, frozen=True, kw_only=True, omit_defaults=True):
    """Prices in pico-USD per token; None: there is no such price of its own."""

    audio_in: int | None = None
    image_in: int | None = None
    audio_out: int | None = None
    image_out: int | None = None

    def price_of(self, unit: str) -> int:
        """Return what a token of `unit` costs: its own price, else that of fresh input or of plain output, else nothing.

        An hour's cache write without a price is charged as one of five minutes before it is charged as input.
        """
        own: int | None = getattr(self, unit)
        if own is None and unit == "cache_write_1h":
            own = self.cache_write_5m
        if own is None:
            own = self.input if unit in INPUTS else self.output
        return own or 0


class LongPrompt(TokenRates, frozen=True, kw_only=True, omit_defaults=True):
    """The prices of the whole call, its first token too, when its prompt, cached tokens too, is longer than `over_tokens`."""

    over_tokens: int


class ImageTier(msgspec.Struct, frozen=True):
    """Images of some sizes (`1024x1024`, lower case), in pico-USD each."""

    name: str
    price: int
    sizes: tuple[str, ...] = ()


class ImageRates(msgspec.Struct, frozen=True):
    """Images by size. `otherwise` names the tier of an image whose size is not said, `auto`, or in no tier."""

    tiers: tuple[ImageTier, ...]
    otherwise: str

    def tier_of(self, size: str) -> ImageTier:
        """Return the tier of a size as a caller wrote it (`1024x1024`, `1024*1024`, or the tier's own name, as `2K`)."""
        wanted = size.strip().lower().replace("*", "x").replace("\N{MULTIPLICATION SIGN}", "x")
        for tier in self.tiers:
            if wanted in tier.sizes or wanted == tier.name.lower():
                return tier
        return next(tier for tier in self.tiers if tier.name == self.otherwise)


class VideoRate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Video by what it is like; None: whatever it is. `price` is in pico-USD per millisecond, or per token."""

    per: Literal["second", "token"]
    price: int
    resolution: str | None = None
    """Lower case: `720p`."""
    input_video: bool | None = None
    audio: bool | None = None


class Level(NamedTuple):
    """The prices from a length of prompt on, one for each of TOKEN_UNITS; and the dearest of each side, for estimates."""

    over_tokens: int
    prices: tuple[int, ...]
    dearest_input: int
    dearest_output: int


class RateCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of the prices of a model, for the calls that `provider`, `lane`, `region` and `tier` allow (None: any).

    `model` is a public or an upstream name, or a glob of them; `provider` a configured name or a kind. `effective_from` is Unix
    seconds. `factor` multiplies all of it: the share that a service tier without a card of its own pays.
    """

    id: str
    """`claude-opus-5@anthropic/v3`: names the version exactly, and is what charges keep."""
    model: str
    version: int = 0
    provider: str | None = None
    lane: str | None = None
    region: str | None = None
    tier: str | None = None
    effective_from: int = 0
    tokens: TokenRates = TokenRates()
    long_prompts: tuple[LongPrompt, ...] = ()
    """In the order of their length."""
    images: ImageRates | None = None
    video: tuple[VideoRate, ...] = ()
    """The first that fits counts."""
    per_call: int = 0
    """Pico-USD for each call."""
    tier_factors: dict[str, Fraction] = {}
    """What other service tiers pay, as a share of these prices."""
    factor: Fraction = ONE
    source: str = ""
    levels: tuple[Level, ...] = ()
    """Computed from `tokens` and `long_prompts`, shortest first."""

    def __post_init__(self) -> None:
        levels = (_level(-1, self.tokens), *(_level(long.over_tokens, long) for long in self.long_prompts))
        msgspec.structs.force_setattr(self, "levels", levels)

    def level_of(self, prompt_tokens: int) -> Level:
        """Return the prices of a call whose prompt, cached tokens too, has so many tokens."""
        found = self.levels[0]
        for level in self.levels[1:]:
            if prompt_tokens > level.over_tokens:
                found = level
        return found

    def in_tier(self, tier: str) -> "RateCard":
        """Return the card with what the service tier `tier` pays of it."""
        factor = self.tier_factors.get(tier)
        return self if factor is None else msgspec.structs.replace(self, factor=self.factor * factor)


def series_of(model: str, provider: str | None, lane: str | None, region: str | None, tier: str | None) -> str:
    """Return what all versions of a card have in common: `model`, `model@provider`, `model@provider;lane=coding;tier=flex`."""
    narrower = [f";{name}={value}" for name, value in (("lane", lane), ("region", region), ("tier", tier)) if value]
    return model + (f"@{provider}" if provider else "") + "".join(narrower)


def listed_card(provider: str, model: str, prices: ModelPrices) -> RateCard | None:
    """Return a catalogue's list prices as a card of version 0; None where they are not in USD, whose rate nobody set."""
    if prices.currency != "USD":
        return None
    return RateCard(
        id=f"{series_of(model, provider, None, None, None)}/list" + (f":{prices.since}" if prices.since else ""),
        model=model,
        provider=provider,
        tokens=_token_rates(prices),
        long_prompts=tuple(
            LongPrompt(over_tokens=tier.over_tokens, **msgspec.structs.asdict(_token_rates(tier)))
            for tier in prices.tiers
        ),
        source=prices.source,
    )


def _token_rates(rates: Rates) -> TokenRates:
    return TokenRates(**{name: getattr(rates, name) for name in Rates.__struct_fields__})


def _level(over_tokens: int, rates: TokenRates) -> Level:
    prices = tuple(rates.price_of(unit) for unit in TOKEN_UNITS)
    return Level(over_tokens, prices, max(prices[: len(INPUTS)]), max(prices[len(INPUTS) :]))
