"""`anykey providers`: who is configured, without a credential in sight."""

import json
import re
from pathlib import Path

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


def _table(out: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    return [re.split(r"\s{2,}", line.strip()) for line in out.splitlines() if line.strip()][2:]


def test_the_list_is_the_whole_catalogue(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert main(["providers", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) >= 120
    assert [row["kind"] for row in rows if row["configured"]] == ["openai"]
    assert main(["providers", "list"]) == 0
    out = capsys.readouterr().out
    assert f"{len(rows)} kinds, 1 configured." in out
    assert all(f" {row['kind']} " in out for row in rows)
    assert SECRET not in out


def test_the_list_of_the_configured_ones(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert main(["providers"]) == 0
    bare = capsys.readouterr().out
    assert main(["providers", "list", "--configured"]) == 0
    assert capsys.readouterr().out == bare
    assert "openai_chat" in bare


def test_show_prints_each_field_of_byteplus_coding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "show", "byteplus_coding"]) == 0
    base = "https://ark.ap-southeast.bytepluses.com/api/coding/v3"
    wanted = {
        "Built-in kind": "byteplus_coding",
        "Provider group": "Coding-Specialized Providers",
        "Protocol family": "openai_chat_completions",
        "Feature family": "volcengine",
        "Auth scheme": "bearer",
        "Credential envs": "BYTEPLUS_API_KEY, ARK_API_KEY",
        "Aliases": "byteplus_coding_compatible",
        "Default base URL": base,
        "Request endpoint": f"{base}/chat/completions",
        "Models endpoint": f"{base}/models",
        "Auth optional": "no",
        "Model probe auth optional": "no",
        "Default API key env": "BYTEPLUS_API_KEY",
        "OAuth env": "none",
        "Primary request route": f"{base}/chat/completions",
        "Primary model-catalog route": f"{base}/models",
    }
    shown = {row[0]: row[1] for row in _table(capsys.readouterr().out) if len(row) == 2}
    assert {field: shown.get(field) for field in wanted} == wanted


@pytest.mark.parametrize("kind", ["bedrock", "openai", "kimi_coding", "demo"])
def test_show_prints_what_only_some_kinds_have(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "show", kind]) == 0
    fields = {row[0] for row in _table(capsys.readouterr().out)}
    assert ("Variable (environment, default)" in fields) is (kind == "bedrock")
    assert ("Default model" in fields) is (kind == "kimi_coding")
    assert ("Documentation" in fields) is (kind != "demo")


def test_show_speaks_chinese(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "zh-CN")
    assert main(["providers", "show", "byteplus_coding"]) == 0
    assert "编程专用套餐" in capsys.readouterr().out


def test_show_knows_no_such_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "show", "opnai"]) == 1
    assert "Did you mean openai?" in capsys.readouterr().err


def test_check_is_content(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BYTEPLUS_API_KEY", SECRET)
    assert main(["providers", "check"]) == 0
    out = capsys.readouterr().out
    assert "https://ark.ap-southeast.bytepluses.com/api/v3/chat/completions" in out
    assert "general · ap-southeast-1" in out
    assert SECRET not in out


def test_check_refuses_a_coding_key_on_the_general_lane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "anykey.toml"
    file.write_text(
        '[providers.byteplus_coding]\nbase_url = "https://ark.ap-southeast.bytepluses.com/api/v3"\n', "utf-8"
    )
    monkeypatch.setenv("BYTEPLUS_API_KEY", SECRET)
    assert main(["providers", "check", "--config", str(file)]) == 1
    said = capsys.readouterr()
    assert f"{file}:2: providers.byteplus_coding.base_url" in said.err
    assert 'kind = "byteplus"' in said.err
    assert SECRET not in said.out + said.err
    assert main(["providers", "check", "--config", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "settings.wrong_lane"
