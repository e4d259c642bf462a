"""Organisations as rows."""

import msgspec
import pytest

from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.organisations import OrganisationRow, keep_organisation, read_organisations

FIRST = OrganisationRow("default", "default")
ROW = OrganisationRow("org_1", "röd", True, ("a*",), 2**60, 10, None)


def test_a_row_comes_back_as_it_was_and_is_changed_in_place(database: Database) -> None:
    changing_keys(database, lambda connection: keep_organisation(connection, ROW))
    assert reading(database, read_organisations) == [FIRST, ROW]
    changed = msgspec.structs.replace(
        ROW, name="n", prepaid=False, allowed_models=None, low_balance_nano=None, closed_at=20
    )
    changing_keys(database, lambda connection: keep_organisation(connection, changed))
    assert reading(database, read_organisations) == [FIRST, changed]


def test_a_name_is_only_one_organisations(database: Database) -> None:
    with pytest.raises(StorageError):
        changing_keys(database, lambda connection: keep_organisation(connection, OrganisationRow("org_2", "default")))
