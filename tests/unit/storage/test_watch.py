"""A key made or revoked by another process counts for the very next look."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

import anykey.storage.watch as module
from anykey.accounts.keys import ApiKey
from anykey.storage.database import whole
from anykey.storage.migrate import locate_database, open_database, open_server
from anykey.storage.records import ExchangeRow
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.storage.watch import KeyWatch
from anykey.storage.writer import ExchangeWriter
from tests.services.postgres import OwnPostgres
from tests.unit.storage.emptied import EmptiedDatabase
from tests.unit.storage.kept_keys import insert_key, mark_revoked

KEY = ApiKey(id="abcdefghij", name="ci", digest=bytes(32), last4="WxYz", created_at=100, strict=True)


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    return open_database(tmp_path)


@pytest.fixture
def watch(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyWatch]:
    """A watch that asks every time: these tests are faster than its millisecond."""
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.0)
    watch = KeyWatch(database)
    yield watch
    watch.close()


def test_keys_of_before_are_there_at_once(database: SqliteDatabase) -> None:
    insert_key(database, KEY)
    watch = KeyWatch(database)
    assert watch.keys == {KEY.id: KEY}
    watch.close()


def test_a_change_is_seen_at_the_next_look(database: SqliteDatabase, watch: KeyWatch) -> None:
    watch.refresh_if_changed()
    assert watch.keys == {}
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}
    mark_revoked(database, KEY.id, 200)
    watch.refresh_if_changed()
    assert watch.keys[KEY.id].revoked_at == 200


def test_looks_within_a_millisecond_share_one_answer(
    database: SqliteDatabase, watch: KeyWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.2)
    watch.refresh_if_changed()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {}
    time.sleep(0.25)
    watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}


def test_more_than_a_call_a_millisecond_looks_less_often(
    database: SqliteDatabase, watch: KeyWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.05)
    monkeypatch.setattr(module, "BUSY_TIMES", 5)
    watch.refresh_if_changed()
    for _ in range(5):
        watch.refresh_if_changed()
    time.sleep(0.06)
    watch.refresh_if_changed()
    insert_key(database, KEY)
    time.sleep(0.06)
    watch.refresh_if_changed()
    assert watch.keys == {}
    watch.refresh_if_changed(even_if_busy=True)
    assert watch.keys == {KEY.id: KEY}
    mark_revoked(database, KEY.id, 200)
    time.sleep(0.25)
    watch.refresh_if_changed()
    assert watch.keys[KEY.id].revoked_at == 200


def test_a_change_by_another_process_is_seen(database: SqliteDatabase, watch: KeyWatch, tmp_path: Path) -> None:
    insert_key(database, KEY)
    watch.refresh_if_changed()
    code = (
        "import sys; from pathlib import Path; from anykey.storage.migrate import open_database;"
        "from anykey.storage.key_changes import changing_keys; from anykey.storage.keys import change_key;"
        "database = open_database(Path(sys.argv[1]));"
        "changing_keys(database, lambda connection: change_key(connection, sys.argv[2], {'revoked_at': 7}))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), KEY.id], check=True)
    watch.refresh_if_changed()
    assert watch.keys[KEY.id].revoked_at == 7


async def test_usage_rows_do_not_reload_the_keys(database: SqliteDatabase, watch: KeyWatch) -> None:
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


def test_the_watch_does_not_keep_writers_waiting(database: SqliteDatabase, watch: KeyWatch) -> None:
    watch.refresh_if_changed()
    connection = database.connect(busy_timeout_s=0)
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()


def test_a_failing_database_leaves_the_known_keys_and_one_log_line(
    database: SqliteDatabase, watch: KeyWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
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
    database: SqliteDatabase, watch: KeyWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REOPEN_AFTER_S", 0.0)
    watch._connection.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess] - as if the disk went
    watch.refresh_if_changed()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {KEY.id: KEY}
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_reopening_is_not_tried_at_every_request(database: SqliteDatabase, watch: KeyWatch) -> None:
    watch._connection.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess] - as if the disk went
    watch.refresh_if_changed()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {}


def test_a_closed_watch_stays_as_it_was(database: SqliteDatabase, watch: KeyWatch) -> None:
    watch.close()
    insert_key(database, KEY)
    watch.refresh_if_changed()
    assert watch.keys == {}


def test_a_restored_backup_brings_its_own_keys(database: SqliteDatabase, watch: KeyWatch, tmp_path: Path) -> None:
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
    database: SqliteDatabase, watch: KeyWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
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


def until(condition: Callable[[], bool]) -> None:
    """Wait for a thread that looks four times a second."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_on_a_server_a_thread_sees_changes_and_nobody_waits_for_it(
    server_database: EmptiedDatabase, tmp_path: Path
) -> None:
    database = locate_database(tmp_path, server_database.url)
    insert_key(database, KEY)
    watch = KeyWatch(database)
    assert watch.keys == {KEY.id: KEY}
    mark_revoked(database, KEY.id, 200)
    until(lambda: watch.keys[KEY.id].revoked_at == 200)
    watch.close()
    before = watch.keys
    insert_key(database, msgspec.structs.replace(KEY, id="klmnopqrst"))
    time.sleep(2 * module.POLL_EVERY_S)
    watch.refresh_if_changed()
    assert watch.keys is before
    server_database.empty()


def test_on_a_server_known_keys_stay_while_it_is_away_and_a_restored_table_is_read(
    own_server: OwnPostgres, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_EVERY_S", 0.02)
    monkeypatch.setattr(module, "REOPEN_AFTER_S", 0.1)
    database = open_server(own_server.create_database())
    insert_key(database, KEY)
    with closing(KeyWatch(database)) as watch:
        own_server.kill()
        until(lambda: "the last known keys stay in force" in caplog.text)
        assert watch.keys == {KEY.id: KEY}
        own_server.start()
        until(lambda: "read from the database again" in caplog.text)
        with closing(database.connect()) as connection, whole(connection):
            connection.execute("UPDATE api_keys SET name = 'restored'")
            connection.execute("CREATE TABLE other AS SELECT value FROM key_generation")
            connection.execute("DROP TABLE key_generation")
            connection.execute("ALTER TABLE other RENAME TO key_generation")
        until(lambda: watch.keys[KEY.id].name == "restored")
