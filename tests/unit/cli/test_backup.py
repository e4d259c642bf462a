"""`anykey backup` and `anykey restore`, as they are typed."""

import json
from pathlib import Path

import pytest

from anykey.cli.main import main


def test_there_and_back_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "copy.db"
    assert main(["keys", "create", "--name", "ci"]) == 0
    assert main(["backup", str(file), "--with-keys"]) == 0
    shown = capsys.readouterr().out
    assert f"The copy is {file} (" in shown
    assert f"Key file: {file}.pepper" in shown
    assert main(["backup", str(file)]) == 1
    assert "exists already" in capsys.readouterr().err
    monkeypatch.setenv("ANYKEY_HOME", str(tmp_path / "other"))
    assert main(["restore", str(file)]) == 0
    assert f"Key file: {tmp_path / 'other' / 'pepper'}" in capsys.readouterr().out
    assert main(["keys", "list"]) == 0
    assert "ci" in capsys.readouterr().out
    assert main(["restore", str(file), "--json"]) == 0
    assert "anykey.db.before-" in json.loads(capsys.readouterr().out)["aside"]


def test_a_copy_without_keys_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", str(tmp_path / "copy.db"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["keys"] == []
    assert main(["backup", str(tmp_path / "other.db")]) == 0
    assert "Without them no issued key is good" in capsys.readouterr().err


def test_what_is_no_copy_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("no database")
    assert main(["restore", str(tmp_path / "x")]) == 1
    assert "no whole copy" in capsys.readouterr().err
