"""Changes that each have a transaction of their own, in a common one."""

from contextlib import closing

import pytest

from anykey.storage.configs import list_configs, put_config
from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError
from anykey.storage.key_changes import changing_keys
from anykey.storage.one_transaction import one_transaction
from tests.fakes.charges import ask


def add(database: Database, name: str) -> None:
    def change(connection: Connection) -> None:
        connection.execute("INSERT INTO installation (name, value) VALUES (?, ?)", (name, "v"))

    changing_keys(database, change)


def names(database: Database) -> list[str]:
    return [row[0] for row in ask(database, "SELECT name FROM installation ORDER BY name")]


def test_all_of_it_happens_at_the_end(database: Database) -> None:
    with one_transaction(database) as common:
        add(common, "a")
        put_config(common, "c", "{}", 1)
        add(common, "b")
        assert names(common) == ["a", "b"]
        assert [row.name for row in list_configs(common)] == ["c"]
        with closing(database.connect(read_only=True)) as other:
            assert other.execute("SELECT COUNT(*) FROM installation").fetchone() == (0,)
        assert (common.dialect, common.name, common.identity()) == (
            database.dialect,
            database.name,
            database.identity(),
        )
    assert names(database) == ["a", "b"]
    assert len(ask(database, "SELECT 1 FROM audit")) == 1


def test_an_exception_undoes_all_of_it(database: Database) -> None:
    def broken() -> None:
        with one_transaction(database) as common:
            add(common, "a")
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert names(database) == []


def test_it_can_be_only_looked_at(database: Database) -> None:
    before = ask(database, "SELECT value FROM key_generation")
    with one_transaction(database) as common:
        add(common, "a")
        common.undo()
    assert names(database) == []
    assert ask(database, "SELECT value FROM key_generation") == before


def test_sqlalchemy_has_no_part_in_it(database: Database) -> None:
    with one_transaction(database) as common, pytest.raises(DatabaseError):
        common.driver_connection(None)
