"""From leaves to calls, each once."""

import pytest

from anykey.routing.leaves import Inside, Leaves
from anykey.routing.planned import LeftOut, PlanStep
from anykey.routing.resolution import Meaning
from anykey.routing.snapshot import Group
from anykey.routing.tree import Balance, Fallback, Target
from tests.unit.routing.configuring import provider, snapshot

KNOWN = snapshot(provider("custom", "lab"), provider("anthropic"), provider("deepseek"), house=("lab/x", "anthropic/y"))
GROUP = Group("default")


def leaves(name: str = "m", star: str = "", rule: str = "public_name", protocol: str = "openai_chat") -> Leaves:
    return Leaves(KNOWN, Meaning(rule, name, name, Target("lab", name), star), protocol, GROUP)  # type: ignore[arg-type]


def test_a_leaf_is_worked_out_once() -> None:
    made, leaf = leaves(), Target("lab", "a")
    assert made.find(leaf) is made.find(leaf)


def test_a_star_stands_for_what_the_name_matched() -> None:
    found = leaves("claude-opus", "opus").find(Target("lab", "x-*-*"))
    assert isinstance(found, PlanStep)
    assert found.deployment.model == "x-opus-opus"
    plain = leaves().find(Target("lab", "x-*"))
    assert isinstance(plain, PlanStep)
    assert plain.deployment.model == "x-*"


@pytest.mark.parametrize(
    ("protocol", "door", "carriage"),
    [
        ("openai_chat", "openai_chat", "verbatim"),
        ("anthropic_messages", "anthropic_messages", "verbatim"),
        ("openai_responses", "openai_chat", "translated"),
    ],
)
def test_the_door_of_the_callers_protocol_else_the_first(protocol: str, door: str, carriage: str) -> None:
    found = leaves(protocol=protocol).find(Target("deepseek", "deepseek-v4-pro"))
    assert isinstance(found, PlanStep)
    assert (found.endpoint.protocol, found.reason) == (door, carriage)


def test_a_leaf_that_leads_nowhere_says_why() -> None:
    found = leaves().find(Target("nobody", "x"))
    assert found == LeftOut("nobody", "no such provider is configured", "provider_not_found")


def test_a_leaf_of_another_model_has_that_models_tree() -> None:
    found = leaves().find(Target(None, "house"))
    assert isinstance(found, Inside)
    assert found.node is KNOWN.public["house"].node
    assert found.leaves.deployment(found.node) == "lab/x"


def test_the_sums_of_weights() -> None:
    balance = Balance(
        (Target("lab", "a", weight=2), Target("lab", "b", weight=0), Fallback((Target("lab", "c"),), weight=3))
    )
    made = leaves()
    assert made.sums(balance) == [2, 2, 5]
    assert made.sums(balance) is made.sums(balance)
    assert made.deployment(balance) == "lab/a"
    assert made.deployment(Fallback(())) == ""


def test_the_window_of_a_model_that_is_known() -> None:
    found = leaves().find(Target("anthropic", "claude-opus-4-1"))
    assert isinstance(found, PlanStep)
    assert leaves().context_tokens(found) == 200_000
    unknown = leaves().find(Target("lab", "x"))
    assert isinstance(unknown, PlanStep)
    assert leaves().context_tokens(unknown) is None
