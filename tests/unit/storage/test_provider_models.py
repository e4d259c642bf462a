"""What each provider lists, and what is pinned."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from anykey.providers.models import ModelFacts, ProviderModel
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.provider_models import keep_seen, read_provider_models, set_pinned
from anykey.storage.sqlite_database import SqliteDatabase

A = ModelFacts("v", "a", 1000, observed_on="2026-01-01")
B = ModelFacts("v", "b", observed_on="2026-01-01")


def generation(database: Database) -> int:
    with closing(database.connect()) as connection:
        return connection.execute("SELECT value FROM configuration_generation").fetchone()[0]


def test_a_list_replaces_the_one_before(database: Database) -> None:
    assert keep_seen(database, "p", [B, A], 100)
    assert keep_seen(database, "q", [A], 100)
    assert read_provider_models(database) == {
        "p": (ProviderModel("b", facts=B), ProviderModel("a", facts=A)),
        "q": (ProviderModel("a", facts=A),),
    }
    assert keep_seen(database, "p", [A], 200)
    assert read_provider_models(database)["p"] == (ProviderModel("a", facts=A),)
    assert generation(database) == 3


def test_the_same_list_on_another_day_is_no_change(database: Database) -> None:
    keep_seen(database, "p", [A, B], 100)
    assert not keep_seen(database, "p", [msgspec.structs.replace(B, observed_on="2026-01-02"), A], 200)
    assert generation(database) == 1
    assert keep_seen(database, "p", [msgspec.structs.replace(A, context_tokens=5), B], 300)


def test_a_pin_outlives_the_list(database: Database) -> None:
    keep_seen(database, "p", [A], 100)
    assert set_pinned(database, "p", ["a", "own"], pinned=True) == 2
    assert set_pinned(database, "p", ["a"], pinned=True) == 0
    keep_seen(database, "p", [B], 200)
    assert read_provider_models(database)["p"] == (
        ProviderModel("a", pinned=True),
        ProviderModel("own", pinned=True),
        ProviderModel("b", facts=B),
    )
    assert set_pinned(database, "p", ["a", "own", "b", "nothing"], pinned=False) == 2
    assert read_provider_models(database)["p"] == (ProviderModel("b", facts=B),)


def test_a_name_is_only_ever_data(database: Database) -> None:
    name = "'); DROP TABLE provider_models; --"
    set_pinned(database, name, [name], pinned=True)
    assert read_provider_models(database) == {name: (ProviderModel(name, pinned=True),)}


def test_a_database_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_provider_models(SqliteDatabase(tmp_path / "none.db"))
