"""Every call that a route takes leads to an answer."""

import pytest

from anykey.exchange.responses.answers import NOWHERE, Target
from anykey.exchange.responses.verbs import VERBS
from anykey.server.journeys import JOURNEYS, STATEFUL, target_of
from anykey.server.paths import CANONICAL, Operation, resolve

KEPT = [f"/v1/responses/r{rest}" for rest in ("", "/cancel", "/input_items")]
SAID = [f"/v1/conversations/c{rest}" for rest in ("", "/items", "/items/i")]
OWN: set[Operation] = {"account", "models", "root", "hello", "livez", "readyz"}


@pytest.mark.parametrize("path", [*CANONICAL, *KEPT, *SAID, "/v1/models/x:generateContent", "/v1/models/x:countTokens"])
def test_every_method_of_a_route_is_answered(path: str) -> None:
    route = resolve(path)
    assert route.operation in OWN or all((route.operation, method) in JOURNEYS for method in route.methods)


def test_every_verb_has_its_route() -> None:
    assert sorted(STATEFUL.values()) == sorted(VERBS)


def test_the_target_is_what_the_url_names() -> None:
    assert target_of(resolve("/v1/responses"), b"") is NOWHERE
    assert target_of(resolve("/v1/responses/resp_1"), b"stream=true") == Target("resp_1", "", b"stream=true")
    assert target_of(resolve("/v1/conversations/c/items/i"), b"") == Target("c", "i", b"")
