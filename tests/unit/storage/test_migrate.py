"""The schema comes up to date by itself, once, and a newer one is left alone."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from anykey.storage.errors import StorageError
from anykey.storage.migrate import (
    MIGRATIONS,
    locate_database,
    open_database,
    open_server,
    packaged_revisions,
    stored_revision,
)
from tests.services.postgres import PASSWORD, PostgresServer


def test_the_revisions_in_the_file_names_are_alembics_own() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert packaged_revisions() == [step.revision for step in reversed(list(script.walk_revisions()))]
    assert script.get_heads() == [packaged_revisions()[-1]]


def test_a_new_home_gets_the_newest_schema_in_wal(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    assert stored_revision(database) == packaged_revisions()[-1]
    with closing(database.connect()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT value FROM key_generation").fetchall() == [(0,)]


def test_an_up_to_date_home_is_opened_without_sqlalchemy_or_alembic(tmp_path: Path) -> None:
    open_database(tmp_path)
    code = (
        "import sys; from pathlib import Path; from anykey.storage.migrate import open_database;"
        "open_database(Path(sys.argv[1])); print([m for m in ('sqlalchemy', 'alembic') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_two_processes_at_first_start_both_succeed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from anykey.storage.migrate import open_database as o, stored_revision as s;"
        "print(s(o(Path(sys.argv[1]))))"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [run.communicate(timeout=30)[0].strip() for run in runs] == [packaged_revisions()[-1]] * 3


def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with closing(database.connect()) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = database.path.read_bytes()
    with pytest.raises(StorageError) as refused:
        open_database(tmp_path)
    assert refused.value.code == "storage.newer"
    assert refused.value.values["stored"] == "9999"
    assert database.path.read_bytes() == before


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "anykey.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match=r"anykey\.db"):
        open_database(tmp_path)


def test_a_new_server_database_gets_the_newest_schema(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    database = open_server(url)
    assert open_server(url) == database
    assert stored_revision(database) == packaged_revisions()[-1]
    with closing(database.connect()) as connection:
        assert connection.execute("SELECT value FROM key_generation").fetchall() == [(0,)]


def test_of_two_processes_at_a_server_one_migrates_and_the_other_waits(postgres: PostgresServer) -> None:
    code = (
        "import sys; from anykey.storage.migrate import open_server as o, stored_revision as s;"
        "d = o(sys.argv[1]); print(s(d), 'alembic' in sys.modules)"
    )
    url = postgres.create_database()
    runs = [
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [run.communicate(timeout=60) for run in runs]
    assert [error for _, error in told] == ["", "", ""]
    newest = packaged_revisions()[-1]
    assert sorted(out.strip() for out, _ in told) == [f"{newest} False", f"{newest} False", f"{newest} True"]


def test_a_newer_schema_on_a_server_is_refused_and_not_touched(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.migrated(open_server)
    database = locate_database(tmp_path, url)
    with closing(database.connect()) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("DROP TABLE charges")
    with pytest.raises(StorageError) as refused:
        open_server(url)
    assert (refused.value.code, refused.value.values["stored"]) == ("storage.newer", "9999")
    assert PASSWORD not in str(refused.value)
    assert stored_revision(database) == "9999"


def test_what_is_in_the_way_stays_and_nothing_of_ours_is_left(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.create_database()
    database = locate_database(tmp_path, url)
    with closing(database.connect()) as connection:
        connection.execute("CREATE TABLE exchanges (somebody_elses text)")
    with pytest.raises(StorageError, match="exchanges"):
        open_server(url)
    with closing(database.connect()) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("exchanges",)]


def test_a_server_that_is_not_there_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "en")
    with pytest.raises(StorageError) as failed:
        open_server(f"postgresql://anykey:{PASSWORD}@127.0.0.1:1/anykey")
    assert str(failed.value).startswith("The database postgresql://anykey@127.0.0.1:1/anykey cannot be used: ")
    assert PASSWORD not in str(failed.value)


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "anykey.storage.postgres_database", raising=False)
    with pytest.raises(StorageError, match=r"pip install 'anykey\[postgres\]'"):
        locate_database(tmp_path, "postgresql://127.0.0.1/x")
