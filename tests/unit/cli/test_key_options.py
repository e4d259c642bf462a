"""What may be said of a key on the command line."""

import json

import pytest

from anykey.cli.main import main

EVERYTHING = (
    *("--owner", "Ada", "--group", "g", "--team", "t", "--allow", "a*", "--config", "c", "--metadata", "x=1"),
    *("--budget", "5h=2", "--rpm", "1", "--tpm", "2", "--concurrency", "3", "--expires", "2099-01-01T00:00:00+00:00"),
    *("--allow-ip", "192.0.2.0/24", "--deny-ip", "192.0.2.1", "--logging", "full", "--logging-days", "30"),
    "--no-admin",
)
NOTHING = (
    *("--owner", "", "--group", "", "--team", "", "--allow", "", "--config", "", "--metadata", "", "--budget", "5h="),
    *("--rpm", "0", "--tpm", "0", "--concurrency", "0", "--expires", "never", "--allow-ip", "", "--deny-ip", ""),
    *("--logging-days", "0"),
)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_option_is_taken_and_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    member = answer(capsys, "members", "add", "Ada")["id"]
    made = answer(capsys, "keys", "create", "--name", "ci", *EVERYTHING)
    said = {
        "owner": member,
        "group": "g",
        "team": "t",
        "allowed_models": ["a*"],
        "config": "c",
        "metadata": {"x": "1"},
        "budgets": {"5h": 2_000_000_000},
        "requests_per_minute": 1,
        "tokens_per_minute": 2,
        "concurrency": 3,
        "expires_at": 4_070_908_800,
        "ip_allow": ["192.0.2.0/24"],
        "ip_deny": ["192.0.2.1/32"],
        "logging": "full",
        "logging_days": 30,
        "admin": False,
    }
    assert {name: made[name] for name in said} == said
    changed = answer(capsys, "keys", "update", "ci", *NOTHING)
    assert not any(changed[name] for name in said if name != "logging")


def test_what_is_asked_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (("--metadata", "x"), ("--budget", "x"), ("--expires", "x"), ("--rpm", "-1"), ("--logging", "all")):
        assert main(["keys", "create", "--name", "ci", *wrong]) == 2
        assert wrong[0] in capsys.readouterr().err
    assert main(["keys", "create", "--name", "ci", "--allow-ip", "x"]) == 1
    assert "x is not a network" in capsys.readouterr().err
