"""The file `snapshot.json` of the package model-prices: list prices with the page and the day of each, no limits.

`prices[vendor][model][mode]` is a list of intervals in the order of time; the last one holds now. Rates are USD per million
tokens. Where a vendor charges more at certain hours, the dear hours are taken: a budget must not be overdrawn at noon.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from anykey.providers.models import ModelFacts, ModelPrices, PriceTier, price_per_million
from anykey.providers.shipped_models import Vendor

SOURCE = "model-prices"
_LEVELS = {"input": "input", "output": "output", "cache_read": "cache_read", "cache_write": "cache_write_5m"}


def facts_in(data: Mapping[str, Any], vendors: Mapping[str, Vendor]) -> Iterator[ModelFacts]:
    """Yield the facts of the vendors we know. KeyError, TypeError, ValueError: it is not the file we know."""
    now = str(data["updated_at"])
    for vendor, names in vendors.items():
        for name in reversed(names.model_prices):
            for model, modes in data["prices"].get(name, {}).items():
                rates = modes["standard"][-1]["rates"] if modes.get("standard") else None
                if rates is not None:
                    factor = _dear_hours(data, name, model, now)
                    yield ModelFacts(vendor, model, prices=_prices(rates, factor), source=SOURCE, observed_on=now[:10])


def _prices(rates: Mapping[str, Any], factor: Decimal) -> ModelPrices:
    tiers = sorted(rates.get("tiers") or (), key=lambda tier: int(tier["above"]))
    source = str(rates.get("source", ""))
    return ModelPrices(
        **_levels(rates, rates, factor),
        tiers=tuple(PriceTier(over_tokens=int(tier["above"]), **_levels(tier, rates, factor)) for tier in tiers),
        source="models.dev" if "models.dev/commit/" in source else source,
        since=str(rates.get("valid_from", ""))[:10],
    )


def _levels(rates: Mapping[str, Any], base: Mapping[str, Any], factor: Decimal) -> dict[str, Any]:
    """A cache write for an hour is told as a multiple of the input; a tier has its own input and the base's multiple."""
    found = {
        ours: price_per_million(Decimal(rates[theirs]) * factor) for theirs, ours in _LEVELS.items() if theirs in rates
    }
    multiple = base.get("cache_write_1h_multiple")
    if multiple is not None and "input" in rates and "cache_write" in rates:
        found["cache_write_1h"] = price_per_million(Decimal(rates["input"]) * Decimal(multiple) * factor)
    return found


def _dear_hours(data: Mapping[str, Any], vendor: str, model: str, now: str) -> Decimal:
    """By how much the dear hours cost more than the recorded rates, which are those of the other hours."""
    for rule in data.get("schedules", {}).get("schedule", ()):
        multiplier: Any = rule.get("peak_multiplier")
        in_force = rule["provider"] == vendor and rule["valid_from"] <= now < rule.get("valid_until", "9")
        if in_force and multiplier is not None:
            if isinstance(multiplier, dict):
                multiplier = cast("dict[str, Any]", multiplier).get(model, 1)
            return Decimal(multiplier)
    return Decimal(1)
