"""What a caller is told whom nothing here can answer."""

from anykey.routing.ask import Grant
from anykey.routing.configured import ModelSettings
from anykey.routing.planned import LeftOut
from anykey.routing.refusals import nowhere, unknown
from tests.unit.routing.configuring import grouped

KNOWN = grouped(models=(ModelSettings("house", ("lab/x",)), ModelSettings("secret-house", ("lab/y",))))


def test_an_unknown_name_is_told_what_it_may_ask_for_and_nothing_else() -> None:
    told = unknown(KNOWN, "huose", Grant(caps=(("house",),), cap_sources=("the key",))).message
    assert "Did you mean 'house'?" in told
    assert "Models: house." in told
    assert "secret" not in told


def test_an_unknown_provider() -> None:
    refusal = unknown(KNOWN, "@lap/x", Grant())
    assert refusal.code == "provider_not_found"
    assert "Did you mean '@lab/...'?" in refusal.message


def test_every_reason_is_told_once() -> None:
    out = [LeftOut("lab/x", "it rests", "model_not_allowed")] * 3 + [LeftOut("b", "b is gone")]
    refusal = nowhere(out)
    assert (refusal.code, refusal.message) == ("model_not_allowed", "lab/x: it rests; b is gone.")
    assert nowhere([]).code == "no_endpoint"
