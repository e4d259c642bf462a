"""The same tests on both databases: `database` is SQLite in a file, then PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from anykey.storage.database import Database
from anykey.storage.migrate import locate_database, open_database
from anykey.storage.sqlite_database import SqliteDatabase
from tests.services.postgres import OwnPostgres, PostgresServer, own_postgres
from tests.unit.storage.emptied import EmptiedDatabase


@pytest.fixture(scope="session")
def server_database(postgres: PostgresServer) -> EmptiedDatabase:
    """The PostgreSQL database that the tests here take turns with."""
    return EmptiedDatabase(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind, migrated and empty."""
    if request.param == "sqlite":
        yield open_database(tmp_path)
        return
    shared: EmptiedDatabase = request.getfixturevalue("server_database")
    yield locate_database(tmp_path, shared.url)
    shared.empty()


@pytest.fixture
def file(tmp_path: Path) -> SqliteDatabase:
    """The database in a file, for what only a file can do: be taken away, be put in another's place."""
    return open_database(tmp_path)


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnPostgres]:
    """A PostgreSQL that may be killed and frozen; whoever does it leaves it running."""
    with own_postgres(durable=True) as server:
        yield server
