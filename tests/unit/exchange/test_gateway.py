"""The fixed part of every call to a deployment."""

from typing import Any, cast

import pytest

from anykey.exchange import gateway as module
from anykey.exchange.gateway import Gateway
from anykey.routing.plan import Plan, PlanStep, plan
from tests.unit.routing.configuring import provider, snapshot


def gateway() -> Gateway:
    """A gateway to two providers; what a way out does not need is left out."""
    nothing = cast("Any", None)
    known = snapshot(provider("openai"), provider("anthropic", headers=(("User-Agent", "mine/1"),)))
    return Gateway(known, nothing, b"the pepper", nothing, nothing, 15.0)


def step(of: Gateway, model: str) -> PlanStep:
    route = plan(of.snapshot, model, "openai_chat")
    assert isinstance(route, Plan)
    return route.steps[0]


def test_the_way_out_has_credential_and_headers_once() -> None:
    here = gateway()
    openai = dict(here.way_out(step(here, "openai/gpt-x")).headers)
    assert openai[b"authorization"] == b"Bearer k-1"
    assert openai[b"content-type"] == b"application/json"
    assert openai[b"user-agent"].startswith(b"anykey/")
    anthropic = here.way_out(step(here, "anthropic/claude-x"))
    assert [value for name, value in anthropic.headers if name == b"user-agent"] == [b"mine/1"]
    assert dict(anthropic.headers)[b"x-api-key"] == b"k-1"
    assert anthropic.name == b"anthropic/claude-x"
    assert anthropic.timeouts.connect_s == 5.0


def test_it_is_made_once_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAYS_KEPT", 3)
    here = gateway()
    first = here.way_out(step(here, "openai/m0"))
    assert here.way_out(step(here, "openai/m0")) is first
    for number in range(10):
        here.way_out(step(here, f"openai/m{number}"))
        assert len(here._ways) <= 3  # pyright: ignore[reportPrivateUsage] - the bound is not seen from outside


def test_no_secret_is_in_a_repr() -> None:
    here = gateway()
    way = here.way_out(step(here, "openai/gpt-x"))
    assert "k-1" not in repr(way)
    assert "the pepper" not in repr(here)


def test_a_name_that_is_no_ascii_can_still_be_a_header() -> None:
    here = gateway()
    assert here.way_out(step(here, "openai/模型")).name == b"openai/??"


def test_gateways_with_one_pepper_read_each_others_envelopes() -> None:
    assert gateway().carry.secret == gateway().carry.secret
    assert b"the pepper" not in gateway().carry.secret
    assert gateway().carry.strip == ""
    assert "secret" not in repr(gateway())
