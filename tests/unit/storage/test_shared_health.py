"""Where health is shared, and that both places are read and cleared."""

import secrets
import sys
import time
from pathlib import Path

import pytest

from anykey.providers.secret import Secret
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.health import HealthRow, HealthShare, read_health
from anykey.storage.migrate import open_database
from anykey.storage.shared_health import HealthPlaces
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.valkey_health import ValkeyHealth, read_valkey_health
from tests.services.valkey import ValkeyServer

PEPPER = secrets.token_bytes(32)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path)


def row(deployment: str, changed_ms: int, reason: str = "unavailable: gone") -> HealthRow:
    until_ms = int(time.time() * 1000) + 60_000
    return HealthRow(
        deployment=deployment, credential="c", state="open", until_ms=until_ms, reason=reason, changed_ms=changed_ms
    )


def test_both_places_are_read_and_cleared(database: Database, valkey: ValkeyServer, tmp_path: Path) -> None:
    places = HealthPlaces(database, Secret(valkey.url), PEPPER)
    alone = HealthPlaces(database, None, PEPPER).share()
    assert isinstance(alone, HealthShare)
    alone.put(row("both", 1, "unavailable: older"))
    alone.put(row("database", 3))
    alone.close()
    apart = HealthPlaces(SqliteDatabase(tmp_path / "nowhere.db"), Secret(valkey.url), PEPPER).share()
    assert isinstance(apart, ValkeyHealth)
    apart.put(row("both", 2, "unavailable: newer"))
    apart.put(row("valkey", 4))
    apart.close()
    found = places.read()
    assert [(one.deployment, one.changed_ms) for one in found] == [("valkey", 4), ("database", 3), ("both", 2)]
    assert found[2].reason == "unavailable: newer"
    places.forget(found[1:])
    assert [one.deployment for one in places.read()] == ["valkey"]
    places.forget(found)
    assert places.read() == read_health(database) == read_valkey_health(valkey.url, PEPPER) == []


def test_without_its_driver_it_says_what_to_install(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("anykey.storage.valkey_health", raising=False)
    monkeypatch.setitem(sys.modules, "anykey.storage.valkey_health", None)
    places = HealthPlaces(database, Secret("valkey://127.0.0.1:1"), PEPPER)
    for verb in (places.share, places.read):
        with pytest.raises(StorageError, match=r"anykey\[valkey\]"):
            verb()
