"""`anykey configs`, as it is typed."""

import io
import json
import sys
from pathlib import Path

import pytest

from anykey.cli.main import main

CONFIG = {
    "strategy": {"mode": "fallback"},
    "targets": [{"provider": "a"}, {"provider": "b"}],
    "cache": {"mode": "simple"},
}


def test_a_configs_life(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(CONFIG))
    assert main(["configs", "list"]) == 0
    assert "no configs yet" in capsys.readouterr().out
    assert main(["configs", "check", str(file)]) == 0
    assert "cache is ignored" in capsys.readouterr().err
    assert main(["configs", "put", "prod", str(file)]) == 0
    assert "prod@1 is kept" in capsys.readouterr().out
    assert main(["configs", "put", "prod", str(file)]) == 0
    assert "prod@1 is the same already" in capsys.readouterr().out
    assert main(["configs", "show", "prod@1"]) == 0
    assert json.loads(capsys.readouterr().out) == CONFIG
    assert main(["configs", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["version"], json.loads(row["body"])) == ("prod", 1, CONFIG)
    assert main(["configs", "list"]) == 0
    assert "prod" in capsys.readouterr().out
    assert main(["configs", "delete", "prod"]) == 0
    assert main(["configs", "show", "prod"]) == 1
    assert "no stored config prod" in capsys.readouterr().err


def test_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'provider = "a"')))
    assert main(["configs", "put", "small", "-"]) == 0
    assert "small@1" in capsys.readouterr().out


def test_a_wrong_one_exits_with_1_and_names_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"targets": [{"weight": -1}]}')
    assert main(["configs", "put", "prod", str(file)]) == 1
    assert "targets[0].weight" in capsys.readouterr().err
