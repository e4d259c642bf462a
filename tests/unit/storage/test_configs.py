"""Stored configs: versions that never change, a generation that moves, and what the snapshot is given."""

import logging
from contextlib import closing
from pathlib import Path

import pytest

from anykey.routing.tree import Target
from anykey.storage.configs import ConfigRow, delete_config, find_config, list_configs, load_configs, put_config
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase

A, B = '{"provider":"a"}', '{"provider":"b"}'


def generation(database: Database) -> int:
    with closing(database.connect()) as connection:
        return connection.execute("SELECT value FROM configuration_generation").fetchone()[0]


def test_each_change_is_a_version_and_moves_the_generation(database: Database) -> None:
    before = generation(database)
    assert put_config(database, "prod", A, 1) == ConfigRow("prod", 1, A, 1)
    assert put_config(database, "prod", B, 2) == ConfigRow("prod", 2, B, 2)
    assert generation(database) == before + 2
    assert put_config(database, "prod", B, 3) is None
    assert generation(database) == before + 2
    assert find_config(database, "prod") == ConfigRow("prod", 2, B, 2)
    assert find_config(database, "prod", 1) == ConfigRow("prod", 1, A, 1)
    assert find_config(database, "prod", 3) is find_config(database, "other") is None


def test_the_list_holds_the_newest_of_each(database: Database) -> None:
    for name, body in (("b", A), ("a", A), ("b", B)):
        put_config(database, name, body, 1)
    assert [row.reference for row in list_configs(database)] == ["a@1", "b@2"]


def test_what_is_deleted_is_gone_whole(database: Database) -> None:
    put_config(database, "prod", A, 1)
    put_config(database, "prod", B, 2)
    before = generation(database)
    assert delete_config(database, "prod") == 2
    assert delete_config(database, "prod") == 0
    assert generation(database) == before + 1
    assert list_configs(database) == []


def test_the_snapshot_gets_every_version_and_the_newest_by_name(database: Database) -> None:
    put_config(database, "prod", A, 1)
    put_config(database, "prod", B, 2)
    assert load_configs(database) == {"prod@1": Target("a"), "prod@2": Target("b"), "prod": Target("b")}


def test_a_body_of_another_release_is_left_out_with_a_warning(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    put_config(database, "prod", A, 1)
    put_config(database, "prod", '{"of_tomorrow":1}', 2)
    with caplog.at_level(logging.WARNING):
        assert load_configs(database) == {"prod@1": Target("a")}, "the name means the newest, which cannot be used"
    assert "prod@2" in caplog.text


def test_before_there_is_a_database(tmp_path: Path) -> None:
    assert load_configs(SqliteDatabase(tmp_path / FILE_NAME)) == {}


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(StorageError):
        list_configs(SqliteDatabase(tmp_path / FILE_NAME))
