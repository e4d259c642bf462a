"""What is known of a model: its limits, its abilities, its list prices; and the catalogue that answers for a provider's kind.

Law: a name is known exactly, or it is the exact name of a model followed by a date, or it is not known. Never a guess by
likeness: a new model must not silently get its family's old price.

Prices are whole pico-USD per token, which is the same number as micro-USD per million tokens: "0.15" USD per million is 150,000.
Nano-USD would not do, vendors publish 0.0028 USD per million (2.8 nano-USD per token). An amount in nano-USD is
`tokens * price // 1000` once, over the whole call.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Self

import msgspec

PICO_USD_PER_USD_PER_MILLION = 1_000_000

ABILITIES = (
    "tools", "vision", "audio_in", "video_in", "pdf_in", "reasoning", "structured_output", "web_search", "prompt_cache",
    "image_out", "audio_out", "code_execution", "computer_use",
)  # fmt: skip
"""The words `ModelFacts.abilities` may hold, in the order they are shown."""

# `-20251001`, `-2026-04-23`, `-260328` (Ark), `@20251001` (Vertex). Not `-0613`: four digits may as well be a size.
_DATE = re.compile(r"(?:-|@)(?:20\d{2}-?[01]\d-?[0-3]\d|2[3-9][01]\d[0-3]\d)\Z")


class Rates(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prices in pico-USD per token; None: there is no such price, and the call is charged as `input` or `output`."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None


class PriceTier(Rates, frozen=True, kw_only=True, omit_defaults=True):
    """The prices of the whole call, its first token too, when its prompt is longer than `over_tokens`."""

    over_tokens: int


class ModelPrices(Rates, frozen=True, kw_only=True, omit_defaults=True):
    """List prices. `tiers` are in the order of their length; `source` is the page that says so, `since` the day from which."""

    tiers: tuple[PriceTier, ...] = ()
    currency: str = "USD"
    source: str = ""
    since: str = ""

    def for_prompt(self, tokens: int) -> Rates:
        """Return the prices of a call whose prompt, cached tokens too, has so many tokens."""
        found: Rates = self
        for tier in self.tiers:
            if tokens > tier.over_tokens:
                found = tier
        return found


class ModelFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One model of one vendor. Dates are ISO days; `source` names who says so and `observed_on` when they said it."""

    vendor: str
    model: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    abilities: tuple[str, ...] = ()
    prices: ModelPrices | None = None
    released_on: str | None = None
    deprecated_on: str | None = None
    source: str = ""
    observed_on: str = ""

    def under(self, newer: "ModelFacts") -> "ModelFacts":
        """Return these facts with everything `newer` knows on top; abilities add up."""
        known = {
            name: value
            for name in ("context_tokens", "max_output_tokens", "prices", "released_on", "deprecated_on")
            if (value := getattr(newer, name)) is not None
        }
        return msgspec.structs.replace(
            self,
            **known,
            abilities=ordered_abilities({*self.abilities, *newer.abilities}),
            source="; ".join(dict.fromkeys(filter(None, (*newer.source.split("; "), *self.source.split("; "))))),
            observed_on=max(self.observed_on, newer.observed_on),
        )


class ProviderModel(msgspec.Struct, frozen=True):
    """A model of one configured provider: pinned by an operator, or on the provider's own list, which then gave the facts."""

    model: str
    pinned: bool = False
    facts: ModelFacts | None = None


Shelf = Mapping[str, ModelFacts]
"""The models of one vendor by their lower-case names."""


class ModelCatalogue:
    """The facts of many vendors. `shelf_of` gives a vendor's shipped models when they are first asked for; `vendor_of` says whose
    models a kind of provider sells, and whether by quota, in which case list prices do not hold."""

    def __init__(
        self,
        shelf_of: Callable[[str], Shelf],
        vendor_of: Callable[[str], tuple[str, bool]],
        rows: Mapping[str, Shelf] | None = None,
    ) -> None:
        self._shelf_of = shelf_of
        self._vendor_of = vendor_of
        self._rows = rows or {}

    def facts_of(self, kind_id: str, model: str) -> ModelFacts | None:
        """Return what is known of `model` at a provider of this kind, by its name or by its name without a date."""
        vendor, by_quota = self._vendor_of(kind_id)
        name = model.lower()
        found = self._find(vendor, name)
        if found is None and (bare := _DATE.sub("", name)) != name:
            found = self._find(vendor, bare)
        return msgspec.structs.replace(found, prices=None) if found is not None and by_quota else found

    def models_of(self, vendor: str) -> Iterator[ModelFacts]:
        """Yield all of a vendor's models, by name."""
        shipped, rows = self._shelf_of(vendor), self._rows.get(vendor, {})
        for name in sorted(shipped.keys() | rows.keys()):
            yield _joined(shipped.get(name), rows.get(name))

    def with_rows(self, rows: Iterable[ModelFacts]) -> Self:
        """Return the catalogue with other facts over the shipped ones; several of one model apply in their order."""
        shelves: dict[str, dict[str, ModelFacts]] = {}
        for row in rows:
            shelf, name = shelves.setdefault(row.vendor, {}), row.model.lower()
            shelf[name] = shelf[name].under(row) if name in shelf else row
        return type(self)(self._shelf_of, self._vendor_of, shelves)

    def _find(self, vendor: str, name: str) -> ModelFacts | None:
        shipped, row = self._shelf_of(vendor).get(name), self._rows.get(vendor, {}).get(name)
        return None if shipped is None and row is None else _joined(shipped, row)


def ordered_abilities(found: Iterable[str]) -> tuple[str, ...]:
    """Return those of ABILITIES that are in `found`, in the order of the list."""
    wanted = set(found)
    return tuple(ability for ability in ABILITIES if ability in wanted)


def price_per_million(usd: Decimal | str | None) -> int | None:
    """Return a price in USD per million tokens as pico-USD per token. ValueError for what is no price.

    What is finer than a pico-USD is rounded: such digits are the noise of a binary fraction, no vendor sells by them.
    """
    if usd is None:
        return None
    try:
        exact = Decimal(usd) * PICO_USD_PER_USD_PER_MILLION
    except InvalidOperation:
        raise ValueError(f"{usd!r} is not a number") from None
    if not exact.is_finite() or not 0 <= exact < 10**15:
        raise ValueError(f"{usd} is not a price")
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


def usd_per_million(price: int) -> str:
    """Return a price in pico-USD per token as people write it, USD per million tokens."""
    whole, rest = divmod(price, PICO_USD_PER_USD_PER_MILLION)
    digits = f"{rest:06d}".rstrip("0")
    return f"{whole}.{digits:0<2}" if digits else str(whole)


def _joined(shipped: ModelFacts | None, row: ModelFacts | None) -> ModelFacts:
    if shipped is None or row is None:
        found = row or shipped
        assert found is not None  # noqa: S101 - one of the two is there, callers saw to it
        return found
    return shipped.under(row)
