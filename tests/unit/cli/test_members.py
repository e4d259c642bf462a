"""`anykey members`, from joining to leaving."""

import json

import pytest

from anykey.cli.main import main


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_member_is_added_shown_changed_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "There are no members yet" in answer(capsys, "members", "list")
    answer(capsys, "teams", "create", "red")
    said = ("--role", "admin", "--team", "red", "--email", "a@b.c", "--budget", "30d=1")
    made = json.loads(answer(capsys, "members", "add", "Ada", *said, "--json"))
    assert (made["role"], made["team"], made["email"]) == ("admin", "red", "a@b.c")
    assert made["budgets"] == {"30d": 10**9}
    listed = answer(capsys, "members", "list")
    assert all(word in listed for word in (made["id"], "Ada", "admin", "red", "30d $1.00", "active"))
    changed = answer(capsys, "members", "update", "Ada", "--name", "Bo", "--role", "viewer", "--budget", "30d=")
    assert changed == f"Member Bo ({made['id']}) is changed and is viewer.\n"
    assert answer(capsys, "members", "remove", "Bo") == f"Member Bo ({made['id']}) is removed.\n"
    assert "removed 2" in answer(capsys, "members", "list")
    assert main(["members", "add", "x", "--role", "operator"]) == 2
    assert "--role" in capsys.readouterr().err
