"""`anykey models`: what can be asked for."""

import json
from pathlib import Path

import pytest

from anykey.cli.main import main


def test_without_a_credential_there_is_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "id": "demo",
        "provider": "demo",
        "owned_by": "demo",
        "protocols": ["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate"],
    }


def test_public_names_come_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[providers.lab]\nkind = "custom"\nprotocol = "openai_chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
        'models = ["m1"]\n[models."big"]\ndeployments = ["lab/m1"]\n',
        encoding="utf-8",
    )
    assert main(["models", "--config", str(file)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == ["Model", "Provider", "Kind", "Protocols"]
    assert lines[2:] == [["big", "lab", "custom", "openai_chat"], ["lab/m1", "lab", "custom", "openai_chat"]]
