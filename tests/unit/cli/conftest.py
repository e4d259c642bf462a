"""Every command runs in a home of its own, in English, without the credentials of whoever runs the tests."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANYKEY_CONFIG", "ANYKEY_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANYKEY_LANG", "en")
    monkeypatch.setenv("ANYKEY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
