"""Sealed credentials in the database, and the configuration generation that moves with every change."""

from pathlib import Path

import msgspec
import pytest

from anykey.storage.configuration import CredentialRow, GenerationWatch, read_credentials
from anykey.storage.credentials import delete_credential, insert_credential, reseal_all, set_weight
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.migrate import open_database

ROW = CredentialRow("cred_1", "openai", "key-1", 2, "https", "api.openai.com", 443, b"\x01sealed", "wxyz", 100)
OTHER = msgspec.structs.replace(ROW, id="cred_2", label="key-2", sealed=b"\x01other")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = open_database(tmp_path)
    insert_credential(made, ROW)
    insert_credential(made, OTHER)
    return made


def test_every_change_moves_the_generation(database: Database) -> None:
    watch = GenerationWatch(database)
    watch.changed()
    assert set_weight(database, ROW.id, 7)
    assert watch.changed()
    assert reseal_all(database, lambda row: row.sealed + b"!") == 2
    assert watch.changed()
    assert delete_credential(database, OTHER.id)
    assert watch.changed()
    watch.close()
    assert read_credentials(database) == [msgspec.structs.replace(ROW, weight=7, sealed=b"\x01sealed!")]


def test_what_is_not_there_is_said(database: Database) -> None:
    assert not delete_credential(database, "cred_9")
    assert not set_weight(database, "cred_9", 1)


@pytest.mark.parametrize("same", [{"id": "cred_1", "label": "new"}, {"id": "cred_3", "label": "key-1"}])
def test_an_id_or_a_label_twice_is_refused(database: Database, same: dict[str, str]) -> None:
    with pytest.raises(StorageError):
        insert_credential(database, msgspec.structs.replace(ROW, **same))
    assert read_credentials(database) == [ROW, OTHER]


def test_one_that_cannot_be_sealed_anew_leaves_all_as_they_were(database: Database) -> None:
    def reseal(row: CredentialRow) -> bytes:
        if row.id == OTHER.id:
            raise LookupError(row.id)
        return b"changed"

    with pytest.raises(LookupError):
        reseal_all(database, reseal)
    assert read_credentials(database) == [ROW, OTHER]
