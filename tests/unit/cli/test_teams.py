"""`anykey teams`, from creation to closing."""

import json

import pytest

from anykey.cli.main import main


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_team_is_created_shown_changed_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "There are no teams yet" in answer(capsys, "teams", "list")
    answer(capsys, "organisations", "create", "ours")
    ours = ("--organisation", "ours")
    made = json.loads(answer(capsys, "teams", "create", "red", *ours, "--allow", "a*", "--budget", "7d=9", "--json"))
    assert (made["name"], made["allowed_models"], made["budgets"]) == ("red", ["a*"], {"7d": 9 * 10**9})
    assert "7d $9.00" in answer(capsys, "teams", "list", *ours)
    assert json.loads(answer(capsys, "teams", "list", "--organisation", "default", "--json")) == []
    changed = json.loads(answer(capsys, "teams", "update", "red", *ours, "--allow", "", "--budget", "7d=", "--json"))
    assert (changed["allowed_models"], changed["budgets"]) == (None, {})
    assert answer(capsys, "teams", "close", "red", *ours) == f"Team red of {made['organisation']} is closed.\n"
    assert "closed 2" in answer(capsys, "teams", "list")
    assert main(["teams", "update", "blue"]) == 1
    assert "No team is named blue" in capsys.readouterr().err
