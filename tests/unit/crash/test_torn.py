"""A torn copy is one that a power cut can leave: it opens, and holds the beginning of what was committed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.crash.torn import integrity, torn_copy

ROWS = 60


def _count(database: Path) -> list[int]:
    with closing(sqlite3.connect(database)) as file:
        return [row[0] for row in file.execute("SELECT number FROM things ORDER BY number")]


def test_a_torn_copy_has_the_beginning(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    counts: set[int] = set()
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("CREATE TABLE things (number integer, filling blob)")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(ROWS):
            file.execute("INSERT INTO things VALUES (?, zeroblob(3000))", (number,))
        for number in range(20):
            torn_copy(database, tmp_path / str(number))
            found = _count(tmp_path / str(number) / "a.db")
            assert found == list(range(len(found)))
            assert integrity(tmp_path / str(number) / "a.db") == "ok"
            counts.add(len(found))
    assert len(counts) > 3


def test_frames_that_a_checkpoint_copied_are_not_torn_away(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("CREATE TABLE things (number integer, filling blob)")
        for number in range(ROWS):
            file.execute("INSERT INTO things VALUES (?, zeroblob(3000))", (number,))
        file.execute("PRAGMA wal_checkpoint(PASSIVE)")
        for number in range(10):
            torn_copy(database, tmp_path / str(number))
            assert _count(tmp_path / str(number) / "a.db") == list(range(ROWS))
