"""`anykey catalogue`: update from files, show, sources, export."""

import json
from pathlib import Path

import pytest

from anykey.cli.main import main

MINE = """
source = "our contract"
observed_on = "2026-11-01"
[[models]]
vendor = "openai"
model = "gpt-5.4"
prices = { input = "1.5", cache_read = "0.0028", output = "2", tiers = [{ over_tokens = 1000, input = "3" }] }
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    file = tmp_path / "mine.toml"
    file.write_text(MINE)
    return str(file)


def test_an_update_is_told_and_shown(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "update", "--from", mine]) == 0
    assert "mine.toml" in capsys.readouterr().out
    assert main(["catalogue", "show", "openai/gpt-5.4"]) == 0
    said = capsys.readouterr().out
    assert "input 1.50, cache_read 0.0028, output 2" in said
    assert "more than 1000 tokens: input 3" in said
    assert "2026-11-01" in said
    assert main(["catalogue", "show", "openai/gpt-5.4", "--json"]) == 0
    found = next(one for one in json.loads(capsys.readouterr().out) if one["vendor"] == "openai")
    assert (found["prices"]["cache_read"], found["rows"][0]["source"]) == ("0.0028", "own")
    assert found["context_tokens"] == 1_050_000


def test_the_sources(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "update", "--from", mine, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["changed"] == 1
    assert main(["catalogue", "sources"]) == 0
    assert "MIT" in capsys.readouterr().out
    assert main(["catalogue", "sources", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["models"] == 1


def test_the_export(mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["catalogue", "update", "--from", mine])
    assert main(["catalogue", "export", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "openai.jsonl").is_file()
    assert str(tmp_path / "out") in capsys.readouterr().out


def test_what_cannot_be_done_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    assert main(["catalogue", "update", "--from", str(bad)]) == 1
    assert "bad.json is not the data" in capsys.readouterr().err
    assert main(["catalogue", "update", "--index-url", "http://127.0.0.1:9/simple"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["catalogue", "show", "nonesuch"]) == 1
    assert "nonesuch" in capsys.readouterr().err
