"""Health through a real Valkey or Redis beside the database: quick, and no worse than the database alone when it is gone."""

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from valkey import Valkey

from anykey.providers.secret import Secret
from anykey.storage import health as database_health
from anykey.storage import valkey_health as module
from anykey.storage.database import Database
from anykey.storage.health import KEPT_MS, HealthRow, HealthShare, read_health
from anykey.storage.migrate import open_database
from anykey.storage.shared_health import HealthPlaces
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.valkey_health import ENDLESS_MS, ValkeyHealth, read_valkey_health
from tests.fakes.loading_valkey import loading_valkey
from tests.services.valkey import OwnValkey, ValkeyServer, own_valkey

Pair = tuple[str, str]
PEPPER = secrets.token_bytes(32)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_health, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path)


@pytest.fixture
def server() -> Iterator[OwnValkey]:
    with own_valkey() as server:
        yield server


class Gateway:
    """Knows what is not well the way ``exchange.wellbeing`` does."""

    def __init__(self, share: HealthShare | ValkeyHealth) -> None:
        self.share = share
        self.knows: set[Pair] = set()
        self.forgotten: set[Pair] = set()

    def look(self) -> set[Pair]:
        before = self.knows | self.share.written()
        rows = self.share.look()
        if rows is not None:
            self.knows = {(row.deployment, row.credential) for row in rows}
            self.forgotten |= before - self.knows
        return self.knows

    def until(self, said: Callable[[set[Pair]], bool]) -> None:
        deadline = time.monotonic() + 5
        while not said(self.look()):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def two(places: HealthPlaces) -> tuple[Gateway, Gateway]:
    return Gateway(places.share()), Gateway(places.share())


def row(deployment: str = "lab/m", ends_s: float | None = 60.0) -> HealthRow:
    now_ms = int(time.time() * 1000)
    return HealthRow(
        deployment=deployment,
        credential="lab#a 1",
        state="disabled",
        until_ms=None if ends_s is None else now_ms + int(ends_s * 1000),
        reason="upstream_refused_credential: \ud800 no",
        changed_ms=now_ms,
    )


def pair(deployment: str = "lab/m") -> Pair:
    return deployment, "lab#a 1"


def connected(server: ValkeyServer) -> Any:
    """The driver's own client; its types are partial."""
    return Valkey.from_url(server.url.replace("redis://", "valkey://"))  # pyright: ignore[reportUnknownMemberType]


def test_without_a_database_valkey_tells_the_others(valkey: ValkeyServer, tmp_path: Path) -> None:
    pepper = secrets.token_bytes(32)
    nowhere = SqliteDatabase(tmp_path / "nowhere.db")
    one, other = two(HealthPlaces(nowhere, Secret(valkey.url), pepper))
    other.look()
    one.share.put(row())
    other.until(lambda knows: knows == {pair()})
    (told,) = other.share.look() or read_valkey_health(valkey.url, pepper)
    assert (told.changed_by, told.reason) == (one.share.author, "upstream_refused_credential: ? no")
    one.until(lambda knows: knows == {pair()})
    one.share.drop(*pair())
    other.until(lambda knows: not knows)
    assert other.forgotten == {pair()}
    one.share.close()
    other.share.close()


def test_installations_are_apart(valkey: ValkeyServer, database: Database) -> None:
    share = HealthPlaces(database, Secret(valkey.url), secrets.token_bytes(32)).share()
    share.put(row())
    share.close()
    assert read_valkey_health(valkey.url, secrets.token_bytes(32)) == []


def test_it_ends_by_itself(valkey: ValkeyServer, database: Database) -> None:
    client = connected(valkey)
    for ends_s, least, most in ((60.0, KEPT_MS + 50_000, KEPT_MS + 60_000), (None, ENDLESS_MS // 2, ENDLESS_MS)):
        known = set(client.keys("anykey:health:*"))
        share = HealthPlaces(database, Secret(valkey.url), secrets.token_bytes(32)).share()
        share.put(row(ends_s=ends_s))
        share.close()
        (made,) = set(client.keys("anykey:health:*")) - known
        assert least < client.pttl(made) <= most
    client.close()


def test_rows_of_another_release_are_passed_over(valkey: ValkeyServer, database: Database) -> None:
    pepper, client = secrets.token_bytes(32), connected(valkey)
    known = set(client.keys("anykey:health:*"))
    share = HealthPlaces(database, Secret(valkey.url), pepper).share()
    share.put(row())
    share.close()
    (made,) = set(client.keys("anykey:health:*")) - known
    client.hset(made, "one", "5 {}")
    client.hset(made, "two", b"\xff")
    assert [one.deployment for one in read_valkey_health(valkey.url, pepper)] == ["lab/m"]
    share = HealthPlaces(database, Secret(valkey.url), pepper).share()
    share.put(row("lab/n"))
    share.close()
    assert len(read_valkey_health(valkey.url, pepper)) == 2
    client.close()


def test_a_valkey_that_was_killed_comes_back_empty(
    server: OwnValkey, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = two(HealthPlaces(database, Secret(server.url), PEPPER))
    with caplog.at_level(logging.INFO):
        one.share.put(row())
        for gateway in (one, other):
            gateway.until(lambda knows: knows == {pair()})
        server.kill()
        one.share.put(row("lab/n"))
        other.until(lambda knows: knows == {pair(), pair("lab/n")})
        deadline = time.monotonic() + 5
        while len(caplog.records) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.3)
        told = len(caplog.records)
        server.start()
        one.share.put(row("lab/o"))
        other.until(lambda knows: len(knows) == 3)
        deadline = time.monotonic() + 5
        while not {"lab/n", "lab/o"} <= {one.deployment for one in read_valkey_health(server.url, PEPPER)}:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert one.look() == other.look()
        assert one.forgotten == other.forgotten == set()
    assert told == 2  # one line a process
    one.share.close()
    other.share.close()


def test_what_was_enabled_while_valkey_was_frozen_is_well_after_it(server: OwnValkey, database: Database) -> None:
    places = HealthPlaces(database, Secret(server.url), PEPPER)
    one, other = two(places)
    one.share.put(row())
    for gateway in (one, other):
        gateway.until(lambda knows: knows == {pair()})
    server.freeze()
    try:
        began = time.monotonic()
        one.share.put(row("lab/n"))
        other.until(lambda knows: len(knows) == 2)
        assert time.monotonic() - began < 1
        time.sleep(0.5)  # until both have noticed
        rows = places.read()
        assert len(rows) == 2
        places.forget(rows)
        for gateway in (one, other):
            gateway.until(lambda knows: not knows)
    finally:
        server.thaw()
    deadline = time.monotonic() + 5
    while read_valkey_health(server.url, PEPPER):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)
    assert one.look() == other.look() == set()
    assert read_health(database) == []
    one.share.close()
    other.share.close()


def test_closing_waits_for_nobody_for_long(server: OwnValkey, database: Database) -> None:
    share = HealthPlaces(database, Secret(server.url), PEPPER).share()
    server.freeze()
    try:
        share.put(row())
        began = time.monotonic()
        share.close()
        assert time.monotonic() - began < 1.5
    finally:
        server.thaw()
    assert len(read_health(database)) == 1


def test_a_valkey_that_only_reads_is_told_later(
    server: OwnValkey, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    client = connected(server)
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    one, other = two(HealthPlaces(database, Secret(server.url), PEPPER))
    one.share.put(row())
    other.until(lambda knows: knows == {pair()})
    assert read_valkey_health(server.url, PEPPER) == []
    deadline = time.monotonic() + 5
    while not any("the database alone" in record.message for record in caplog.records):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    client.execute_command("REPLICAOF", "NO", "ONE")
    deadline = time.monotonic() + 5
    while not read_valkey_health(server.url, PEPPER):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    client.close()
    one.share.close()
    other.share.close()


def test_while_valkey_loads_the_database_shares(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with loading_valkey() as url:
        one, other = two(HealthPlaces(database, Secret(url), PEPPER))
        one.share.put(row())
        other.until(lambda knows: knows == {pair()})
        time.sleep(0.3)
        one.share.close()
        other.share.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


def test_no_password_is_told(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    places = HealthPlaces(database, Secret("redis://user:secret-word@127.0.0.1:1/0"), PEPPER)
    share = places.share()
    share.put(row())
    share.close()
    places.forget(places.read())
    assert len(caplog.records) >= 3
    assert "secret-word" not in caplog.text
