"""A key made or revoked by another process counts for the very next look."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import anykey.storage.watch as module
from anykey.accounts.keys import ApiKey
from anykey.storage.database import Database
from anykey.storage.keys import insert_key, mark_revoked
from anykey.storage.migrate import open_database
from anykey.storage.records import ExchangeRow
from anykey.storage.watch import KeyWatch
from anykey.storage.writer import ExchangeWriter

KEY = ApiKey(id="abcdefghij", name="ci", digest=bytes(32), last4="WxYz", created_at=100, strict=True)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path)


@pytest.fixture
def watch(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyWatch]:
    """A watch that asks every time: these tests are faster than its millisecond."""
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.0)
    watch = KeyWatch(database)
    yield watch
    watch.close()


def test_keys_of_before_are_there_at_once(database: Database) -> None:
    insert_key(database, KEY)
    watch = KeyWatch(database)
    assert watch.keys == {KEY.id: KEY}
    watch.close()


def test_a_change_is_seen_at_the_next_look(database: Database, watch: KeyWatch) -> None:
    watch.refresh_if_changed()
    assert watch.keys == {}
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}
    mark_revoked(database, KEY.id, 200)
    watch.refresh_if_changed()
    assert watch.keys[KEY.id].revoked_at == 200


def test_looks_within_a_millisecond_share_one_answer(
    database: Database, watch: KeyWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.2)
    watch.refresh_if_changed()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {}
    time.sleep(0.25)
    watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}


def test_a_change_by_another_process_is_seen(database: Database, watch: KeyWatch, tmp_path: Path) -> None:
    insert_key(database, KEY)
    watch.refresh_if_changed()
    code = (
        "import sys; from pathlib import Path; from anykey.storage.migrate import open_database;"
        "from anykey.storage.keys import mark_revoked; mark_revoked(open_database(Path(sys.argv[1])), sys.argv[2], 7)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), KEY.id], check=True)
    watch.refresh_if_changed()
    assert watch.keys[KEY.id].revoked_at == 7


async def test_usage_rows_do_not_reload_the_keys(database: Database, watch: KeyWatch) -> None:
    insert_key(database, KEY)
    watch.refresh_if_changed()
    before = watch.keys
    writer = ExchangeWriter(database)
    writer.record(
        ExchangeRow(
            id="r",
            at=1,
            key_id="k",
            client="c",
            client_protocol="p",
            model_asked="m",
            stream=False,
            attempts=1,
            status=200,
            total_ms=1,
        )
    )
    await writer.aclose()
    watch.refresh_if_changed()
    assert watch.keys is before


def test_the_watch_does_not_keep_writers_waiting(database: Database, watch: KeyWatch) -> None:
    watch.refresh_if_changed()
    connection = database.connect(busy_timeout_s=0)
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()


def test_a_failing_database_leaves_the_known_keys_and_one_log_line(
    database: Database, watch: KeyWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_key(database, KEY)
    watch.refresh_if_changed()
    database.path.with_name("anykey.db-wal").unlink(missing_ok=True)
    database.path.write_bytes(b"torn" * 4096)
    monkeypatch.setattr(module, "REOPEN_AFTER_S", 0.0)
    watch._connection.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess] - as if the disk went
    for _ in range(5):
        watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}
    assert [record.getMessage()[:47] for record in caplog.records] == [
        "the database fails, the last known keys stay in"
    ]


def test_a_database_that_comes_back_is_read_again(
    database: Database, watch: KeyWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REOPEN_AFTER_S", 0.0)
    watch._connection.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess] - as if the disk went
    watch.refresh_if_changed()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_reopening_is_not_tried_at_every_request(database: Database, watch: KeyWatch) -> None:
    watch._connection.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess] - as if the disk went
    watch.refresh_if_changed()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {}


def test_a_closed_watch_stays_as_it_was(database: Database, watch: KeyWatch) -> None:
    watch.close()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {}


def test_a_restored_backup_brings_its_own_keys(database: Database, watch: KeyWatch, tmp_path: Path) -> None:
    insert_key(database, KEY)
    watch.refresh_if_changed()
    (tmp_path / "backup").mkdir()
    backup = open_database(tmp_path / "backup")
    insert_key(backup, msgspec.structs.replace(KEY, name="restored", revoked_at=5))
    for left in database.path.parent.glob("anykey.db-*"):
        left.unlink()
    backup.path.replace(database.path)
    watch.refresh_if_changed()
    assert [(key.name, key.revoked_at) for key in watch.keys.values()] == [("restored", 5)]


def test_a_deleted_database_is_told_once_and_its_successor_read(
    database: Database, watch: KeyWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REOPEN_AFTER_S", 0.0)
    insert_key(database, KEY)
    watch.refresh_if_changed()
    for file in database.path.parent.glob("anykey.db*"):
        file.unlink()
    for _ in range(3):
        watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}
    insert_key(open_database(database.path.parent), msgspec.structs.replace(KEY, id="klmnopqrst"))
    watch.refresh_if_changed()
    assert list(watch.keys) == ["klmnopqrst"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
