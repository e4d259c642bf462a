"""``GET /v1/models`` in the shape of whoever asks: Anthropic's with an ``anthropic-version`` header, else OpenAI's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from anykey.conversation.failures import Failure, FailureError
from anykey.protocols.codec import Headers, header
from anykey.routing.snapshot import ModelEntry

LARGEST_PAGE = 1000


def asks_anthropic(headers: Headers) -> bool:
    return header(headers, b"anthropic-version") is not None


def list_body(entries: tuple[ModelEntry, ...], headers: Headers, query: bytes, created: int) -> bytes:
    """The list. ``created`` (unix seconds) stands for the models' unknown birthdays; SDKs require one."""
    if not asks_anthropic(headers):
        return msgspec.json.encode({"object": "list", "data": [_openai(entry, created) for entry in entries]})
    page, more = _page(entries, parse_qs(query.decode("latin-1")))
    return msgspec.json.encode(
        {
            "data": [_anthropic(entry, created) for entry in page],
            "has_more": more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


def model_body(entries: tuple[ModelEntry, ...], model: str, headers: Headers, created: int) -> bytes:
    """One model. FailureError (404) names it."""
    for entry in entries:
        if entry.id == model:
            shape = _anthropic if asks_anthropic(headers) else _openai
            return msgspec.json.encode(shape(entry, created))
    message = f"The model {model!r} is not served here; GET /v1/models lists what is."
    raise FailureError(Failure("model_not_found", message, param="model", code="model_not_found"))


def _openai(entry: ModelEntry, created: int) -> dict[str, Any]:
    return {"id": entry.id, "object": "model", "created": created, "owned_by": entry.owned_by}


def _anthropic(entry: ModelEntry, created: int) -> dict[str, Any]:
    born = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": entry.id, "display_name": entry.id, "created_at": born}


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
