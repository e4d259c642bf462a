"""`anykey export` and `anykey apply`, as they are typed."""

import json
from pathlib import Path

import pytest

from anykey.cli.main import main

DOCUMENT = """
anykey: 1
organisations:
  default: {keys: {ci: {requests_per_minute: 5, budgets: {1d: "2.50"}}}}
"""


def test_a_documents_life(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(DOCUMENT)
    assert main(["apply", "-f", str(file), "--dry-run"]) == 3
    assert capsys.readouterr().out == "+ organisations.default.keys.ci\n"
    assert main(["apply", "-f", str(file)]) == 0
    told = capsys.readouterr()
    (line,) = [line for line in told.out.splitlines() if line.startswith("organisations")]
    path, text = line.split("\t")
    assert (path, text[:3]) == ("organisations.default.keys.ci", "ak-")
    assert "shown now, and never again" in told.err
    for arguments in ([], ["--dry-run"]):
        assert main(["apply", "-f", str(file), *arguments]) == 0
        assert capsys.readouterr().out == "There is nothing to change.\n"
    file.write_text(DOCUMENT.replace("5,", "6,"))
    assert main(["apply", "-f", str(file), "--dry-run"]) == 3
    assert capsys.readouterr().out == "~ organisations.default.keys.ci requests_per_minute: 5 -> 6\n"
    assert main(["apply", "-f", str(file), "--dry-run", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["changes"][0]["after"] == 6
    assert main(["export", "--file", str(tmp_path / "b.json")]) == 0
    written = json.loads((tmp_path / "b.json").read_text())
    assert written["organisations"]["default"]["keys"]["ci"] == {"requests_per_minute": 5, "budgets": {"1d": "2.50"}}
    assert (tmp_path / "b.json").stat().st_mode & 0o777 == 0o600
    assert main(["apply", "-f", str(tmp_path / "b.json"), "--prune", "--dry-run"]) == 0
    capsys.readouterr()
    file.write_text("anykey: 1\norganisations: {default: {keys: {}}}")
    assert main(["apply", "-f", str(file), "--prune"]) == 0
    assert "- organisations.default.keys.ci" in capsys.readouterr().out
    assert main(["export"]) == 0
    assert "ci" not in capsys.readouterr().out


def test_what_cannot_be_meant_is_one_line_that_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.toml"
    file.write_text("anykey = 1\norganisation = {}")
    assert main(["apply", "-f", str(file)]) == 1
    told = capsys.readouterr().err
    assert "`organisation`" in told
    assert told.count("\n") == 1


def test_credentials_are_named_where_they_are_not_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "gsk-0123456789")
    file = tmp_path / "a.yaml"
    file.write_text("anykey: 1\ncredentials: [{provider: groq, env: A_KEY}]")
    assert main(["apply", "-f", str(file)]) == 0
    assert main(["export"]) == 0
    told = capsys.readouterr()
    assert "1 of them" in told.err
    assert "gsk-" not in told.out + told.err
    assert main(["export", "--with-secrets", "yes"]) == 2
