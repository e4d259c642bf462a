"""Conversations: made, read, renamed, deleted; their items added, listed, read, deleted."""

from __future__ import annotations

import uuid

import msgspec

from anykey.conversation.failures import invalid
from anykey.exchange.responses.answers import Asking, Query, answered, not_found, read_body
from anykey.exchange.responses.frames import Fields
from anykey.exchange.responses.items import Page, identified, items_of, list_page, listed
from anykey.storage.conversations import (
    Added,
    StoredConversation,
    StoredItem,
    add_items,
    delete_conversation,
    delete_item,
    find_conversation,
    find_item,
    find_items,
    put_conversation,
)

MOST_ITEMS = 20
"""Items that one call may add, as at OpenAI."""
METADATA_PAIRS, METADATA_NAME, METADATA_VALUE = 16, 64, 512
Metadata = dict[str, str]


@answered
async def create_conversation(asking: Asking) -> bytes:
    """``POST /v1/conversations`` with optional items and metadata."""
    fields, memory = read_body(asking.exchange), asking.memory
    stored = StoredConversation(
        id=f"conv_{uuid.uuid4().hex}",
        key_id=asking.key.id,
        created_at=memory.now(),
        expires_at=memory.expiry(),
        metadata=_metadata(fields),
    )
    items = _new_items(fields)
    await memory.shelf.change(put_conversation, stored)
    if items:
        await memory.shelf.change(add_items, Added(asking.key.id, stored.id, items, stored.expires_at))
    return _told(stored)


@answered
async def retrieve_conversation(asking: Asking) -> bytes:
    """``GET /v1/conversations/{id}``."""
    return _told(await _conversation(asking))


@answered
async def update_conversation(asking: Asking) -> bytes:
    """``POST /v1/conversations/{id}``: other metadata."""
    metadata = _metadata(read_body(asking.exchange))
    stored = await _conversation(asking)
    stored = msgspec.structs.replace(stored, metadata=metadata, expires_at=asking.memory.expiry())
    await asking.memory.shelf.change(put_conversation, stored)
    return _told(stored)


@answered
async def remove_conversation(asking: Asking) -> bytes:
    """``DELETE /v1/conversations/{id}`` and all its items."""
    stored = await _conversation(asking)
    await asking.memory.shelf.change(delete_conversation, asking.key.id, stored.id)
    return msgspec.json.encode({"id": stored.id, "object": "conversation.deleted", "deleted": True})


@answered
async def create_items(asking: Asking) -> bytes:
    """``POST /v1/conversations/{id}/items``: put items at the end. Answers with the items as they are listed."""
    items = _new_items(read_body(asking.exchange))
    if not items:
        raise invalid("must be a list with at least one item", "items")
    stored = await _conversation(asking)
    added = Added(asking.key.id, stored.id, items, asking.memory.expiry())
    await asking.memory.shelf.change(add_items, added)
    return list_page(items, Page("asc", MOST_ITEMS))


@answered
async def list_items(asking: Asking) -> bytes:
    """``GET /v1/conversations/{id}/items``."""
    page = Query(asking.target.query).page()
    stored = await _conversation(asking)
    return list_page(await asking.memory.shelf.read(find_items, asking.key.id, stored.id), page)


@answered
async def retrieve_item(asking: Asking) -> bytes:
    """``GET /v1/conversations/{id}/items/{item_id}``."""
    stored, item_id = await _conversation(asking), asking.target.item_id
    item = await asking.memory.shelf.read(find_item, asking.key.id, stored.id, item_id)
    if item is None:
        raise not_found("Item", item_id)
    return listed(item)


@answered
async def remove_item(asking: Asking) -> bytes:
    """``DELETE /v1/conversations/{id}/items/{item_id}``. Answers with the conversation."""
    stored, item_id = await _conversation(asking), asking.target.item_id
    if not await asking.memory.shelf.change(delete_item, asking.key.id, stored.id, item_id):
        raise not_found("Item", item_id)
    return _told(stored)


async def _conversation(asking: Asking) -> StoredConversation:
    memory, conversation_id = asking.memory, asking.target.id
    stored = await memory.shelf.read(find_conversation, asking.key.id, conversation_id, memory.now())
    if stored is None:
        raise not_found("Conversation", conversation_id)
    return stored


def _told(stored: StoredConversation) -> bytes:
    metadata = msgspec.Raw(stored.metadata.encode())
    return msgspec.json.encode(
        {"id": stored.id, "object": "conversation", "created_at": stored.created_at, "metadata": metadata}
    )


def _new_items(fields: Fields) -> list[StoredItem]:
    items = items_of(fields.get("items"))
    if len(items) > MOST_ITEMS:
        raise invalid(f"may hold at most {MOST_ITEMS} items", "items")
    return identified(items, uuid.uuid4().hex)


def _metadata(fields: Fields) -> str:
    """The metadata as JSON text. FailureError 400: it is not up to 16 pairs of short texts."""
    given = bytes(fields.get("metadata", b"null"))
    try:
        metadata = {} if given == b"null" else msgspec.json.decode(given, type=Metadata)
    except msgspec.DecodeError:
        raise invalid("must be an object of texts", "metadata") from None
    if len(metadata) > METADATA_PAIRS:
        raise invalid(f"may hold at most {METADATA_PAIRS} pairs", "metadata")
    for name, value in metadata.items():
        if len(name) > METADATA_NAME or len(value) > METADATA_VALUE:
            limits = f"names have at most {METADATA_NAME} characters, values {METADATA_VALUE}"
            raise invalid(limits, "metadata")
    return msgspec.json.encode(metadata).decode()
