"""From rate cards as they are written (written_cards.py, where their form is shown) to whole pico-USD.

Law: strict. An unknown field, a number that is no text (0.1 has no binary fraction), a price finer than a pico-USD: each is
refused with the name of its field, and nothing is kept.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import msgspec

from anykey.accounts.written_cards import (
    NAME,
    CardError,
    ImagesTexts,
    Scope,
    TokenTexts,
    VideoTexts,
    WrittenCard,
    WrittenRates,
    check_scope,
    moment_of,
    scope_of,
)
from anykey.providers.price_book import STANDARD_TIERS
from anykey.providers.rate_cards import TOKEN_UNITS, ImageRates, ImageTier, LongPrompt, RateCard, TokenRates, VideoRate

__all__ = ["CardError", "RateCard", "card_of", "cards_in", "rates_in"]

PICO_PER_USD = 10**12
MOST_USD = 1_000_000
"""No price or fee is higher, in USD per million tokens, per image, per second or per call."""
LONGEST_FILE = 1 << 20
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,18})?")


class _CardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rate_cards: tuple[WrittenCard, ...]


_RATES = msgspec.json.Decoder(WrittenRates)


def cards_in(text: bytes) -> tuple[WrittenCard, ...]:
    """Read a file: one card, or a list of them under `rate_cards`; JSON begins with a brace, anything else is TOML.

    Every card is read to the end, so that what is returned can be kept. Raises CardError.
    """
    table = _table(text)
    many = "rate_cards" in table
    try:
        cards = msgspec.convert(table, _CardFile).rate_cards if many else (msgspec.convert(table, WrittenCard),)
    except msgspec.ValidationError as error:
        raise CardError(str(error)) from None
    for place, card in enumerate(cards):
        try:
            check_scope(scope_of(card))
            card_of(scope_of(card), card.rates())
            if card.effective_from is not None:
                moment_of(card.effective_from)
        except CardError as error:
            raise CardError(f"rate_cards[{place}].{error}" if many else str(error)) from None
    return cards


def rates_in(text: str) -> WrittenRates:
    """Read prices as they are kept. Raises CardError."""
    try:
        return _RATES.decode(text)
    except msgspec.DecodeError as error:
        raise CardError(str(error)) from None


def card_of(
    scope: Scope, written: WrittenRates, version: int = 0, effective_from: int = 0, source: str = ""
) -> RateCard:
    """Return the card that the texts mean. Raises CardError."""
    rate = _rate(written)
    tokens = TokenRates(**_tokens(written, rate, ""))
    card = RateCard(
        id=f"{scope.series()}/v{version}",
        model=scope.model,
        version=version,
        provider=scope.provider,
        lane=scope.lane,
        region=scope.region,
        tier=scope.tier,
        effective_from=effective_from,
        tokens=tokens,
        long_prompts=_long_prompts(written, tokens, rate),
        images=_images(written.images, rate) if written.images is not None else None,
        video=_video(written.video, rate),
        per_call=_price("per_call", written.per_call, rate, PICO_PER_USD) if written.per_call is not None else 0,
        tier_factors=_factors(written.tier_factors, scope.tier),
        source=source,
    )
    if tokens == TokenRates() and card.images is None and not card.video and written.per_call is None:
        raise CardError('input: a card has a price; what costs nothing says input = "0"')
    return card


def _table(text: bytes) -> Mapping[str, Any]:
    if len(text) > LONGEST_FILE:
        raise CardError(f"$: the file is larger than {LONGEST_FILE:,} bytes")
    try:
        if text.lstrip()[:1] == b"{":
            return msgspec.json.decode(text, type=dict[str, Any])
        return tomllib.loads(text.decode())
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CardError(f"$: neither JSON nor TOML: {error}"[:300]) from None


def _rate(written: WrittenRates) -> Fraction | None:
    """USD for one unit of the currency; None: it is USD."""
    if written.currency == "USD":
        if written.usd_per_unit is not None:
            raise CardError("usd_per_unit: the currency is USD")
        return None
    if not re.fullmatch("[A-Z]{3}", written.currency):
        raise CardError(f"currency: {written.currency[:20]!r} is none; it has three capital letters")
    if written.usd_per_unit is None:
        raise CardError(f"usd_per_unit: say how many USD one {written.currency} is")
    rate = _decimal("usd_per_unit", written.usd_per_unit)
    if not rate:
        raise CardError("usd_per_unit: it is 0")
    return rate


def _decimal(field: str, text: str) -> Fraction:
    if not _DECIMAL.fullmatch(text):
        raise CardError(f"{field}: {text[:40]!r} is not a decimal number like 0.25")
    return Fraction(text)


def _price(field: str, text: str, rate: Fraction | None, pico: int) -> int:
    """The price, where 1 USD is `pico` of what is returned. What another currency comes to is rounded, half to even."""
    usd = _decimal(field, text) * (1 if rate is None else rate)
    if usd > MOST_USD:
        raise CardError(f"{field}: {text} is more than {MOST_USD:,} USD")
    exact = usd * pico
    if rate is None and exact.denominator != 1:
        raise CardError(f"{field}: {text} is finer than a pico-USD")
    return round(exact)


def _tokens(texts: TokenTexts, rate: Fraction | None, place: str) -> dict[str, int]:
    said = {unit: getattr(texts, unit) for unit in TOKEN_UNITS}
    return {
        unit: _price(place + unit, text, rate, PICO_PER_USD // 10**6) for unit, text in said.items() if text is not None
    }


def _long_prompts(written: WrittenRates, tokens: TokenRates, rate: Fraction | None) -> tuple[LongPrompt, ...]:
    found: list[LongPrompt] = []
    for index, texts in enumerate(written.long_prompts):
        place = f"long_prompts[{index}]."
        if texts.over_tokens <= (found[-1].over_tokens if found else 0):
            raise CardError(f"{place}over_tokens: {texts.over_tokens} is not more than the length before it")
        long = LongPrompt(over_tokens=texts.over_tokens, **_tokens(texts, rate, place))
        missing = [
            side for side in ("input", "output") if getattr(tokens, side) is not None and getattr(long, side) is None
        ]
        if missing:
            raise CardError(f"{place}{missing[0]}: the card has such a price, so its long prompts have one too")
        found.append(long)
    return tuple(found)


def _images(texts: ImagesTexts, rate: Fraction | None) -> ImageRates:
    tiers: list[ImageTier] = []
    seen: set[str] = set()
    for index, tier in enumerate(texts.tiers):
        place = f"images.tiers[{index}]"
        sizes = tuple(size.strip().lower() for size in tier.sizes)
        names = (tier.name.lower(), *sizes)
        if not all(names) or not NAME.fullmatch(tier.name):
            raise CardError(f"{place}: a tier and its sizes have names")
        if twice := [name for name in names if name in seen]:
            raise CardError(f"{place}.sizes: {twice[0]!r} is in two tiers")
        seen.update(names)
        tiers.append(ImageTier(tier.name, _price(f"{place}.price", tier.price, rate, PICO_PER_USD), sizes))
    if texts.otherwise not in {tier.name for tier in tiers}:
        raise CardError(f"images.otherwise: there is no tier {texts.otherwise[:40]!r}")
    return ImageRates(tuple(tiers), texts.otherwise)


def _video(rows: Iterable[VideoTexts], rate: Fraction | None) -> tuple[VideoRate, ...]:
    return tuple(
        VideoRate(
            per=row.per,
            # USD per second is a billion pico-USD per millisecond; per million tokens, a million per token.
            price=_price(f"video[{index}].price", row.price, rate, 10**9 if row.per == "second" else 10**6),
            resolution=row.resolution.lower() if row.resolution is not None else None,
            input_video=row.input_video,
            audio=row.audio,
        )
        for index, row in enumerate(rows)
    )


def _factors(texts: Mapping[str, str], tier: str | None) -> dict[str, Fraction]:
    if texts and tier is not None:
        raise CardError("tier_factors: the card is for one tier")
    found: dict[str, Fraction] = {}
    for name, text in texts.items():
        if name.lower() in STANDARD_TIERS or not NAME.fullmatch(name):
            raise CardError(f"tier_factors: {name[:40]!r} is no special service tier")
        factor = found[name.lower()] = _decimal(f"tier_factors.{name}", text)
        if factor > 1000:
            raise CardError(f"tier_factors.{name}: {text} is more than 1000")
    return found
