"""Where a call would go, by what is stored."""

import time
from pathlib import Path

import pytest

from anykey.administration.home import Home, prepare_home
from anykey.administration.routes import StoredHealth, explain_call, stored_snapshot, told
from anykey.exchange.explaining import NOBODY
from anykey.routing.ask import Ask, Facts
from anykey.routing.explain import Explanation
from anykey.routing.groups import standing_of
from anykey.routing.plan import Unroutable
from anykey.routing.pool import mark_of
from anykey.routing.snapshot import Snapshot
from anykey.settings import load_settings
from anykey.storage.configs import put_config
from anykey.storage.health import HealthRow

CONFIG = """\
[server]
environment_providers = false
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
[providers.far]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:8/v1"
[models.house]
deployments = ["lab/x", "far/y"]
larger = ["far/large"]
[groups.default]
scenarios = { longContext = "far/large" }
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "anykey.toml").write_text(CONFIG)
    return prepare_home(tmp_path)


@pytest.fixture
def known(home: Home) -> Snapshot:
    return stored_snapshot(home, load_settings({"ANYKEY_HOME": str(home.path)}))


def ask(known: Snapshot, model: str, **facts: object) -> Ask:
    def said() -> Facts:
        return Facts(model=model, protocol="openai_chat", **facts)  # type: ignore[arg-type]

    return Ask(model=model, protocol="openai_chat", grant=standing_of(NOBODY, known).grant, facts=said)


def explained(home: Home, known: Snapshot, asked: Ask) -> Explanation:
    found = explain_call(home, known, asked)
    assert isinstance(found, Explanation), found
    return found


def test_a_plan_is_told_line_by_line(home: Home, known: Snapshot) -> None:
    lines = told(explained(home, known, ask(known, "house")))
    assert lines[0] == "house → house: a public model"
    assert "  1. lab/x  [openai_chat, verbatim, global]  first by priority" in lines
    assert lines[-2:] == [
        "If the call is too long:",
        "  1. far/large  [openai_chat, verbatim, global]  its window is larger",
    ]


def test_a_long_call_says_which_scenario_it_is_and_why(home: Home, known: Snapshot) -> None:
    lines = told(explained(home, known, ask(known, "house", tokens=300_123)))
    assert "Scenario: longContext" in lines
    assert "  - scenario longContext: 300,123 tokens estimated, more than 60,000" in lines
    assert "  1. far/large  [openai_chat, verbatim, global]  the only one" in lines


def test_why_there_is_no_plan(home: Home, known: Snapshot) -> None:
    found = explain_call(home, known, ask(known, "nothing-of-the-kind"))
    assert isinstance(found, Unroutable)
    assert found.code == "model_not_found"


def test_stored_configs_are_known(home: Home) -> None:
    put_config(home.database, "c", '{"provider": "lab", "override_params": {"model": "z"}}', 1)
    known = stored_snapshot(home, load_settings({"ANYKEY_HOME": str(home.path)}))
    assert set(known.configs) == {"c", "c@1"}


def row(deployment: str, **said: object) -> HealthRow:
    mark = mark_of(None, deployment.partition("/")[0] or "lab")
    base = {
        "deployment": deployment,
        "credential": mark,
        "state": "open",
        "until_ms": None,
        "reason": "why",
        "changed_ms": 0,
    }
    return HealthRow(**(base | said))  # type: ignore[arg-type]


def test_who_rests_by_what_the_gateways_told(known: Snapshot) -> None:
    now = int(time.time() * 1000)
    health = StoredHealth([row("lab/x"), row("far/y", until_ms=now - 1)], known, now)
    assert not health.all_well
    assert (health.resting("lab/x"), health.resting("far/y"), health.resting("lab/z")) == ("why", None, None)
    rested = StoredHealth([row("", state="resting", until_ms=now + 9999)], known, now)
    assert (rested.resting("lab/z"), rested.resting("far/y")) == ("why", None)
    assert StoredHealth([row("lab/x", state="slowed")], known, now).all_well
    assert (health.busy("lab/x"), health.latency_ms("lab/x")) == (0, 0.0)
