"""The schema comes up to date by itself, once, and a newer one is left alone."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from anykey.storage.errors import StorageError
from anykey.storage.migrate import MIGRATIONS, open_database, packaged_revisions, stored_revision


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
