"""Reads the list of models that a provider gives, in whichever of the shapes on the market it comes.

    {"data": [{"id": …}]}                   OpenAI and who copies it; Anthropic (type, max_input_tokens); Ark (domain, status,
                                            token_limits); OpenRouter (context_length, pricing); vLLM (max_model_len)
    {"models": [{"name": "models/…"}]}      Gemini
    {"models": [{"name": "llama3:8b"}]}     Ollama's own
    {"modelSummaries": [{"modelId": …}]}    Bedrock
    [{"id": …}]                             Together

Law: a row that says it is no text model, or is switched off, is left out; a row that says nothing of itself is kept.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec

from anykey.providers.models import ModelFacts, ModelPrices, ordered_abilities, price_per_million

SOURCE = "the provider's list"
MODELS_MAX = 10_000
_NAME_MAX = 256

_SWITCHED_OFF = frozenset({"shutdown", "retired", "retiring", "offline", "deleted", "disabled", "legacy"})
_TEXT_DOMAINS = frozenset({"LLM", "VLM"})
_CONTEXT = (
    "context_length",
    "context_window",
    "max_input_tokens",
    "max_model_len",
    "max_context_length",
    "inputTokenLimit",
)
_OUTPUT = ("max_output_tokens", "max_completion_tokens", "max_tokens", "outputTokenLimit")
_PARAMETERS = {
    "tools": "tools", "reasoning": "reasoning", "structured_outputs": "structured_output", "image": "vision", "audio": "audio_in",
    "video": "video_in", "file": "pdf_in", "IMAGE": "vision", "vision": "vision", "thinking": "reasoning",
}  # fmt: skip
_PRICES = {
    "prompt": "input", "completion": "output", "internal_reasoning": "reasoning", "input_cache_read": "cache_read",
    "input_cache_write": "cache_write_5m",
}  # fmt: skip

Row = Mapping[str, Any]


def read_models(body: bytes, vendor: str, day: str) -> tuple[ModelFacts, ...]:
    """Return the models of a list, in its order, each once. `vendor` and `day` (ISO) go into the facts.

    ValueError for what is no list of models.
    """
    try:
        rows = list(_rows(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("it is no JSON") from None
    found: dict[str, ModelFacts] = {}
    for row in rows[:MODELS_MAX]:
        name = _name(row)
        if name and len(name) <= _NAME_MAX and name.isprintable() and _serves_text(row):
            found.setdefault(name, _facts(row, vendor, name, day))
    return tuple(found.values())


def _rows(data: Any) -> Iterator[Row]:
    table = cast("dict[str, Any]", data) if isinstance(data, dict) else {"data": data}
    for key in ("data", "models", "modelSummaries"):
        if isinstance(table.get(key), list):
            return (cast("Row", row) for row in table[key] if isinstance(row, dict))
    raise ValueError("it is no list of models")


def _name(row: Row) -> str:
    for key in ("id", "modelId", "model", "name"):
        if isinstance(row.get(key), str):
            return str(row[key]).removeprefix("models/")
    return ""


def _serves_text(row: Row) -> bool:
    status = row.get("status") or _at(row, "modelLifecycle", "status") or row.get("lifecycle")
    if isinstance(status, str) and status.lower() in _SWITCHED_OFF:
        return False
    domain, methods = row.get("domain"), row.get("supportedGenerationMethods")
    if isinstance(domain, str) and domain not in _TEXT_DOMAINS:
        return False
    if isinstance(methods, list) and "generateContent" not in methods:
        return False
    outputs = _words(row.get("outputModalities")) or _words(_at(row, "architecture", "output_modalities"))
    return not outputs or "text" in outputs or "TEXT" in outputs


def _facts(row: Row, vendor: str, name: str, day: str) -> ModelFacts:
    limits: Row = cast("Row", row["token_limits"]) if isinstance(row.get("token_limits"), dict) else {}
    return ModelFacts(
        vendor=vendor,
        model=name,
        context_tokens=_first_count(row, _CONTEXT)
        or _first_count(limits, ("context_window", "max_input_token_length")),
        max_output_tokens=_first_count(row, _OUTPUT) or _first_count(limits, ("max_output_token_length",)),
        abilities=ordered_abilities(_abilities(row)),
        prices=_prices(row.get("pricing")),
        source=SOURCE,
        observed_on=day,
    )


def _abilities(row: Row) -> Iterator[str]:
    said: list[object] = [
        row.get("supported_parameters"),
        _at(row, "architecture", "input_modalities"),
        row.get("inputModalities"),
        row.get("capabilities"),
    ]
    words = set[str]()
    for listed in said:
        words.update(_words(listed))
    if row.get("thinking") is True:
        words.add("thinking")
    yield from (ours for theirs, ours in _PARAMETERS.items() if theirs in words)
    if row.get("domain") == "VLM":
        yield "vision"


def _prices(pricing: object) -> ModelPrices | None:
    """OpenRouter's prices: USD per token, as text; -1 stands for "it depends"."""
    if not isinstance(pricing, dict):
        return None
    table = cast("dict[str, Any]", pricing)
    try:
        levels: dict[str, Any] = {
            ours: price_per_million(Decimal(table[theirs]) * 1_000_000)
            for theirs, ours in _PRICES.items()
            if isinstance(table.get(theirs), str)
        }
    except (ValueError, ArithmeticError):
        return None
    levels = {name: price for name, price in levels.items() if price or name in {"input", "output"}}
    return ModelPrices(**levels, source=SOURCE) if "input" in levels and "output" in levels else None


def _first_count(row: Row, keys: tuple[str, ...]) -> int | None:
    values = (row.get(key) for key in keys)
    return next((value for value in values if type(value) is int and 0 < value < 10**9), None)


def _at(row: Row, outer: str, inner: str) -> Any:
    table = row.get(outer)
    return cast("Row", table).get(inner) if isinstance(table, dict) else None


def _words(listed: object) -> list[str]:
    return [word for word in cast("list[Any]", listed) if isinstance(word, str)] if isinstance(listed, list) else []
