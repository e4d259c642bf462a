"""`anykey providers`: who is configured, without a credential in sight."""

import json

import pytest

from anykey.cli.main import main

SECRET = "sk-proj-a1b2c3d4e5f6g7h8"


def test_a_provider_of_the_environment_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert main(["providers", "--json"]) == 0
    out = capsys.readouterr().out
    (found,) = json.loads(out)
    assert (found["name"], found["kind"], found["origin"], found["credential"]) == (
        "openai",
        "openai",
        "OPENAI_API_KEY",
        True,
    )
    assert {"protocol": "openai_chat", "base_url": "https://api.openai.com/v1"}.items() <= found["endpoints"][0].items()
    assert SECRET not in out


def test_the_table_has_a_line_for_each_door(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert main(["providers"]) == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert lines[2] == ["openai", "OpenAI", "OPENAI_API_KEY", "set", "openai_chat", "https://api.openai.com/v1"]
    assert SECRET not in out


def test_the_demo_has_no_address_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers"]) == 0
    assert "inside the gateway" in capsys.readouterr().out
