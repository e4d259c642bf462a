"""A file of one's own facts, in TOML: what is shipped beside the packages' data, and what an operator knows better.

    source = "our contract, 2026-11"
    observed_on = "2026-11-01"
    [[models]]
    vendor = "openai"                # the id of a provider kind, also of one that no package knows
    model = "gpt-5.4"
    context_tokens = 400000
    prices = { input = "1.25", output = "10", tiers = [{ over_tokens = 200000, input = "2.5", output = "15" }] }

Prices are USD per million tokens, as text or as numbers.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from anykey.providers.models import ABILITIES, ModelFacts, ModelPrices, PriceTier, price_per_million

SOURCE = "own"


class _Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prices of a row; numbers are read as decimals, for 0.1 has no binary fraction."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None

    def pico_usd(self) -> dict[str, Any]:
        """Return them in pico-USD per token."""
        return {name: price_per_million(getattr(self, name)) for name in _Rates.__struct_fields__}


class _Tier(_Rates, frozen=True, forbid_unknown_fields=True, kw_only=True):
    over_tokens: int


class _Prices(_Rates, frozen=True, forbid_unknown_fields=True):
    tiers: tuple[_Tier, ...] = ()


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vendor: str
    model: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    abilities: tuple[str, ...] = ()
    prices: _Prices | None = None
    released_on: str | None = None
    deprecated_on: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    observed_on: str
    models: tuple[_Row, ...]


def facts_in(data: Mapping[str, Any]) -> Iterator[ModelFacts]:
    """Yield the facts of a file. ValueError says what is wrong with it."""
    file = msgspec.convert(data, _File)
    for row in file.models:
        unknown = set(row.abilities).difference(ABILITIES)
        if unknown:
            raise ValueError(f"{row.model}: unknown abilities {', '.join(sorted(unknown))}")
        tiers = row.prices.tiers if row.prices else ()
        yield ModelFacts(
            vendor=row.vendor,
            model=row.model,
            context_tokens=row.context_tokens,
            max_output_tokens=row.max_output_tokens,
            abilities=row.abilities,
            prices=row.prices
            and ModelPrices(
                **row.prices.pico_usd(),
                tiers=tuple(PriceTier(over_tokens=tier.over_tokens, **tier.pico_usd()) for tier in tiers),
                source=file.source,
            ),
            released_on=row.released_on,
            deprecated_on=row.deprecated_on,
            source=file.source,
            observed_on=file.observed_on,
        )
