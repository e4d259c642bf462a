"""`anykey import`, as it is typed."""

import json
from pathlib import Path

import pytest

from anykey.cli.main import main

LITELLM = """
model_list:
  - model_name: gpt-5.4
    litellm_params: {model: openai/gpt-5.4, api_base: "http://127.0.0.1:9/v1", api_key: sk-literal-1234567890, tpm: 7,
                     input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}
"""
DUMP = {
    "channels": [
        {"id": 1, "type": 1, "name": "main", "key": "sk-channel-1234567890", "models": "m", "group": "default"}
    ],
    "tokens": [{"id": 1, "name": "ci", "key": "old-token-text", "remain_quota": 500000, "unlimited_quota": False}],
    "options": {"ModelRatio": '{"m": 1}', "CompletionRatio": '{"m": 2}'},
}


def test_litellm_is_shown_then_taken_over_and_then_there(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(LITELLM)
    assert main(["import", "litellm", str(file), "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert '[models."gpt-5.4"]' in shown.out
    assert "A rate card for gpt-5.4." in shown.out
    assert "tpm: not taken" in shown.err
    assert not (home / "anykey.toml").exists()
    assert main(["import", "litellm", str(file)]) == 0
    told = capsys.readouterr()
    assert "Model gpt-5.4 can be asked for." in told.out
    assert "providers 1, models 1, sealed credentials 1, rate cards 1, keys 0" in told.out
    text = (home / "anykey.toml").read_text()
    assert main(["import", "litellm", str(file), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["providers"] == again["models"] == again["rate_cards"] == []
    assert (home / "anykey.toml").read_text() == text
    for seen in (shown, told):
        assert "sk-literal" not in seen.out + seen.err


@pytest.mark.parametrize("family", ["new-api", "one-api"])
def test_a_dump_comes_with_new_keys(
    tmp_path: Path, home: Path, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dump.json"
    file.write_text(json.dumps(DUMP))
    assert main(["import", family, str(file), "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [key["name"] for key in plan["keys"]] == ["ci"]
    assert main(["import", family, str(file)]) == 0
    told = capsys.readouterr()
    (line,) = [line for line in told.out.splitlines() if line.startswith("ci\t")]
    assert "They are shown now, and never again." in told.err
    assert main(["keys", "list", "--json"]) == 0
    (key,) = json.loads(capsys.readouterr().out)
    assert line.split("\t")[1] == key["id"]
    assert key["budgets"] == {"lifetime": 10**9}
    assert main(["rate-cards", "show", "m"]) == 0
    assert json.loads(capsys.readouterr().out)["rate_cards"][0]["output"] == "4"
    assert "sk-channel" not in told.out + told.err + (home / "anykey.toml").read_text()
    assert "old-token" not in told.out + told.err


def test_what_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x"
    file.write_text("- 1")
    assert main(["import", "litellm", str(file)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["import", "new-api", str(file)]) == 1
    assert "no rows of the tables channels, tokens, options" in capsys.readouterr().err


def test_names_of_the_file_move_no_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text('model_list: [{model_name: "a\\e[2Jb", litellm_params: {model: "nobody/x"}}]')
    assert main(["import", "litellm", str(file), "--dry-run"]) == 0
    assert "\x1b" not in capsys.readouterr().err
