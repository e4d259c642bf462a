"""Items of input and output as JSON texts: their ids, the form in which they are listed, pages of them.

Items are kept as the client sent them, so that what is sent again is byte for byte the same and an upstream's prompt cache
holds. An item that came without an id gets one that follows from where it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from anykey.conversation.failures import invalid
from anykey.storage.conversations import StoredItem

PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
}
PAGE_DEFAULT, PAGE_MOST = 20, 100


class _Known(msgspec.Struct):
    """What an item says of itself. ``type`` is left out by messages in the easy form."""

    type: str | None = None
    id: str | None = None
    role: str | None = None


class Page(msgspec.Struct, frozen=True):
    """A part of a list as a client asks for it."""

    order: str = "desc"
    limit: int = PAGE_DEFAULT
    after: str | None = None


def items_of(value: msgspec.Raw | None) -> list[bytes]:
    """The items of an ``input`` field; a text is one message of the user's. FailureError 400: it is neither text nor list."""
    if value is None:
        return []
    try:
        found = msgspec.json.decode(value, type=str | list[msgspec.Raw] | None)
    except msgspec.DecodeError:
        raise invalid("must be a string or a list of items", "input") from None
    if isinstance(found, str):
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": found}]}
        return [msgspec.json.encode(message)]
    return [bytes(item) for item in found or ()]


def json_list(items: Iterable[bytes]) -> bytes:
    """A JSON array of JSON texts."""
    return b"[%b]" % b",".join(items)


def identified(items: Iterable[bytes], seed: str) -> list[StoredItem]:
    """Each item with its id. ``seed`` names the list, so that ids differ between lists and never change in one.

    FailureError 400: an item is no object.
    """
    return [StoredItem(_id_of(item, f"{seed}:{number}", number), item) for number, item in enumerate(items)]


def reference_of(item: bytes) -> str | None:
    """The id that an ``item_reference`` refers to; None for any other item."""
    known = _known(item, 0)
    refers = known.type == "item_reference" or (known.type is None and known.role is None)
    return known.id if refers else None


def listed(item: StoredItem) -> bytes:
    """The item as lists show it: with its id, a message in full form."""
    fields: dict[str, Any] = msgspec.json.decode(item.item, type=dict[str, Any])
    fields["id"] = item.id
    if fields.get("type", "message") == "message":
        content = fields.get("content")
        if isinstance(content, str):
            kind = "output_text" if fields.get("role") == "assistant" else "input_text"
            fields["content"] = [{"type": kind, "text": content, **({"annotations": []} if kind[0] == "o" else {})}]
        fields = {"id": item.id, "type": "message", "status": "completed", **fields}
    return msgspec.json.encode(fields)


def list_page(items: list[StoredItem], page: Page) -> bytes:
    """The body of a list answer. FailureError 400: ``after`` is not in the list."""
    ordered = items[::-1] if page.order == "desc" else items
    if page.after is not None:
        ids = [item.id for item in ordered]
        if page.after not in ids:
            raise invalid(f"no item with id '{page.after}' in this list", "after")
        ordered = ordered[ids.index(page.after) + 1 :]
    shown = ordered[: page.limit]
    return msgspec.json.encode(
        {
            "object": "list",
            "data": msgspec.Raw(json_list(map(listed, shown))),
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
            "has_more": len(ordered) > len(shown),
        }
    )


def _id_of(item: bytes, place: str, number: int) -> str:
    known = _known(item, number)
    if known.id:
        return known.id
    prefix = PREFIXES.get(known.type or "message", "item")
    return f"{prefix}_{hashlib.sha256(place.encode()).hexdigest()[:40]}"


def _known(item: bytes, number: int) -> _Known:
    try:
        return msgspec.json.decode(item, type=_Known)
    except msgspec.DecodeError:
        raise invalid("must be an object with a text as its type and id", f"input[{number}]") from None
