"""`anykey credentials`: values come in by any way but the command line, and go out by none."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from anykey.cli.main import main

TEXT = "sk-canary-0123456789"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(["credentials", *arguments])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert TEXT not in out + err
    return out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["credentials", *arguments])
    out, err = capsys.readouterr()
    assert out == ""
    return code, err


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT + "\n"))


def test_from_standard_input_to_the_list_and_away(typed: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No credential is stored" in answer(capsys, "list")
    added = answer(capsys, "add", "openai", "--label", "team", "--weight", "3")
    assert added == "Credential openai#team is stored, for https://api.openai.com only.\n"
    listed = answer(capsys, "list")
    assert all(word in listed for word in ("openai", "team", "3", "https", "api.openai.com", "…6789"))
    assert answer(capsys, "weight", "openai#team", "5") == "Credential openai#team has the weight 5.\n"
    (row,) = json.loads(answer(capsys, "list", "--json"))
    assert row.pop("created_at") > 0
    assert row == {
        "provider": "openai",
        "label": "team",
        "weight": 5,
        "scheme": "https",
        "host": "api.openai.com",
        "port": 443,
        "last4": "6789",
    }
    assert answer(capsys, "remove", "openai") == "Credential openai#team is removed.\n"
    assert answer(capsys, "list", "--json") == "[]\n"


def test_from_a_variable_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINE", TEXT)
    answer(capsys, "add", "openai", "--from-env", "MINE")
    (tmp_path / "key").write_text(TEXT + "\n")
    answer(capsys, "add", "openai", "--from-file", str(tmp_path / "key"))
    assert [row["last4"] for row in json.loads(answer(capsys, "list", "--json"))] == ["6789", "6789"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "openai", TEXT),
        ("add", "openai", "--from-env", TEXT),
        ("add", "openai", f"--api-key={TEXT}"),
        ("add", "openai", "--from-env", "A", "--from-file", "b"),
        ("add",),
        ("add", "openai", "--weight", "0"),
    ],
)
def test_what_is_asked_wrongly_is_refused_and_not_repeated(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refusal(capsys, *arguments)
    assert code == 2
    assert len(said.splitlines()) == 1
    assert TEXT not in said


def test_at_a_terminal_it_is_asked_for_and_not_shown(home: Path) -> None:
    ours, theirs = pty.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-m", "anykey", "credentials", "add", "openai"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "ANYKEY_HOME": str(home)},
    )
    os.close(theirs)
    said = b""
    while b"Credential for openai" not in said:
        said += os.read(ours, 1024)
    os.write(ours, f"{TEXT}\n".encode())
    while True:
        try:
            said += os.read(ours, 1024)
        except OSError:  # Linux's way to say that the other end is closed
            break
    assert asking.wait(10) == 0
    os.close(ours)
    assert b"openai#key-1 is stored" in said
    assert TEXT.encode() not in said


def test_one_can_be_added_to_a_provider_that_is_not_whole_yet(
    typed: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / "anykey.toml").write_text("[providers.openai]\n[providers.xai]\n")
    answer(capsys, "add", "openai")
    assert main(["models"]) == 2
    assert "providers.xai" in capsys.readouterr().err


def test_check_tells_and_fails_where_one_cannot_be_used(
    typed: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No credential is stored" in answer(capsys, "check")
    answer(capsys, "add", "openai")
    assert "well" in answer(capsys, "check")
    (home / "anykey.toml").write_text('[providers.openai]\nbase_url = "https://proxy.example/v1"\n')
    assert main(["credentials", "check", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert "https://api.openai.com" in row["problem"]


def test_a_wrong_master_key_is_one_clear_line(
    typed: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, "add", "openai")
    monkeypatch.setenv("ANYKEY_MASTER_KEY", "00" * 32)
    for command in (["up", "--port", "0"], ["keys", "list"]):
        assert main(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "another master key than that of ANYKEY_MASTER_KEY" in line


def test_the_master_key_is_rotated(
    typed: None, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, "add", "openai")
    before = (home / "master.key").read_text()
    assert answer(capsys, "rotate-master-key") == "Credentials sealed under the new master key: 1.\n"
    assert (home / "master.key").read_text() != before
    monkeypatch.setenv("NEW", "ab" * 32)
    assert str(home / "master.key") in answer(capsys, "rotate-master-key", "--new-from-env", "NEW")
    assert main(["credentials", "list"]) == 1
    monkeypatch.setenv("ANYKEY_MASTER_KEY", "ab" * 32)
    capsys.readouterr()
    assert "well" in answer(capsys, "check")
