"""A change without SQLAlchemy: whole or not at all, and counted only if something is different."""

from contextlib import closing

import pytest

from anykey.storage.changing import changing
from anykey.storage.database import Database
from anykey.storage.errors import StorageError

INSERT = "INSERT INTO provider_models (provider, model, pinned) VALUES ('p', 'm', TRUE)"


def generation(database: Database) -> int:
    with closing(database.connect()) as connection:
        return connection.execute("SELECT value FROM configuration_generation").fetchone()[0]


def test_only_a_change_moves_the_generation(database: Database) -> None:
    assert changing(database, lambda connection: connection.execute(INSERT).rowcount) == 1
    assert generation(database) == 1
    assert changing(database, lambda _: 0) == 0
    assert generation(database) == 1


def test_what_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        changing(database, lambda connection: connection.execute(INSERT).rowcount / 0)
    with pytest.raises(StorageError):
        changing(database, lambda connection: bool(connection.execute("INSERT INTO nowhere VALUES (1)")))
    assert generation(database) == 0
    with closing(database.connect()) as connection:
        assert connection.execute("SELECT count(*) FROM provider_models").fetchone() == (0,)
