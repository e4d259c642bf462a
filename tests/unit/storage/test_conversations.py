"""Conversations: items in order, each key its own, forgotten some time after their last use."""

from collections.abc import Iterator
from contextlib import closing

import pytest

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
    sweep_conversations,
)
from anykey.storage.database import Connection, Database

NOW = 1000
CONVERSATION = StoredConversation(id="c", key_id="k1", created_at=NOW, expires_at=NOW + 10, metadata='{"a":"b"}')


def items(*names: str) -> list[StoredItem]:
    return [StoredItem(name, b'{"said":"%b"}' % name.encode()) for name in names]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with closing(database.connect()) as opened:
        put_conversation(opened, CONVERSATION)
        yield opened


def test_items_keep_the_order_in_which_they_were_added(connection: Connection) -> None:
    assert add_items(connection, Added("k1", "c", items("z", "a"), NOW + 20))
    assert add_items(connection, Added("k1", "c", items("m"), NOW + 30))
    assert find_items(connection, "k1", "c") == items("z", "a", "m")
    assert find_item(connection, "k1", "c", "a") == items("a")[0]
    found = find_conversation(connection, "k1", "c", NOW + 29)
    assert found is not None
    assert (found.expires_at, found.metadata) == (NOW + 30, '{"a":"b"}')


def test_one_item_is_deleted_alone(connection: Connection) -> None:
    add_items(connection, Added("k1", "c", items("a", "b", "c"), NOW + 20))
    assert delete_item(connection, "k1", "c", "b") is True
    assert delete_item(connection, "k1", "c", "b") is False
    assert add_items(connection, Added("k1", "c", items("d"), NOW + 20))
    assert find_items(connection, "k1", "c") == items("a", "c", "d")


def test_another_key_finds_and_changes_nothing(connection: Connection) -> None:
    add_items(connection, Added("k1", "c", items("a"), NOW + 20))
    assert find_conversation(connection, "k2", "c", NOW) is None
    assert find_items(connection, "k2", "c") == []
    assert find_item(connection, "k2", "c", "a") is None
    assert add_items(connection, Added("k2", "c", items("b"), NOW + 20)) is False
    assert delete_item(connection, "k2", "c", "a") is False
    delete_conversation(connection, "k2", "c")
    assert find_items(connection, "k1", "c") == items("a")


def test_a_deleted_conversation_leaves_no_items_and_takes_none(connection: Connection) -> None:
    add_items(connection, Added("k1", "c", items("a"), NOW + 20))
    delete_conversation(connection, "k1", "c")
    assert find_conversation(connection, "k1", "c", NOW) is None
    assert add_items(connection, Added("k1", "c", items("b"), NOW + 20)) is False
    assert find_items(connection, "k1", "c") == []


def test_metadata_is_replaced_and_the_beginning_kept(connection: Connection) -> None:
    put_conversation(connection, StoredConversation(id="c", key_id="k1", created_at=5, expires_at=NOW + 50))
    found = find_conversation(connection, "k1", "c", NOW)
    assert found is not None
    assert (found.created_at, found.expires_at, found.metadata) == (NOW, NOW + 50, "{}")


def test_what_is_too_old_is_not_found_and_then_deleted(connection: Connection) -> None:
    add_items(connection, Added("k1", "c", items("a"), NOW + 20))
    assert sweep_conversations(connection, NOW + 19) == 0
    assert find_conversation(connection, "k1", "c", NOW + 20) is None
    assert [sweep_conversations(connection, NOW + 20) for _ in range(2)] == [1, 0]
    assert find_items(connection, "k1", "c") == []
