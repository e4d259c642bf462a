"""`anykey models`: what can be asked for, pinned, refreshed, probed."""

import json
from pathlib import Path

import pytest

from anykey.cli.main import main


def config(tmp_path: Path) -> str:
    file = tmp_path / "own.toml"
    file.write_text(
        '[providers.lab]\nkind = "custom"\nprotocol = "openai_chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
        'models = ["m1"]\n[models."big"]\ndeployments = ["lab/m1"]\n',
        encoding="utf-8",
    )
    return str(file)


def listed(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines() if line.strip()]


def test_without_a_credential_there_is_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "id": "demo",
        "provider": "demo",
        "owned_by": "demo",
        "protocols": ["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate"],
        "card": None,
    }


def test_public_names_come_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--config", config(tmp_path)]) == 0
    lines = listed(capsys.readouterr().out)
    assert lines[0][:3] == ["Model", "Provider", "Protocols"]
    assert [line[:4] for line in lines[2:]] == [["big", "lab", "Chat", "-"], ["lab/m1", "lab", "Chat", "-"]]


def test_limits_and_prices_are_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BYTEPLUS_API_KEY", "k-0123456789abcdef")
    assert main(["models"]) == 0
    line = next(row for row in listed(capsys.readouterr().out) if row[0] == "byteplus/seed-2-0-pro-260328")
    assert line[1:7] == ["byteplus", "Chat,", "Responses", "256000", "0.50", "3"]
    assert main(["models", "--json"]) == 0
    told = {row["id"]: row for row in json.loads(capsys.readouterr().out)}["byteplus/seed-2-0-pro-260328"]
    assert told["prices"]["cache_read"] == "0.10"
    assert told["prices"]["tiers"] == [{"input": "1", "output": "6", "cache_read": "0.20", "over_tokens": 128_000}]


def test_a_pin_is_effective_until_it_is_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BYTEPLUS_API_KEY", "k-0123456789abcdef")
    main(["models", "--json"])
    before = json.loads(capsys.readouterr().out)
    assert main(["models", "pin", "modelark", "ep-m-1", "ep-m-2"]) == 0
    assert "modelark: 2." in capsys.readouterr().out
    main(["models", "--json"])
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == ["byteplus/ep-m-1", "byteplus/ep-m-2"]
    assert main(["models", "unpin", "byteplus", "ep-m-1", "ep-m-2"]) == 0
    capsys.readouterr()
    main(["models", "--json"])
    assert json.loads(capsys.readouterr().out) == before


def test_who_is_not_configured_cannot_be_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pin", "openai", "m"]) == 1
    assert "Configured: demo" in capsys.readouterr().err


def test_refresh_without_a_list_to_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "refresh"]) == 1
    assert "list of models" in capsys.readouterr().err


def test_refresh_says_why_a_list_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "refresh", "lab", "--config", config(tmp_path)]) == 1
    assert "Connection refused" in capsys.readouterr().out
    assert main(["models", "refresh", "lab", "--json", "--config", config(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)[0]["provider"] == "lab"


def test_a_probe_says_that_it_costs_and_what_it_came_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "probe", "lab/m1", "--config", config(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "charges for it" in said.err
    assert "Connection refused" in said.out
