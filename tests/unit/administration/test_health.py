"""How providers are doing, from the rows that gateways share."""

import time
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.health import enable, provider_health
from anykey.administration.home import Home, prepare_home
from anykey.providers.configured import StoredCredential
from anykey.providers.secret import Secret
from anykey.routing.pool import mark_of
from anykey.storage.health import HealthRow, HealthShare, HealthState, read_health
from tests.unit.routing.configuring import provider

A, B = StoredCredential("openai#a", Secret("sa")), StoredCredential("openai#b", Secret("sb"))
PROVIDERS = (provider("openai", credentials=(A, B)), provider("ollama", credential=None))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path / "home")


def put(home: Home, *rows: tuple[str, str, HealthState, int]) -> None:
    """(deployment, credential, state, seconds from now)."""
    share = HealthShare(home.database)
    now_ms = int(time.time() * 1000)
    for deployment, credential, state, ends_s in rows:
        share.put(
            HealthRow(
                deployment=deployment,
                credential=credential,
                state=state,
                until_ms=now_ms + ends_s * 1000,
                reason="rate_limited: slow: down",
                changed_ms=now_ms,
            )
        )
    share.close()


def test_every_credential_has_a_line(home: Home) -> None:
    assert [(view.provider, view.credential, view.state) for view in provider_health(home, PROVIDERS)] == [
        ("openai", "openai#a", "well"),
        ("openai", "openai#b", "well"),
        ("ollama", None, "well"),
    ]


def test_what_is_not_well_says_since_when_until_when_and_why(home: Home) -> None:
    mark = mark_of(B, "openai")
    put(home, ("", mark, "resting", 60), ("openai/gpt-x", mark, "open", 60), ("openai/gpt-y", mark, "barred", -1))
    found = provider_health(home, PROVIDERS)
    assert {(view.credential, view.deployment, view.state) for view in found} == {
        ("openai#a", None, "well"),
        ("openai#b", None, "resting"),
        ("openai#b", "openai/gpt-x", "open"),
        ("openai#b", "openai/gpt-y", "half_open"),
        (None, None, "well"),
    }
    resting = found[1]
    assert (resting.failure, resting.reason) == ("rate_limited", "slow: down")
    assert resting.since_ms is not None
    assert resting.until_ms is not None
    assert resting.until_ms - resting.since_ms == 60_000


def test_a_rest_that_is_over_and_another_secrets_trouble_are_not_shown(home: Home) -> None:
    old = mark_of(StoredCredential("openai#b", Secret("the old one")), "openai")
    put(home, ("", mark_of(A, "openai"), "resting", -5), ("", old, "disabled", 60))
    assert {view.state for view in provider_health(home, PROVIDERS)} == {"well"}


@pytest.mark.parametrize(("name", "left"), [("openai", 0), ("openai#a", 1), ("openai/gpt-x", 2)])
def test_enabling_takes_away_what_is_meant(home: Home, name: str, left: int) -> None:
    a, b = mark_of(A, "openai"), mark_of(B, "openai")
    put(home, ("", a, "disabled", 60), ("openai/gpt-x", a, "open", 60), ("", b, "resting", 60))
    enabled = enable(home, name)
    assert (len(enabled), len(read_health(home.database))) == (3 - left, left)
    with pytest.raises(AdministrationError):
        enable(home, "openia")
