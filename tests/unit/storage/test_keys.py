"""Issued keys in the database, and the generation that moves with every change."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from anykey.accounts.keys import ApiKey
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.keys import insert_key, list_keys, mark_revoked, update_routing
from anykey.storage.migrate import open_database

KEY = ApiKey(id="abcdefghij", name="ci", digest=bytes(range(32)), last4="WxYz", created_at=100)
OLDER = msgspec.structs.replace(KEY, id="0000000000", name="old", created_at=50, revoked_at=60)


def generation(database: Database) -> int:
    with closing(database.connect()) as connection:
        return connection.execute("SELECT value FROM key_generation").fetchone()[0]


def test_keys_come_back_as_they_were_oldest_first(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    insert_key(database, KEY)
    insert_key(database, OLDER)
    assert list_keys(database) == [OLDER, KEY]


def test_a_key_is_revoked_once(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    insert_key(database, KEY)
    assert mark_revoked(database, KEY.id, 200)
    assert not mark_revoked(database, KEY.id, 300)
    assert not mark_revoked(database, "nobody", 300)
    assert [key.revoked_at for key in list_keys(database)] == [200]


def test_every_change_moves_the_generation(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    before = generation(database)
    insert_key(database, KEY)
    created = generation(database)
    mark_revoked(database, KEY.id, 200)
    assert before < created < generation(database)


def test_the_same_id_twice_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    insert_key(database, KEY)
    before = generation(database)
    with pytest.raises(StorageError):
        insert_key(database, msgspec.structs.replace(KEY, name="other"))
    assert list_keys(database) == [KEY]
    assert generation(database) == before


def test_what_a_key_says_of_routing_is_kept_and_changed(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    said = msgspec.structs.replace(
        KEY, group_name="g", team="t", allowed_models=("a*",), config="c", metadata={"x": "ü"}, admin=True
    )
    insert_key(database, said)
    before = generation(database)
    assert list_keys(database) == [said]
    assert update_routing(database, KEY)
    assert list_keys(database) == [KEY]
    assert generation(database) > before
    assert not update_routing(database, msgspec.structs.replace(KEY, id="nobody"))
