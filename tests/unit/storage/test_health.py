"""What is not well, from process to process: through one database, and through Valkey beside it."""

import logging
import secrets
import time
from pathlib import Path

import pytest

from anykey.providers.secret import Secret
from anykey.storage import health as module
from anykey.storage import valkey_health
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.health import KEPT_MS, HealthRow, HealthShare, forget_health, read_health
from anykey.storage.shared_health import HealthPlaces
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.valkey_health import ValkeyHealth

Share = HealthShare | ValkeyHealth


@pytest.fixture(autouse=True)
def at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are faster than once a second."""
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(valkey_health, "POLL_S", 0.01)


@pytest.fixture(params=["database", "valkey"])
def places(request: pytest.FixtureRequest, database: Database) -> HealthPlaces:
    """The database alone, and with a Valkey; an installation of this test alone."""
    url = Secret(request.getfixturevalue("valkey").url) if request.param == "valkey" else None
    return HealthPlaces(database, url, secrets.token_bytes(32))


def row(deployment: str = "lab/m", credential: str = "lab#a 1", until_ms: int | None = None) -> HealthRow:
    now_ms = int(time.time() * 1000)
    return HealthRow(
        deployment=deployment,
        credential=credential,
        state="open",
        until_ms=now_ms + 60_000 if until_ms is None else until_ms,
        reason="upstream_error: it fell over",
        changed_ms=now_ms,
    )


def settled(share: Share) -> Share:
    """After its threads have written and read."""
    # Nothing else says when they are done.
    if isinstance(share, ValkeyHealth):
        while share._pending:  # pyright: ignore[reportPrivateUsage]
            time.sleep(0.005)
        time.sleep(0.05)
        settled(share._share)  # pyright: ignore[reportPrivateUsage]
    else:
        share._thread.submit(int).result()  # pyright: ignore[reportPrivateUsage]
    return share


def looked(share: Share, database: Database) -> list[HealthRow] | None:
    """What a look finds of what is there now: on a server the one before it asks."""
    settled(share)
    if database.dialect != "sqlite":
        share.look()
        settled(share)
    return share.look()


def test_one_puts_and_another_sees(places: HealthPlaces, database: Database) -> None:
    one, other = places.share(), places.share()
    assert looked(other, database) == []
    one.put(row())
    settled(one)
    (seen,) = looked(other, database) or []
    assert (seen.deployment, seen.credential, seen.state, seen.changed_by) == ("lab/m", "lab#a 1", "open", one.author)
    if database.dialect == "sqlite":
        assert other.look() is None
    if isinstance(one, HealthShare):
        one.look()
    assert settled(one).written() == {("lab/m", "lab#a 1")}
    one.drop("lab/m", "lab#a 1")
    settled(one).look()
    assert looked(other, database) == []
    one.look()
    assert not looked(one, database)
    assert settled(one).written() == frozenset()
    one.close()
    other.close()


def test_what_a_process_wrote_and_a_look_does_not_find_was_taken_away(database: Database) -> None:
    share = HealthShare(database)
    share.put(row())
    settled(share)
    forget_health(database, read_health(database))
    share.look()
    written = settled(share).written()
    assert written == {("lab/m", "lab#a 1")}
    share.put(row("later"))
    settled(share)
    there = {one.deployment for one in share.look() or []}
    assert "lab/m" not in there
    assert written - {("later", "lab#a 1")} == {("lab/m", "lab#a 1")}
    share.close()


def test_the_newest_word_counts(places: HealthPlaces) -> None:
    one, other = places.share(), places.share()
    one.put(row(until_ms=5))
    settled(one)
    other.put(row(until_ms=None))
    settled(other)
    (seen,) = places.read()
    assert seen.changed_by == other.author != one.author
    one.close()
    other.close()


def test_old_rows_go_and_reasons_are_bounded(places: HealthPlaces) -> None:
    share = places.share()
    share.put(row("old", until_ms=int(time.time() * 1000) - KEPT_MS - 10))
    long = HealthRow(deployment="", credential="c", state="disabled", until_ms=None, reason="x" * 9999, changed_ms=1)
    share.put(long)
    share.close()
    (left,) = places.read()
    assert (left.credential, len(left.reason)) == ("c", 300)


def test_forgetting_takes_rows_away(places: HealthPlaces) -> None:
    share = places.share()
    share.put(row())
    share.put(row("lab/n"))
    share.close()
    places.forget([one for one in places.read() if one.deployment == "lab/n"])
    assert [one.deployment for one in places.read()] == ["lab/m"]


def test_a_database_that_fails_costs_the_sharing_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    share = HealthShare(SqliteDatabase(tmp_path / "nowhere.db"))
    with caplog.at_level(logging.WARNING):
        share.put(row())
        share.drop("a", "b")
        assert share.look() is None
        share.close()
        share.put(row())
    assert len(caplog.records) == 1
    assert share.look() is None
    with pytest.raises(StorageError):
        read_health(SqliteDatabase(tmp_path / "nowhere.db"))
    with pytest.raises(StorageError):
        forget_health(SqliteDatabase(tmp_path / "nowhere.db"), [row()])


def test_it_looks_once_a_second(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 60.0)
    one, other = HealthShare(database), HealthShare(database)
    other.look()
    one.put(row())
    one.close()
    assert other.look() is None
    other.close()
