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


@pytest.fixture
def disabled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-7")
    share = HealthShare(prepare_home(home).database)
    now_ms = int(time.time() * 1000)
    share.put(
        HealthRow(
            deployment="",
            credential=mark_of(StoredCredential("openai#default", Secret("sk-secret-7")), "openai"),
            state="disabled",
            until_ms=now_ms + 3_600_000,
            reason="upstream_refused_credential: it was refused",
            changed_ms=now_ms,
        )
    )
    share.close()


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


def test_there_is_nothing_to_enable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "enable", "openai"]) == 1
    assert "openai" in capsys.readouterr().err
