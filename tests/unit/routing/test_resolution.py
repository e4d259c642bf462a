"""What a name means, and in which order that is asked."""

import pytest

from anykey.routing.building import build_snapshot
from anykey.routing.configured import GroupSettings, ModelSettings, RouteSettings, RoutingSettings
from anykey.routing.resolution import is_path, understand
from anykey.routing.snapshot import Group
from anykey.routing.tree import Fallback, Target
from tests.unit.routing.configuring import Given, grouped, ids, of_group, planned, provider

ROUTES = {"fast": RouteSettings(("lab/f",)), "claude-*": RouteSettings(("byteplus/seed-*",))}
KNOWN = grouped(
    GroupSettings("routed", routes=ROUTES),
    GroupSettings("ordered", providers=("byteplus", "lab")),
    models=(
        ModelSettings("house", ("lab/x", "byteplus/y"), aliases=("home",)),
        ModelSettings("claude-*", ("anthropic/claude-*",)),
        ModelSettings("claude-opus-*", ("lab/opus-*",)),
        ModelSettings("spread", ("lab/x", "byteplus/y"), strategy="weighted"),
    ),
)


@pytest.mark.parametrize(
    ("group", "name", "rule", "first"),
    [
        ("default", "house", "public_name", "lab/x"),
        ("default", "home", "alias", "lab/x"),
        ("default", "claude-opus-5", "public_wildcard", "lab/opus-5"),
        ("default", "claude-haiku", "public_wildcard", "anthropic/claude-haiku"),
        ("routed", "fast", "group_route", "lab/f"),
        ("routed", "claude-opus-5", "group_route", "byteplus/seed-opus-5"),
        ("ordered", "house", "public_name", "byteplus/y"),
        ("default", "lab/claude-*", "provider_path", "lab/claude-*"),
    ],
)
def test_the_order_of_the_rules(group: str, name: str, rule: str, first: str) -> None:
    made = planned(KNOWN, name, grant=of_group(group))
    assert (made.resolved_by, made.first.deployment.id) == (rule, first)


def test_an_alias_is_served_as_its_model() -> None:
    assert planned(KNOWN, "home").model == "house"
    assert planned(KNOWN, "home").model_asked == "home"


def test_a_groups_order_leaves_shared_deployments_alone() -> None:
    meaning = understand(KNOWN, "spread", KNOWN.groups["ordered"])
    assert meaning is not None
    assert meaning.node is KNOWN.public["spread"].node


def test_a_name_with_a_star_is_none_to_ask_for() -> None:
    assert understand(grouped(models=(ModelSettings("a-*", ("lab/a-*",)),)), "a-*", Group("g")) is not None
    assert planned(KNOWN, "claude-**").resolved_by == "public_wildcard"


def test_all_providers_of_a_vendors_name_follow_one_another() -> None:
    known = build_snapshot(Given((provider("anthropic", "a"), provider("anthropic", "b"), provider("openai"))))
    assert ids(planned(known, "claude-opus-5")) == ["a/claude-opus-5", "b/claude-opus-5"]
    group = Group("g", providers=("b", "a"))
    meaning = understand(known, "claude-opus-5", group)
    assert meaning is not None
    assert meaning.node == Fallback((Target("b", "claude-opus-5"), Target("a", "claude-opus-5")))


def test_lanes_are_not_mixed() -> None:
    models = ("seed-x",)
    known = build_snapshot(
        Given((provider("byteplus_coding", models=models), provider("byteplus", models=models)), (), RoutingSettings())
    )
    assert ids(planned(known, "seed-x")) == ["byteplus_coding/seed-x"]


def test_paths() -> None:
    assert is_path(KNOWN, "lab/x")
    assert is_path(KNOWN, "@lab/x")
    assert not is_path(KNOWN, "lab/")
    assert not is_path(KNOWN, "house")
