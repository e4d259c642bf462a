"""Transactions: whole, rolled back on error, and told in our words when the database fails."""

from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.errors import StorageError
from anykey.storage.schema import key_generation
from anykey.storage.sqlite_database import SqliteDatabase


def test_an_exception_takes_everything_back(database: Database) -> None:

    def insert_and_fail() -> None:
        with transaction(database) as connection:
            connection.execute(insert(key_generation).values(value=7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        insert_and_fail()
    with transaction(database) as connection:
        assert connection.execute(select(func.count()).select_from(key_generation)).scalar() == 1


def test_a_missing_database_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "en")
    path = tmp_path / "anykey.db"
    with pytest.raises(StorageError) as failed, transaction(SqliteDatabase(path)):
        pass
    assert str(failed.value) == f"The database {path} failed: unable to open database file"
