"""Issued keys as rows."""

import msgspec
import pytest

from anykey.accounts.keys import ApiKey
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.key_reading import read_keys
from anykey.storage.keys import change_key
from tests.unit.storage.kept_keys import insert_key, mark_revoked

KEY = ApiKey(id="abcdefghij", name="ci", digest=bytes(range(32)), last4="WxYz", created_at=100)
OLDER = msgspec.structs.replace(KEY, id="0000000000", name="old", created_at=50, revoked_at=60)
FULL = msgspec.structs.replace(
    KEY,
    strict=True,
    group_name="g",
    team="t",
    allowed_models=("a*", "ü?"),
    config="c",
    metadata={"x": "ü"},
    admin=True,
    ip_allow=("192.0.2.0/24",),
    ip_deny=("2001:db8::/32", "192.0.2.1/32"),
    logging="off",
    expires_at=2**40,
    logging_days=7,
    previous_digest=bytes(32),
    previous_until=200,
)


def kept(database: Database) -> list[ApiKey]:
    return list(reading(database, read_keys).values())


def test_keys_come_back_as_they_were_oldest_first(database: Database) -> None:
    insert_key(database, FULL)
    insert_key(database, OLDER)
    assert kept(database) == [OLDER, FULL]


def test_the_same_id_twice_is_refused_and_changes_nothing(database: Database) -> None:
    insert_key(database, KEY)
    with pytest.raises(StorageError):
        insert_key(database, msgspec.structs.replace(KEY, name="other"))
    assert kept(database) == [KEY]


def test_a_change_writes_what_is_named_and_nothing_else(database: Database) -> None:
    insert_key(database, FULL)
    insert_key(database, OLDER)
    changes = {"allowed_models": None, "metadata": None, "strict": False, "name": "new", "ip_deny": ("10.0.0.0/8",)}
    changing_keys(database, lambda connection: change_key(connection, KEY.id, changes))
    assert kept(database) == [OLDER, msgspec.structs.replace(FULL, **changes)]


def test_no_change_is_no_statement(database: Database) -> None:
    insert_key(database, FULL)
    changing_keys(database, lambda connection: change_key(connection, KEY.id, {"purse": None}))
    assert kept(database) == [FULL]


def test_a_revoked_key_stays(database: Database) -> None:
    insert_key(database, KEY)
    mark_revoked(database, KEY.id, 200)
    assert [key.revoked_at for key in kept(database)] == [200]
