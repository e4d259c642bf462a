"""`anykey audit`: who changed what, and whether the log is whole."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from anykey.cli.main import main
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_changes_are_told_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nobody has changed anything yet" in answer(capsys, "audit", "list")
    key = answer(capsys, "keys", "create", "--name", "ci").strip()
    answer(capsys, "keys", "update", "ci", "--rpm", "5")
    text = answer(capsys, "audit", "list", "--json")
    update, create = json.loads(text)
    assert (create["action"], create["after"]["name"], create["before"]) == ("keys.create", "ci", None)
    assert (update["before"], update["after"]) == ({"requests_per_minute": None}, {"requests_per_minute": 5})
    assert create["actor"].startswith("cli")
    assert key[14:] not in text
    table = answer(capsys, "audit", "list", "--limit", "1", "--before", "2")
    assert "keys.create" in table
    assert "keys.update" not in table


def test_a_whole_log_tells_its_head_and_a_broken_one_where(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    for name in ("a", "b", "c"):
        answer(capsys, "keys", "create", "--name", name)
    told = answer(capsys, "audit", "verify")
    head = told.split()[-1]
    assert told.startswith("The audit log is whole: 3 entries, head 3:")
    assert json.loads(answer(capsys, "audit", "verify", "--expect", head, "--json"))["entries"] == 3
    with closing(SqliteDatabase(home / FILE_NAME).connect()) as connection:
        connection.execute("UPDATE audit SET after = '{}' WHERE seq = 2")
    assert main(["audit", "verify"]) == 1
    assert "broken at entry 2: it is not as it was written. The 1 before it are right" in capsys.readouterr().out
    assert main(["audit", "verify", "--expect", "x"]) == 1
    assert "SEQ:HASH" in capsys.readouterr().err
