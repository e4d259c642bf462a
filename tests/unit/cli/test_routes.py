"""`anykey routes explain`: the plan of a call, without sending it."""

import json
from pathlib import Path
from typing import Any

import pytest

from anykey.cli.main import main

CONFIG = """\
[server]
environment_providers = false
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
[models.house]
deployments = ["lab/x", "lab/y"]
[groups.tiered]
scenarios = { longContext = "lab/large" }
[groups.marked]
config = "by-team"
[configs.by-team]
strategy = { mode = "conditional", default = "rest", conditions = [{ when = "metadata.team == 'red'", then = "red" }] }
targets = [{ name = "red", provider = "lab", model = "red" }, { name = "rest", provider = "lab", model = "rest" }]
"""


@pytest.fixture(autouse=True)
def config(home: Path) -> None:
    home.mkdir()
    (home / "anykey.toml").write_text(CONFIG)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["routes", "explain", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def key(name: str, *arguments: str) -> str:
    assert main(["keys", "create", "--name", name, *arguments]) == 0
    return name


def test_a_plan_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", "explain", "--model", "house", "--protocol", "chat"]) == 0
    assert capsys.readouterr().out == (
        "house → house: a public model\n"
        "Group: default\n"
        "Asked in this order:\n"
        "  1. lab/x  [openai_chat, verbatim, global]  first by priority\n"
        "  2. lab/y  [openai_chat, verbatim, global]  fallback 2 of 2\n"
    )


def test_a_body_of_300_000_tokens_is_long_context(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    said = [{"role": "user", "content": "word and " * 150_000}]
    body.write_text(json.dumps({"model": "house", "max_tokens": 9, "messages": said}))
    told = explained(capsys, "--body", str(body), "--key", key("k", "--group", "tiered"))
    assert (told["scenario"], told["steps"][0]["deployment"]) == ("longContext", "lab/large")
    assert "tokens estimated, more than 60,000" in told["reasons"][0]


def test_headers_and_the_keys_own_metadata_are_heeded(capsys: pytest.CaptureFixture[str]) -> None:
    known = key("k", "--group", "marked", "--metadata", "team=red")
    red = explained(capsys, "--model", "m", "--key", known)
    assert (red["steps"][0]["deployment"], red["config"]) == ("lab/red", "by-team")
    other = explained(capsys, "--model", "m", "--key", known, "--header", 'X-AnyKey-Metadata: {"team": "blue"}')
    assert other["steps"][0]["deployment"] == "lab/rest"
    named = explained(capsys, "--model", "m", "--header", "x-anykey-provider: lab", "--protocol", "gemini")
    assert named["steps"][0]["carriage"] == "translated"


def test_a_call_that_would_be_refused(capsys: pytest.CaptureFixture[str]) -> None:
    known = key("k", "--allow", "claude-*")
    capsys.readouterr()
    assert main(["routes", "explain", "--model", "house", "--key", known]) == 1
    assert "The key does not allow the model 'house'." in capsys.readouterr().err
    assert main(["routes", "explain", "--model", "m", "--header", "x-anykey-config: nowhere"]) == 1
    assert "there is no gateway config 'nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--model", "house", "--header", "nothing"], ["--model", "m", "--roll", "1"]]
)
def test_what_is_asked_wrongly(arguments: list[str]) -> None:
    assert main(["routes", "explain", *arguments]) == 2


def test_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "zh-CN")
    assert main(["routes", "explain", "--model", "house"]) == 0
    assert "按此顺序请求" in capsys.readouterr().out
