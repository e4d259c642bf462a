"""Members as rows."""

import msgspec
import pytest

from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.members import MemberRow, keep_member, read_members

ROW = MemberRow("mem_1", "org_1", "red", "Ada", "ada@example.com", "owner", 10)


def test_a_row_comes_back_as_it_was_and_is_changed_in_place(database: Database) -> None:
    other = msgspec.structs.replace(ROW, id="mem_2", organisation="org_2")
    for row in (ROW, other):
        changing_keys(database, lambda connection, row=row: keep_member(connection, row))
    changed = msgspec.structs.replace(ROW, team=None, name="B", email=None, role="viewer", removed_at=20)
    changing_keys(database, lambda connection: keep_member(connection, changed))
    assert reading(database, read_members) == [changed, other]


def test_a_name_is_one_members_of_an_organisation(database: Database) -> None:
    changing_keys(database, lambda connection: keep_member(connection, ROW))
    with pytest.raises(StorageError):
        changing_keys(database, lambda connection: keep_member(connection, msgspec.structs.replace(ROW, id="mem_3")))
