"""`anykey keys` from creation to revocation."""

import json

import pytest

from anykey.accounts.keys import parse
from anykey.cli.main import main


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_create_prints_the_key_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "--name", "laptop"]) == 0
    out, err = capsys.readouterr()
    parsed = parse(out.strip())
    assert parsed is not None
    assert err == f"Key laptop ({parsed.id}). This is the only time it is shown:\n"


def test_json_has_the_key_once_and_never_again(capsys: pytest.CaptureFixture[str]) -> None:
    created = json.loads(answer(capsys, "keys", "create", "--name", "ci", "--json"))
    parsed = parse(created["key"])
    assert parsed is not None
    assert (created["id"], created["name"]) == (parsed.id, "ci")
    text = answer(capsys, "keys", "list", "--json")
    assert json.loads(text) == [{name: created[name] for name in created if name != "key"}]
    assert created["key"] not in text


def test_list_shows_what_is_in_force_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert "There are no keys yet" in answer(capsys, "keys", "list")
    key = answer(capsys, "keys", "create", "--name", "ci").strip()
    listed = answer(capsys, "keys", "list")
    assert "active" in listed
    assert key not in listed
    assert answer(capsys, "keys", "revoke", "ci") == f"Key ci ({key[3:13]}) is revoked.\n"
    assert "revoked 2" in answer(capsys, "keys", "list")


def test_revoke_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "keys", "create", "--name", "ci")
    revoked = json.loads(answer(capsys, "keys", "revoke", "ci", "--json"))
    assert revoked["revoked_at"] >= revoked["created_at"]


def test_a_strict_key_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    created = json.loads(answer(capsys, "keys", "create", "--name", "careful", "--strict", "--json"))
    assert created["strict"]
    assert "active, strict" in answer(capsys, "keys", "list")
