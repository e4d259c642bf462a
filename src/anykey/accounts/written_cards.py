"""Rate cards as operators write them, JSON or TOML, and as they are kept: decimal texts (rate_cards.py makes prices of them).

    model = "gpt-image-2"                 # a public or an upstream name, or a glob of them
    provider = "openai"                   # this, `lane`, `region` and `tier` narrow it down
    effective_from = "2026-11-01"         # a day (its start in UTC), a moment with its zone, or Unix seconds; default: now
    input = "5"                           # per million tokens; so are cache_read, cache_write_5m, cache_write_1h, output,
    output = "40"                         # reasoning, audio_in, audio_out, image_in and image_out
    per_call = "0.001"
    long_prompts = [{ over_tokens = 200000, input = "10", output = "60" }]
    images = { otherwise = "2K", tiers = [{ name = "1K", price = "0.05", sizes = ["1024x1024"] }, … ] }
    video = [{ per = "second", price = "0.1", resolution = "720p", audio = true }]
    tier_factors = { flex = "0.5", priority = "2" }
    currency = "CNY"                      # with the rate that the operator fixes
    usd_per_unit = "0.14"

Law: what is kept is what was written, so a card is shown as its author knows it, and put again it changes nothing.
"""

import re
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

import msgspec

from anykey.providers.price_book import STANDARD_TIERS
from anykey.providers.rate_cards import series_of

NAME = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")


class CardError(ValueError):
    """A card cannot be meant. The message names the field."""


class TokenTexts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Prices per million tokens."""

    input: str | None = None
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    audio_in: str | None = None
    image_in: str | None = None
    output: str | None = None
    reasoning: str | None = None
    audio_out: str | None = None
    image_out: str | None = None


class LongTexts(TokenTexts, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Prices per million tokens of calls with a long prompt."""

    over_tokens: int


class ImageTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier of images."""

    name: str
    price: str
    sizes: tuple[str, ...] = ()


class ImagesTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Images by size."""

    otherwise: str
    tiers: tuple[ImageTexts, ...]


class VideoTexts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Video by what it is like."""

    per: Literal["second", "token"]
    price: str
    resolution: str | None = None
    input_video: bool | None = None
    audio: bool | None = None


class WrittenRates(TokenTexts, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The prices of a card as they are written and kept."""

    long_prompts: tuple[LongTexts, ...] = ()
    images: ImagesTexts | None = None
    video: tuple[VideoTexts, ...] = ()
    per_call: str | None = None
    tier_factors: dict[str, str] = {}
    currency: str = "USD"
    usd_per_unit: str | None = None

    def text(self) -> str:
        """Return the JSON that is kept."""
        return msgspec.json.encode(self, order="deterministic").decode()


class WrittenCard(WrittenRates, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A card of a file: whose prices these are, and from when."""

    model: str
    provider: str | None = None
    lane: str | None = None
    region: str | None = None
    tier: str | None = None
    effective_from: str | int | None = None
    source: str = ""

    def rates(self) -> WrittenRates:
        """Return the prices alone."""
        return WrittenRates(**{name: getattr(self, name) for name in WrittenRates.__struct_fields__})


class Scope(NamedTuple):
    """Which calls a card is for; all of its versions have the same."""

    model: str
    provider: str | None = None
    lane: str | None = None
    region: str | None = None
    tier: str | None = None

    def series(self) -> str:
        """Return the name of all versions together."""
        return series_of(*self)


def scope_of(card: WrittenCard) -> Scope:
    """Return which calls a written card is for."""
    return Scope(card.model, card.provider, card.lane, card.region, card.tier.lower() if card.tier else None)


def moment_of(said: str | int) -> int:
    """Return a day, a moment with its zone, or Unix seconds as Unix seconds. Raises CardError."""
    if isinstance(said, int):
        if not 0 <= said < 1 << 40:
            raise CardError(f"effective_from: {said} is no moment in Unix seconds")
        return said
    try:
        if len(said) == len("2026-11-01"):
            return int(datetime.combine(date.fromisoformat(said), datetime.min.time(), UTC).timestamp())
        found = datetime.fromisoformat(said)
    except ValueError:
        raise CardError(f"effective_from: {said[:40]!r} is neither a day nor a moment") from None
    if found.tzinfo is None:
        raise CardError(f"effective_from: {said!r} has no time zone")
    return int(found.timestamp())


def check_scope(scope: Scope) -> None:
    """Raise CardError unless each part is a name."""
    for field, value in zip(Scope._fields, scope, strict=True):
        if value is not None and (not NAME.fullmatch(value) or (field != "model" and set(value) & set("@;"))):
            raise CardError(f"{field}: {value[:40]!r} is no name")
    if scope.tier in STANDARD_TIERS:
        raise CardError(f"tier: {scope.tier!r} is the usual tier, which a card without a tier is for")
