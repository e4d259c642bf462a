"""The fixed part of every call to a deployment."""

from typing import Any, cast

from anykey.exchange.gateway import Gateway
from anykey.providers.secret import Secret
from anykey.routing.ask import Ask
from anykey.routing.plan import Plan, PlanStep, plan
from tests.unit.routing.configuring import provider, snapshot


def gateway() -> Gateway:
    """A gateway to two providers; what a way out does not need is left out."""
    nothing = cast("Any", None)
    known = snapshot(provider("openai"), provider("anthropic", headers=(("User-Agent", "mine/1"),)))
    return Gateway(known, nothing, b"the pepper", nothing, nothing, 15.0)


def step(of: Gateway, model: str) -> PlanStep:
    route = plan(of.snapshot, Ask(model=model, protocol="openai_chat"))
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


def test_an_adopted_snapshot_holds_for_what_comes_after_it_and_not_for_what_is_under_way() -> None:
    here = gateway()
    before = step(here, "openai/gpt-x")
    here.way_out(before)
    here.adopt(snapshot(provider("openai", credential=Secret("k-2"))))
    after = step(here, "openai/gpt-x")
    for _ in range(2):  # whoever comes last, each keeps to its own
        assert dict(here.way_out(before).headers)[b"authorization"] == b"Bearer k-1"
        assert dict(here.way_out(after).headers)[b"authorization"] == b"Bearer k-2"
