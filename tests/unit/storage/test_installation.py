"""What is said first holds for all."""

import pytest

from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.installation import claim, claimed
from anykey.storage.sqlite_database import SqliteDatabase


def test_the_first_word_holds(database: Database) -> None:
    assert claimed(database, "pepper") is None
    assert claim(database, "pepper", "mine") == "mine"
    assert claim(database, "pepper", "another's") == "mine"
    assert claim(database, "else", "x") == "x"
    assert (claimed(database, "pepper"), claimed(database, "else")) == ("mine", "x")


def test_a_database_that_fails_is_said(file: SqliteDatabase) -> None:
    file.path.unlink()
    with pytest.raises(StorageError):
        claim(file, "pepper", "mine")
