"""The settings once read: the demo's address is put in when the demo has started."""

from pathlib import Path

from anykey.settings import load_settings
from tests.unit.settings.reading import read


def test_with_demo_gives_it_address_and_token(tmp_path: Path) -> None:
    settings = load_settings({"ANYKEY_HOME": str(tmp_path)}).with_demo("http://127.0.0.1:5", "token-1")
    (demo,) = settings.providers
    assert {door.base_url for door in demo.endpoints} == {"http://127.0.0.1:5"}
    assert demo.credential is not None
    assert demo.credential.reveal() == "token-1"
    assert "token-1" not in repr(settings)


def test_with_demo_leaves_the_others(tmp_path: Path) -> None:
    settings = read(tmp_path, "[providers.openai]\n", {"OPENAI_API_KEY": "k"})
    assert settings.with_demo("http://127.0.0.1:5", "t") == settings
