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
    assert json.loads(text) == [{**{name: created[name] for name in created if name != "key"}, "last_used_at": None}]
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


def test_a_key_is_created_shown_and_changed_with_where_it_may_go(capsys: pytest.CaptureFixture[str]) -> None:
    said = ("--group", "small", "--team", "red", "--allow", "claude-*", "--allow", "gpt-*", "--config", "c", "--admin")
    created = json.loads(answer(capsys, "keys", "create", "--name", "ci", *said, "--metadata", "a=b=c", "--json"))
    assert (created["group"], created["team"], created["allowed_models"]) == ("small", "red", ["claude-*", "gpt-*"])
    assert (created["config"], created["metadata"], created["admin"]) == ("c", {"a": "b=c"}, True)
    listed = answer(capsys, "keys", "list")
    assert "claude-*, gpt-*" in listed
    assert "active, admin" in listed
    assert "is changed" in answer(capsys, "keys", "update", "ci", "--allow", "", "--metadata", "", "--no-admin")
    changed = json.loads(answer(capsys, "keys", "update", "ci", "--team", "blue", "--json"))
    assert (changed["group"], changed["team"], changed["allowed_models"]) == ("small", "blue", None)
    assert (changed["metadata"], changed["admin"]) == (None, False)


def test_metadata_is_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "--name", "ci", "--metadata", "nothing"]) == 2
    assert "nothing is not NAME=VALUE" in capsys.readouterr().err


def test_a_key_for_a_client_program_has_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(answer(capsys, "keys", "create", "--client", "claude-code", "--metadata", "a=b", "--json"))
    assert (made["name"], made["metadata"]) == ("claude-code", {"a": "b", "client": "claude-code"})
    made = json.loads(answer(capsys, "keys", "create", "--client", "codex", "--name", "mine", "--json"))
    assert (made["name"], made["metadata"]) == ("mine", {"client": "codex"})
    assert main(["keys", "create"]) == 2
    assert "--name or --client" in capsys.readouterr().err


def test_a_rotated_key_is_shown_once_and_says_how_long_the_old_one_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    first = answer(capsys, "keys", "create", "--name", "ci").strip()
    assert main(["keys", "rotate", "ci", "--overlap", "1h"]) == 0
    out, err = capsys.readouterr()
    assert out.strip() != first
    assert out[:14] == first[:14]
    assert "the old one is good until 2" in err
    rotated = json.loads(answer(capsys, "keys", "rotate", "ci", "--overlap", "0", "--json"))
    assert rotated["previous_until"] is None
    assert main(["keys", "rotate", "ci", "--overlap", "soon"]) == 2
    assert "--overlap" in capsys.readouterr().err


def test_an_expired_key_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "keys", "create", "--name", "ci", "--expires", "2020-01-01", "--budget", "1d=2")
    listed = answer(capsys, "keys", "list")
    assert "expired" in listed
    assert "1d $2.00" in listed
