"""Sealed credentials in the database, and the configuration generation that moves with every change."""

import msgspec
import pytest

from anykey.storage.configuration import CredentialRow, GenerationWatch, read_credentials
from anykey.storage.credentials import delete_credential, insert_credential, reseal_all, set_weight
from anykey.storage.database import Database
from anykey.storage.errors import StorageError

ROW = CredentialRow("cred_1", "openai", "key-1", 2, "https", "api.openai.com", 443, b"\x01sealed", "wxyz", 100)
OTHER = msgspec.structs.replace(ROW, id="cred_2", label="key-2", sealed=b"\x01other")


@pytest.fixture
def stored(database: Database) -> Database:
    insert_credential(database, ROW)
    insert_credential(database, OTHER)
    return database


def test_every_change_moves_the_generation(stored: Database) -> None:
    watch = GenerationWatch(stored)
    watch.changed()
    assert set_weight(stored, ROW, 7)
    assert watch.changed()
    assert reseal_all(stored, lambda row: row.sealed + b"!") == 2
    assert watch.changed()
    assert delete_credential(stored, OTHER)
    assert watch.changed()
    watch.close()
    assert read_credentials(stored) == [msgspec.structs.replace(ROW, weight=7, sealed=b"\x01sealed!")]


def test_what_is_not_there_is_said(stored: Database) -> None:
    nobody = msgspec.structs.replace(ROW, id="cred_9")
    assert not delete_credential(stored, nobody)
    assert not set_weight(stored, nobody, 1)


@pytest.mark.parametrize("same", [{"id": "cred_1", "label": "new"}, {"id": "cred_3", "label": "key-1"}])
def test_an_id_or_a_label_twice_is_refused(stored: Database, same: dict[str, str]) -> None:
    with pytest.raises(StorageError):
        insert_credential(stored, msgspec.structs.replace(ROW, **same))
    assert read_credentials(stored) == [ROW, OTHER]


def test_one_that_cannot_be_sealed_anew_leaves_all_as_they_were(stored: Database) -> None:
    def reseal(row: CredentialRow) -> bytes:
        if row.id == OTHER.id:
            raise LookupError(row.id)
        return b"changed"

    with pytest.raises(LookupError):
        reseal_all(stored, reseal)
    assert read_credentials(stored) == [ROW, OTHER]
