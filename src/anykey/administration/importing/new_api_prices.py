"""The ratios of one-api and new-api as prices: 1 is $0.002 for 1,000 tokens, so USD per million tokens is twice a model's ratio.

Output costs CompletionRatio times as much as input, what is read from a cache CacheRatio times, what is written to one
CreateCacheRatio times; a model in ModelPrice costs that many USD a call instead. A group's ratio multiplies all of it. Source:
setting/ratio_setting/model_ratio.go, cache_ratio.go and group_ratio.go of QuantumNous/new-api, read on 2026-11-21.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from anykey.administration.importing.records import Note

USD_PER_RATIO = Decimal(2)
FINEST = Decimal("0.000001")
"""A pico-USD per token, in USD per million tokens."""
_RATIOS = ("ModelRatio", "CompletionRatio", "CacheRatio", "CreateCacheRatio", "ModelPrice")
PRICE_OPTIONS = frozenset((*_RATIOS, "GroupRatio"))
LARGEST_GROUP_RATIO = 1000


def prices(options: Mapping[str, str], served: frozenset[str], notes: list[Note]) -> list[Mapping[str, Any]]:
    """The cards of the models that are `served` (none: of all that have a ratio)."""
    ratio, completion, cached, created, by_call = (_ratios(options, name, notes) for name in _RATIOS)
    cards: list[Mapping[str, Any]] = []
    for model in sorted((ratio.keys() | by_call.keys()) & served if served else ratio.keys() | by_call.keys()):
        if model in by_call:
            cards.append({"model": model, "source": "ModelPrice", "per_call": _exact(by_call[model])})
            continue
        if model not in completion:
            notes.append(Note(f"ModelRatio.{model}", "import.no_completion_ratio"))
            continue
        fresh = ratio[model] * USD_PER_RATIO
        exact = {
            "input": fresh,
            "output": fresh * completion[model],
            "cache_read": fresh * cached[model] if model in cached else None,
            "cache_write_5m": fresh * created[model] if model in created else None,
        }
        told = {unit: price.quantize(FINEST) for unit, price in exact.items() if price is not None}
        if any(price != exact[unit] for unit, price in told.items()):
            notes.append(Note(f"ModelRatio.{model}", "import.rounded"))
        cards.append({"model": model, "source": "ModelRatio", **{unit: _exact(told[unit]) for unit in told}})
    return cards


def group_ratios(options: Mapping[str, str], notes: list[Note]) -> dict[str, Decimal]:
    """The price multipliers of the groups."""
    found: dict[str, Decimal] = {}
    for name, ratio in _ratios(options, "GroupRatio", notes).items():
        if ratio > LARGEST_GROUP_RATIO or len(_exact(ratio)) > 30:
            notes.append(Note(f"GroupRatio.{name}", "import.bad_ratio"))
        else:
            found[name] = ratio
    return found


def _ratios(options: Mapping[str, str], name: str, notes: list[Note]) -> dict[str, Decimal]:
    """An option that is a table of numbers, in the digits they have."""
    text = options.get(name, "").strip()
    if not text:
        return {}
    try:
        found: object = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        found = None
    if not isinstance(found, dict):
        notes.append(Note(name, "import.not_a_table"))
        return {}
    ratios: dict[str, Decimal] = {}
    for model, ratio in cast("dict[str, object]", found).items():
        if (
            isinstance(ratio, Decimal)
            and ratio.is_finite()
            and 0 <= ratio < 10**6
            and len(ratio.as_tuple().digits) < 30
        ):
            ratios[model] = ratio
        else:
            notes.append(Note(f"{name}.{model}", "import.bad_ratio"))
    return ratios


def _exact(number: Decimal) -> str:
    return f"{number.normalize():f}"
