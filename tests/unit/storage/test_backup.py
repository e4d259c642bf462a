"""Copies taken while others write: whole, of one moment, and put in the place of another."""

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from anykey.storage import backup
from anykey.storage.backup import check_copy, copy_database, put_in_place, running_on
from anykey.storage.database import whole
from anykey.storage.errors import StorageError
from anykey.storage.migrate import open_database, packaged_revisions
from anykey.storage.processes import enter
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase
from tests.fakes.charges import ask


@contextmanager
def writing(database: SqliteDatabase) -> Generator[None]:
    """Another connection that writes two rows at a time, as fast as it can."""
    ended = threading.Event()

    def write() -> None:
        with closing(database.connect()) as connection:
            number = 0
            while not ended.is_set():
                number += 1
                with whole(connection):
                    for half in ("a", "b"):
                        values = (f"{half}{number}", "x" * 2000)
                        connection.execute("INSERT INTO installation (name, value) VALUES (?, ?)", values)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_copy_is_of_one_moment_however_much_is_written(
    file: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES", 1)  # as many steps as there can be
    with closing(file.connect()) as connection, whole(connection):
        for number in range(500):
            connection.execute("INSERT INTO installation VALUES (?, ?)", (f"first{number}", "y" * 4000))
    with writing(file):
        while not ask(file, "SELECT 1 FROM installation WHERE name = 'a5'"):
            pass
        size = copy_database(file, tmp_path / "copy.db")
    copy = SqliteDatabase(tmp_path / "copy.db")
    assert size == copy.path.stat().st_size
    assert copy.path.stat().st_mode & 0o777 == 0o600
    assert check_copy(copy.path) == packaged_revisions()[-1]
    ((halves, others),) = ask(
        copy, "SELECT SUM(name LIKE 'a%'), SUM(name LIKE 'b%') FROM installation WHERE name NOT LIKE 'first%'"
    )
    assert halves == others >= 5
    assert ask(file, "SELECT COUNT(*) FROM installation") > ask(copy, "SELECT COUNT(*) FROM installation")
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"]


def test_a_file_that_exists_is_left(file: SqliteDatabase, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(FileExistsError):
        copy_database(file, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_what_is_no_copy_of_ours_is_refused(file: SqliteDatabase, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at as one")
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection:
        connection.execute("CREATE TABLE t (a)")
    copy_database(file, tmp_path / "newer")
    with closing(sqlite3.connect(tmp_path / "newer")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    copy_database(file, tmp_path / "hurt")
    content = bytearray((tmp_path / "hurt").read_bytes())
    content[8192:12288] = os.urandom(4096)
    (tmp_path / "hurt").write_bytes(content)
    for name, code in (
        ("text", "backup.damaged"),
        ("foreign", "backup.foreign"),
        ("newer", "storage.newer"),
        ("hurt", "backup.damaged"),
    ):
        with pytest.raises(StorageError) as raised:
            check_copy(tmp_path / name)
        assert raised.value.code == code, name


def test_a_copy_takes_the_place_and_the_one_before_is_kept(file: SqliteDatabase, tmp_path: Path) -> None:
    copy_database(file, tmp_path / "copy")
    home = tmp_path / "home"
    home.mkdir()
    assert put_in_place(tmp_path / "copy", home, "old") is None
    there = open_database(home)
    identity = there.identity()
    with closing(there.connect()) as held:  # its -wal is not folded in when the file is moved
        held.execute("INSERT INTO installation VALUES ('only', 'before')")
        assert put_in_place(tmp_path / "copy", home, "old") == home / "old"
    assert there.identity() != identity
    assert ask(there, "SELECT 1 FROM installation WHERE name = 'only'") == []
    assert ask(there, "PRAGMA journal_mode") == [("wal",)]
    assert ask(SqliteDatabase(home / "old"), "SELECT value FROM installation WHERE name = 'only'") == [("before",)]
    assert (home / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_who_works_on_a_database(file: SqliteDatabase, tmp_path: Path) -> None:
    assert running_on(SqliteDatabase(tmp_path / "none")) == []
    assert running_on(file) == []
    with closing(file.connect()) as connection:
        enter(connection, "this", 0)
        assert [one.pid for one in running_on(file)] == [os.getpid()]
        connection.execute("UPDATE processes SET pid = 4194305")  # beyond the highest there can be
        assert running_on(file) == []
        connection.execute("UPDATE processes SET host = 'elsewhere', beat_ms = 0")
        assert running_on(file) == []
        connection.execute("UPDATE processes SET beat_ms = 9000000000000")
        assert [one.host for one in running_on(file)] == ["elsewhere"]
