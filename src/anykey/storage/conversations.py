"""Conversations as they are kept: metadata, and items in the order they were added. Functions for ``shelf.Shelf`` to run.

Every question names the key, as in ``responses``. A conversation lives ``ttl`` seconds after its last use.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from anykey.storage.database import Connection
from anykey.storage.packing import pack, unpack
from anykey.storage.responses import SWEEP_ROWS


class StoredConversation(msgspec.Struct, frozen=True, kw_only=True):
    """Times are Unix seconds; ``metadata`` is a JSON object."""

    id: str
    key_id: str
    created_at: int
    expires_at: int
    metadata: str = "{}"


class StoredItem(NamedTuple):
    """``item`` is the JSON object as it came; an id of ours is only in ``id``."""

    id: str
    item: bytes


class Added(NamedTuple):
    """Items to be added to a conversation when something is kept. ``expires_at`` is the conversation's new end."""

    key_id: str
    conversation_id: str
    items: list[StoredItem]
    expires_at: int


def put_conversation(connection: Connection, stored: StoredConversation) -> None:
    """Keep a conversation, or its new metadata and end."""
    connection.execute(
        "INSERT INTO conversations (key_id, id, created_at, expires_at, metadata) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key_id, id) DO UPDATE SET expires_at = excluded.expires_at, metadata = excluded.metadata",
        (stored.key_id, stored.id, stored.created_at, stored.expires_at, stored.metadata),
    )


def find_conversation(connection: Connection, key_id: str, conversation_id: str, now: int) -> StoredConversation | None:
    """The conversation, None where this key has none of that id or its time is over."""
    query = "SELECT id, key_id, created_at, expires_at, metadata FROM conversations WHERE key_id = ? AND id = ?"
    row = connection.execute(query, (key_id, conversation_id)).fetchone()
    if row is None or row[3] <= now:
        return None
    return StoredConversation(id=row[0], key_id=row[1], created_at=row[2], expires_at=row[3], metadata=row[4])


def delete_conversation(connection: Connection, key_id: str, conversation_id: str) -> None:
    """Forget the conversation and its items."""
    connection.execute(
        "DELETE FROM conversation_items WHERE key_id = ? AND conversation_id = ?", (key_id, conversation_id)
    )
    connection.execute("DELETE FROM conversations WHERE key_id = ? AND id = ?", (key_id, conversation_id))


def add_items(connection: Connection, added: Added) -> bool:
    """Put items at the end. An id that is there already is moved to the end with its new item. False where the conversation
    is not there (any more)."""
    name = (added.key_id, added.conversation_id)
    alive = connection.execute(
        "UPDATE conversations SET expires_at = ? WHERE key_id = ? AND id = ?", (added.expires_at, *name)
    ).rowcount
    if not alive:
        return False
    query = "SELECT coalesce(max(position), 0) FROM conversation_items WHERE key_id = ? AND conversation_id = ?"
    last: int = connection.execute(query, name).fetchone()[0]
    connection.executemany(
        "INSERT INTO conversation_items (key_id, conversation_id, id, position, item) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key_id, conversation_id, id) DO UPDATE SET position = excluded.position, item = excluded.item",
        [(*name, item.id, last + number, pack(item.item)) for number, item in enumerate(added.items, 1)],
    )
    return True


def find_items(connection: Connection, key_id: str, conversation_id: str) -> list[StoredItem]:
    """All items, in the order they were added."""
    query = "SELECT id, item FROM conversation_items WHERE key_id = ? AND conversation_id = ? ORDER BY position"
    return [StoredItem(row[0], unpack(row[1])) for row in connection.execute(query, (key_id, conversation_id))]


def find_item(connection: Connection, key_id: str, conversation_id: str, item_id: str) -> StoredItem | None:
    """One item."""
    query = "SELECT id, item FROM conversation_items WHERE key_id = ? AND conversation_id = ? AND id = ?"
    row = connection.execute(query, (key_id, conversation_id, item_id)).fetchone()
    return None if row is None else StoredItem(row[0], unpack(row[1]))


def delete_item(connection: Connection, key_id: str, conversation_id: str, item_id: str) -> bool:
    """Forget one item. False where there is none."""
    query = "DELETE FROM conversation_items WHERE key_id = ? AND conversation_id = ? AND id = ?"
    return connection.execute(query, (key_id, conversation_id, item_id)).rowcount == 1


def sweep_conversations(connection: Connection, now: int) -> int:
    """Delete some conversations whose time is over. Returns how many; 0: none is left."""
    query = "SELECT key_id, id FROM conversations WHERE expires_at <= ? LIMIT ?"
    over: list[tuple[str, str]] = connection.execute(query, (now, SWEEP_ROWS)).fetchall()
    for key_id, conversation_id in over:
        delete_conversation(connection, key_id, conversation_id)
    return len(over)
