"""The file `model_prices_and_context_window_backup.json` of the package litellm: limits, abilities, prices, ends of life.

One flat object; a key is a model's name, often after `provider/`. Costs are USD per token. Steps by the length of the prompt are
`…_above_200k_tokens` fields or a list `tiered_pricing`; a cache write for an hour is `…_above_1hr`.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from anykey.providers.models import ModelFacts, ModelPrices, PriceTier, ordered_abilities, price_per_million
from anykey.providers.shipped_models import Vendor

SOURCE = "litellm"
_MODES = frozenset({"chat", "responses"})
_LEVELS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
}
_ABILITIES = {
    "supports_function_calling": "tools", "supports_vision": "vision", "supports_audio_input": "audio_in",
    "supports_video_input": "video_in", "supports_pdf_input": "pdf_in", "supports_reasoning": "reasoning",
    "supports_response_schema": "structured_output", "supports_web_search": "web_search",
    "supports_prompt_caching": "prompt_cache", "supports_audio_output": "audio_out",
    "supports_computer_use": "computer_use",
}  # fmt: skip
_STEP = re.compile(r"(.+)_above_(\d+)k_tokens\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def facts_in(data: Mapping[str, Any], vendors: Mapping[str, Vendor]) -> Iterator[ModelFacts]:
    """Yield the facts of the vendors we know, of models that write text. KeyError, TypeError, ValueError: not such a file."""
    rank = {name: (-place, vendor) for vendor, own in vendors.items() for place, name in enumerate(own.litellm)}
    rows = [
        (rank[row["litellm_provider"]], key, row)
        for key, row in data.items()
        if row.get("mode") in _MODES and row.get("litellm_provider") in rank
    ]
    for (_, vendor), key, row in sorted(rows, key=lambda found: (found[0], "/" in found[1])):
        model = _model(key, str(row["litellm_provider"]))
        if model is not None:
            yield _facts(vendor, model, row)


def _model(key: str, provider: str) -> str | None:
    """The vendor's own name in a key. None for a name that is only litellm's: a fine-tune's price, a region's."""
    first, slash, rest = key.partition("/")
    if key.startswith(("ft:", "bedrock/")):
        return None
    return rest if slash and first == provider.partition("-")[0] else key


def _facts(vendor: str, model: str, row: Mapping[str, Any]) -> ModelFacts:
    outputs = row.get("supported_output_modalities") or ()
    abilities = {ours for theirs, ours in _ABILITIES.items() if row.get(theirs)}
    end = str(row.get("deprecation_date", ""))
    return ModelFacts(
        vendor=vendor,
        model=model,
        context_tokens=_count(row.get("max_input_tokens")),
        max_output_tokens=_count(row.get("max_output_tokens")),
        abilities=ordered_abilities(abilities | ({"image_out"} if "image" in outputs else set())),
        prices=_prices(row),
        deprecated_on=end if _DAY.match(end) else None,
        source=SOURCE,
    )


def _count(value: object) -> int | None:
    return int(value) or None if isinstance(value, int | Decimal) else None


def _prices(row: Mapping[str, Any]) -> ModelPrices | None:
    listed = cast("list[dict[str, Any]]", row.get("tiered_pricing") or [])
    steps = {int(step["range"][0]): step for step in listed if "range" in step}
    base = {**steps.pop(0, {}), **row}
    for name, value in row.items():
        if found := _STEP.match(name):
            steps.setdefault(int(found[2]) * 1000, {})[found[1]] = value
    if not (base.get("input_cost_per_token") or base.get("output_cost_per_token")):
        return None
    tiers = {size: levels for size in sorted(steps) if (levels := _levels(steps[size]))}
    return ModelPrices(
        **_levels(base),
        tiers=tuple(PriceTier(over_tokens=size, **levels) for size, levels in tiers.items()),
        source=str(row.get("source", "")),
    )


def _levels(row: Mapping[str, Any]) -> dict[str, Any]:
    """A cache that costs nothing to write is one without such a price."""
    return {
        ours: price_per_million(Decimal(row[theirs]) * 1_000_000)
        for theirs, ours in _LEVELS.items()
        if isinstance(row.get(theirs), int | Decimal) and not (ours.startswith("cache_write") and not row[theirs])
    }
