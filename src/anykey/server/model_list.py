"""``GET /v1/models`` in the shape of whoever asks. All three vendors' SDKs call the same path.

Anthropic's with an ``anthropic-version`` header; Google's on its own path, with its key or with its paging; else OpenAI's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec

from anykey.conversation.failures import Failure, FailureError
from anykey.protocols.codec import Headers, header
from anykey.providers.models import ModelPrices
from anykey.routing.snapshot import ModelEntry

LARGEST_PAGE = 1000
GOOGLE_METHODS = ("generateContent", "streamGenerateContent", "countTokens")
Shape = Literal["openai", "anthropic", "google"]


def shape_asked(google: bool, headers: Headers, query: bytes) -> Shape:
    """Who asks. ``google``: the path is Google's. Codex's ``client_version`` comes with no header of its own: OpenAI's."""
    if google:
        return "google"
    if header(headers, b"anthropic-version") is not None:
        return "anthropic"
    if header(headers, b"x-goog-api-key") is not None or header(headers, b"x-goog-api-client") is not None:
        return "google"
    return "google" if b"pageSize=" in query or b"pageToken=" in query else "openai"


def list_body(entries: tuple[ModelEntry, ...], shape: Shape, query: bytes, created: int) -> bytes:
    """The list. ``created`` (unix seconds) stands for the birthdays of models that are not known; SDKs require one."""
    if shape == "openai":
        return msgspec.json.encode({"object": "list", "data": [_openai(entry, created) for entry in entries]})
    asked = parse_qs(query.decode("latin-1"))
    if shape == "google":
        return msgspec.json.encode(_google_list(entries, asked))
    page, more = _page(entries, asked)
    return msgspec.json.encode(
        {
            "data": [_anthropic(entry, created) for entry in page],
            "has_more": more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


def model_body(entries: tuple[ModelEntry, ...], model: str, shape: Shape, created: int) -> bytes:
    """One model. FailureError (404) names it."""
    for entry in entries:
        if entry.id == model:
            match shape:
                case "google":
                    told = _google(entry)
                case "anthropic":
                    told = _anthropic(entry, created)
                case _:
                    told = _openai(entry, created)
            return msgspec.json.encode(told)
    message = f"The model {model!r} is not served here; GET /v1/models lists what is."
    raise FailureError(Failure("model_not_found", message, param="model", code="model_not_found"))


def _google(entry: ModelEntry) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": f"models/{entry.id}",
        "displayName": entry.id,
        "supportedGenerationMethods": GOOGLE_METHODS,
    }
    facts = entry.facts
    if facts is not None:
        told |= _known(inputTokenLimit=facts.context_tokens, outputTokenLimit=facts.max_output_tokens)
        told |= {"thinking": True} if "reasoning" in facts.abilities else {}
    return told


def _google_list(entries: tuple[ModelEntry, ...], query: dict[str, list[str]]) -> dict[str, Any]:
    """Google's paging: ``pageSize`` (50 there; all here; more than 1000 is 1000), ``pageToken``: the last model told."""
    size, token = query.get("pageSize", [""])[0], query.get("pageToken", [""])[0]
    if size and not size.isdecimal():
        raise FailureError(Failure("invalid_request", "pageSize: must be a positive number", param="pageSize"))
    ids = [entry.id for entry in entries]
    if token and token not in ids:
        raise FailureError(Failure("invalid_request", "pageToken: is not one of this list", param="pageToken"))
    rest = entries[ids.index(token) + 1 :] if token else entries
    page = rest[: min(int(size or 0) or LARGEST_PAGE, LARGEST_PAGE)]
    told: dict[str, Any] = {"models": [_google(entry) for entry in page]}
    return told | {"nextPageToken": page[-1].id} if len(page) < len(rest) else told


def _openai(entry: ModelEntry, created: int) -> dict[str, Any]:
    """OpenAI's four fields, and what its shape has no place for under the names that other gateways made common."""
    told: dict[str, Any] = {
        "id": entry.id,
        "object": "model",
        "created": _born(entry, created),
        "owned_by": entry.owned_by,
        "protocols": entry.protocols,
    }
    facts = entry.facts
    if facts is not None:
        told |= _known(
            context_window=facts.context_tokens,
            context_length=facts.context_tokens,
            max_output_tokens=facts.max_output_tokens,
            capabilities=facts.abilities or None,
            pricing=_pricing(facts.prices) if facts.prices else None,
        )
    return told


def _pricing(prices: ModelPrices) -> dict[str, str]:
    """USD per token, as text, by OpenRouter's names."""
    levels = {
        "prompt": prices.input,
        "completion": prices.output,
        "internal_reasoning": prices.reasoning,
        "input_cache_read": prices.cache_read,
        "input_cache_write": prices.cache_write_5m,
    }
    return {name: _per_token(price) for name, price in levels.items() if price is not None}


def _per_token(price: int) -> str:
    whole, digits = f"{price:013d}"[:-12], f"{price:013d}"[-12:].rstrip("0")
    return f"{whole}.{digits}" if digits else whole


def _anthropic(entry: ModelEntry, created: int) -> dict[str, Any]:
    born = datetime.fromtimestamp(_born(entry, created), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    told: dict[str, Any] = {"type": "model", "id": entry.id, "display_name": entry.id, "created_at": born}
    if entry.facts is not None:
        told |= _known(max_input_tokens=entry.facts.context_tokens, max_tokens=entry.facts.max_output_tokens)
    return told


def _born(entry: ModelEntry, created: int) -> int:
    day = entry.facts.released_on if entry.facts is not None else None
    try:
        return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) if day else created
    except ValueError:  # some sources know the month only
        return created


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _page(entries: tuple[ModelEntry, ...], query: dict[str, list[str]]) -> tuple[tuple[ModelEntry, ...], bool]:
    """Anthropic's cursor paging: ``limit`` (default 20 there; all here), ``after_id``, ``before_id``."""
    ids = [entry.id for entry in entries]
    after, before = query.get("after_id", [""])[0], query.get("before_id", [""])[0]
    limit = _limit(query.get("limit", [str(LARGEST_PAGE)])[0])
    if after in ids:
        entries = entries[ids.index(after) + 1 :]
    if before in ids:
        earlier = entries[: ids.index(before)]
        return earlier[-limit:], len(earlier) > limit
    return entries[:limit], len(entries) > limit


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise FailureError(Failure("invalid_request", f"limit: must be between 1 and {LARGEST_PAGE}", param="limit"))
    return int(text)
