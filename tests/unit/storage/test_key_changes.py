"""Changes of the keys: all or nothing, and every process is told."""

from contextlib import closing

import pytest

from anykey.storage.database import Connection, Database
from anykey.storage.errors import StorageError
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.sqlite_database import SqliteDatabase

NOTE = "INSERT INTO key_uses (key_id, last_at) VALUES (?, ?)"


def state(database: Database) -> tuple[int, list[object]]:
    with closing(database.connect()) as connection:
        generation = connection.execute("SELECT value FROM key_generation").fetchone()[0]
        return generation, connection.execute("SELECT key_id FROM key_uses").fetchall()


def test_a_change_counts_the_generation_up(database: Database) -> None:
    before, _ = state(database)
    assert changing_keys(database, lambda connection: connection.execute(NOTE, ("k", 1)).rowcount) == 1
    assert state(database) == (before + 1, [("k",)])


def test_whatever_is_raised_undoes_all(database: Database) -> None:
    before = state(database)

    def change(connection: Connection) -> None:
        connection.execute(NOTE, ("k", 1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        changing_keys(database, change)
    with pytest.raises(StorageError):
        changing_keys(database, lambda connection: connection.execute(NOTE, (None, 1)))
    assert state(database) == before


def test_who_only_reads_cannot_write(database: Database) -> None:
    assert reading(database, lambda connection: connection.execute("SELECT 7").fetchone()[0]) == 7
    with pytest.raises(StorageError):
        reading(database, lambda connection: connection.execute(NOTE, ("k", 1)))


def test_a_database_that_is_gone_is_told(file: SqliteDatabase) -> None:
    file.path.unlink()
    with pytest.raises(StorageError):
        changing_keys(file, lambda _: None)
    with pytest.raises(StorageError):
        reading(file, lambda _: None)
