"""The file and its connections."""

import stat
from contextlib import closing
from pathlib import Path

import pytest

from anykey.storage.errors import DatabaseError
from anykey.storage.sqlite_database import SqliteDatabase, create_file


def test_the_file_is_its_owners_only_even_if_it_was_not(tmp_path: Path) -> None:
    (tmp_path / "anykey.db").touch(0o644)
    database = create_file(tmp_path)
    assert stat.S_IMODE(database.path.stat().st_mode) == 0o600


def test_wal_files_are_its_owners_only(tmp_path: Path) -> None:
    database = create_file(tmp_path)
    with closing(database.connect()) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"anykey.db": 0o600, "anykey.db-wal": 0o600, "anykey.db-shm": 0o600}


def test_connections_have_the_promised_pragmas(tmp_path: Path) -> None:
    with closing(create_file(tmp_path).connect(busy_timeout_s=1.5)) as connection:
        values = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("foreign_keys", "synchronous", "busy_timeout")
        }
    assert values == {"foreign_keys": 1, "synchronous": 1, "busy_timeout": 1500}


def test_a_missing_file_is_not_made_by_connecting(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        SqliteDatabase(tmp_path / "anykey.db").connect()
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_connection_cannot_write(tmp_path: Path) -> None:
    with (
        closing(create_file(tmp_path).connect(read_only=True)) as connection,
        pytest.raises(DatabaseError, match="readonly"),
    ):
        connection.execute("CREATE TABLE t (x)")


def test_odd_characters_in_the_path_are_only_characters(tmp_path: Path) -> None:
    home = tmp_path / "a b%20c?mode=ro#é"
    home.mkdir()
    with closing(create_file(home).connect()) as connection:
        connection.execute("CREATE TABLE t (x)")
    assert (home / "anykey.db").stat().st_size > 0


def test_a_replaced_file_is_another_one(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "anykey.db")
    assert database.identity() is None
    create_file(tmp_path)
    first = database.identity()
    assert first == database.identity() is not None
    database.path.rename(tmp_path / "old")
    assert database.identity() is None
    create_file(tmp_path)
    assert database.identity() not in {first, None}
