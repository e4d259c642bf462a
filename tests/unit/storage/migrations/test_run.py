"""An upgrade happens whole or not at all."""

from contextlib import closing
from pathlib import Path

import pytest

from anykey.storage.configuration import read_credentials
from anykey.storage.errors import StorageError
from anykey.storage.migrations.run import upgrade
from anykey.storage.sqlite_database import create_file


def test_a_failing_upgrade_leaves_nothing_behind(tmp_path: Path) -> None:
    database = create_file(tmp_path)
    with closing(database.connect()) as connection:
        connection.execute("CREATE TABLE exchanges (in_the_way)")
    with pytest.raises(StorageError, match="exchanges already exists"):
        upgrade(database)
    with closing(database.connect()) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("exchanges",)]


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    database = create_file(tmp_path)
    upgrade(database)
    before = database.path.read_bytes()
    upgrade(database)
    assert database.path.read_bytes() == before


def test_credentials_of_before_keep_their_order(tmp_path: Path) -> None:
    database = create_file(tmp_path)
    upgrade(database, "0004")
    put = "INSERT INTO credentials VALUES (?, 'lab', ?, 1, 'https', 'lab.example', 443, ?, 'wxyz', 7)"
    with closing(database.connect()) as connection:
        connection.executemany(put, [(f"cred_{name}", name, b"sealed") for name in ("z", "a", "m")])
    upgrade(database)
    assert [row.label for row in read_credentials(database)] == ["z", "a", "m"]
