"""Problems of the settings, told to the one who wrote them."""

from pathlib import Path

import pytest

from anykey.cli.configuration import told
from anykey.cli.main import main
from anykey.language.say import catalogue
from anykey.settings.problems import SENTENCES, Problem


def test_every_problem_of_the_settings_can_be_told() -> None:
    spoken = {code: text for code, text in catalogue("en").items() if code.startswith("settings.")}
    assert spoken == SENTENCES


def test_a_problem_names_file_line_and_key_in_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("a.toml", 3, "server.port", "settings.missing")
    assert told(problem) == str(problem) == "a.toml:3: server.port: this key is needed here"
    monkeypatch.setenv("ANYKEY_LANG", "zh-CN")
    assert told(problem) == "a.toml:3: server.port: 此处必须有这个键"


def test_all_problems_are_shown_at_once_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[server]\nprot = 1\nport = 'x'\n", encoding="utf-8")
    assert main(["models", "--config", str(file)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"Error: {file}:2: server.prot: ")
    assert lines[1].startswith(f"{file}:3: server.port: ")


def test_warnings_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[providers.openai]\napi_key = 'sk-proj-a1b2c3d4e5f6g7h8'\n", encoding="utf-8")
    assert main(["providers", "--json", "--config", str(file)]) == 0
    out, err = capsys.readouterr()
    assert err.startswith(f"Warning: {file}:2: providers.openai.api_key: ")
    assert "a1b2c3" not in out + err
