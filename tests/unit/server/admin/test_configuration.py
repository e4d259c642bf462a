"""What operations read of the configuration."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anykey.administration.configuration import load_configuration
from anykey.administration.credentials import add_credential
from anykey.administration.home import prepare_home
from anykey.routing.building import build_snapshot
from anykey.server.admin.configuration import provider_in_force, settings_now, settings_without_stored
from anykey.server.admin.refusals import Refusal
from tests.fakes.gateway import lab


def asking(tmp_path: Path, config: str) -> Any:
    """Somebody who asks a gateway with this configuration."""
    file = tmp_path / "anykey.toml"
    file.write_text(config)
    environ = {"ANYKEY_HOME": str(tmp_path / "home"), "LAB_KEY": "sk-lab"}
    return SimpleNamespace(premises=SimpleNamespace(load=lambda: load_configuration(environ, file)))


def test_a_configuration_that_cannot_be_read_is_a_conflict(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="nonsense") as refused:
        settings_now(asking(tmp_path, "nonsense = 1"))
    assert (refused.value.status, refused.value.code) == (409, "settings.wrong")


def test_what_is_stored_can_be_left_out(tmp_path: Path) -> None:
    who = asking(tmp_path, lab("openai_chat", "http://127.0.0.1:9"))
    home = prepare_home(tmp_path / "home")
    add_credential(home, settings_now(who), "lab", "sk-stored-credential", label="second")
    (whole,), (part,) = settings_now(who).providers, settings_without_stored(who).providers
    assert [one.id for one in whole.all_credentials()] == ["lab#default", "lab#second"]
    assert [one.id for one in part.all_credentials()] == ["lab#default"]


def test_a_provider_is_found_by_its_name(tmp_path: Path) -> None:
    who = asking(tmp_path, lab("openai_chat", "http://127.0.0.1:9"))
    who.premises.gateway = SimpleNamespace(snapshot=build_snapshot(settings_now(who)))
    assert provider_in_force(who, "lab").name == "lab"
    with pytest.raises(Refusal, match="nobody"):
        provider_in_force(who, "nobody")
