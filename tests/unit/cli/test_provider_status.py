"""`anykey providers status` and `enable`."""

import json
import time
from pathlib import Path

import pytest

from anykey.administration.home import prepare_home
from anykey.cli.main import main
from anykey.providers.configured import StoredCredential
from anykey.providers.secret import Secret
from anykey.routing.pool import mark_of
from anykey.storage.health import HealthRow, HealthShare
from anykey.storage.shared_health import HealthPlaces
from anykey.storage.sqlite_database import SqliteDatabase
from tests.services.valkey import ValkeyServer


@pytest.fixture
def disabled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-7")
    share = HealthShare(prepare_home(home).database)
    share.put(row())
    share.close()


def row() -> HealthRow:
    now_ms = int(time.time() * 1000)
    return HealthRow(
        deployment="",
        credential=mark_of(StoredCredential("openai#default", Secret("sk-secret-7")), "openai"),
        state="disabled",
        until_ms=now_ms + 3_600_000,
        reason="upstream_refused_credential: it was refused",
        changed_ms=now_ms,
    )


@pytest.mark.usefixtures("disabled")
def test_status_and_enable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "status"]) == 0
    said = capsys.readouterr().out
    assert "DISABLED" in said
    assert "it was refused" in said
    assert "sk-secret-7" not in said
    assert main(["providers", "enable", "openai#default"]) == 0
    assert "openai#default" in capsys.readouterr().out
    assert main(["providers", "status", "--json"]) == 0
    assert {view["state"] for view in json.loads(capsys.readouterr().out)} == {"well"}


def test_what_only_valkey_knows_is_told_and_enabled(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], valkey: ValkeyServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-7")
    monkeypatch.setenv("ANYKEY_VALKEY_URL", valkey.url)
    made = prepare_home(home)
    share = HealthPlaces(SqliteDatabase(home / "nowhere.db"), Secret(valkey.url), made.pepper).share()
    share.put(row())
    share.close()
    assert main(["providers", "status"]) == 0
    assert "DISABLED" in capsys.readouterr().out
    assert main(["providers", "enable", "openai"]) == 0
    assert "openai#default" in capsys.readouterr().out
    assert main(["providers", "status"]) == 0
    assert "DISABLED" not in capsys.readouterr().out


def test_there_is_nothing_to_enable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "enable", "openai"]) == 1
    assert "openai" in capsys.readouterr().err
