"""What the server reads of the stored configuration, and how it hears of a change."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from anykey.storage.configuration import CredentialRow, GenerationWatch, read_credentials
from anykey.storage.credentials import insert_credential
from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.migrate import open_database
from anykey.storage.sqlite_database import SqliteDatabase

ROW = CredentialRow("cred_1", "openai", "key-1", 2, "https", "api.openai.com", 443, b"\x01sealed", "wxyz", 100)


def test_rows_come_by_provider_oldest_first(database: Database) -> None:
    older = msgspec.structs.replace(ROW, id="cred_0", label="old", created_at=50)
    first = msgspec.structs.replace(ROW, id="cred_2", provider="deepseek", created_at=200)
    for row in (ROW, older, first):
        insert_credential(database, row)
    assert read_credentials(database) == [first, older, ROW]


def test_where_nothing_was_made_yet_there_is_none(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "anykey.db")
    assert read_credentials(database) == []
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(database.path).close()
    assert read_credentials(database) == []


def test_a_broken_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "anykey.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError):
        read_credentials(SqliteDatabase(tmp_path / "anykey.db"))


def test_reading_does_without_sqlalchemy() -> None:
    code = (
        "import sys, anykey.storage.configuration, anykey.administration.configuration;"
        "print('sqlalchemy' in sys.modules, 'cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_no_repr_shows_what_is_sealed() -> None:
    assert repr(ROW) == "CredentialRow('openai#key-1')"


def test_a_change_by_anyone_is_seen_once(database: Database) -> None:
    watch = GenerationWatch(database)
    assert not watch.changed()
    assert not watch.changed()
    insert_credential(database, ROW)
    assert watch.changed()
    assert not watch.changed()
    watch.close()
    assert not watch.changed()
    watch.close()


def test_a_restored_backup_is_a_change(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    watch = GenerationWatch(database)
    watch.changed()
    (tmp_path / "new").mkdir()
    open_database(tmp_path / "new").path.replace(database.path)
    assert watch.changed()
    watch.close()


def test_a_failure_passes_and_is_forgotten(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    watch = GenerationWatch(database)
    watch.changed()
    database.path.rename(tmp_path / "away")
    with pytest.raises(DatabaseError):
        watch.changed()
    (tmp_path / "away").rename(database.path)
    insert_credential(database, ROW)
    assert watch.changed()
    with closing(database.connect()) as connection:
        connection.execute("DROP TABLE configuration_generation")
    with pytest.raises(DatabaseError):
        watch.changed()
    watch.close()
