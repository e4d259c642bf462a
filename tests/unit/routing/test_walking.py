"""The walk of a tree: order, reasons, who is left out."""

from collections.abc import Callable

import msgspec
import pytest

from anykey.providers.models import ModelFacts, ModelPrices
from anykey.routing.ask import Ask, Facts, Grant
from anykey.routing.configured import GroupSettings, ModelSettings
from anykey.routing.plan import Plan, plan
from anykey.routing.snapshot import Snapshot
from anykey.routing.tree import Balance, Branch, Conditional, Fallback, Node, Retry, Target
from tests.unit.routing.configuring import View, grouped, ids, planned, refused

A, B, C = Target("lab", "a"), Target("anthropic", "b"), Target("byteplus", "c")
HOUSE = ModelSettings("house", ("lab/x", "byteplus/y"))
KNOWN = grouped(models=(HOUSE,))


def through(node: Node, view: View | None = None, known: Snapshot = KNOWN, **asked: object) -> Plan:
    return planned(known, "m", view, config=node, **asked)


def whys(made: Plan) -> list[str]:
    return [step.why for step in made.steps]


def test_a_fallback_goes_in_order_and_says_so() -> None:
    made = through(Fallback((A, B, C)))
    assert ids(made) == ["lab/a", "anthropic/b", "byteplus/c"]
    assert whys(made) == ["first by priority", "fallback 2 of 3", "fallback 3 of 3"]


def test_a_fallbacks_statuses_hold_between_its_own_nodes() -> None:
    inner = Fallback((A, B), on_status=frozenset({429}))
    made = through(Fallback((inner, C), on_status=frozenset({500})))
    assert [step.on_status for step in made.steps] == [{429}, {500}, set()]


def test_a_deployment_comes_once_unless_it_is_asked_differently() -> None:
    hot = Target("lab", "a", overrides=(("temperature", b"1"),))
    assert ids(through(Fallback((A, B, A, hot)))) == ["lab/a", "anthropic/b", "lab/a"]


def test_who_rests_is_left_out_with_the_reason() -> None:
    made = through(Fallback((A, B)), View({"lab/a": "its circuit is open"}))
    assert ids(made) == ["anthropic/b"]
    assert [tuple(out)[:2] for out in made.left_out] == [("lab/a", "its circuit is open")]
    assert not made.all_resting


def test_if_all_rest_they_are_asked_in_order_all_the_same() -> None:
    made = through(Fallback((A, B)), View({"lab/a": "x", "anthropic/b": "y"}))
    assert ids(made) == ["lab/a", "anthropic/b"]
    assert made.all_resting
    assert whys(made)[0] == "first by priority; all rest: x"


def test_a_balance_asks_one_by_chance_then_the_others() -> None:
    node = Balance((Target("lab", "a", weight=3), B))
    assert ids(through(node, roll=0.7)) == ["lab/a", "anthropic/b"]
    made = through(node, roll=0.8)
    assert ids(made) == ["anthropic/b", "lab/a"]
    assert whys(made) == ["weighted 1 of 4", "next: 3 of 4"]
    assert ids(through(Balance(node.nodes, falls_back=False), roll=0.8)) == ["anthropic/b"]


def test_least_busy_by_weight_and_quickest() -> None:
    view = View(busy={"lab/a": 5, "anthropic/b": 2}, latency_ms={"lab/a": 80, "anthropic/b": 300})
    pair = (Target("lab", "a", weight=4), B)
    assert ids(through(Balance(pair, "least_busy"), view)) == ["lab/a", "anthropic/b"]
    quick = through(Balance(pair, "lowest_latency"), view)
    assert whys(quick) == ["quickest: 80 ms", "next: 300 ms"]
    assert (
        ids(through(Balance((*pair, C), "lowest_latency"), view))[0] == "byteplus/c"
    )  # not known yet: it is found out
    never = Balance((Target("lab", "a", weight=0), B), "least_busy")
    assert ids(through(never, View(busy={"anthropic/b": 99}))) == ["anthropic/b", "lab/a"]


def test_the_cheapest_by_list_price_and_what_is_not_known_last() -> None:
    class Prices:
        def facts_of(self, kind_id: str, model: str) -> ModelFacts | None:
            known = {"b": ModelPrices(input=3_000_000, output=15_000_000), "c": ModelPrices(input=1, output=1)}.get(
                model
            )
            return ModelFacts("v", model, prices=known) if known else None

    known = msgspec.structs.replace(grouped(), catalogue=Prices())
    made = through(Balance((A, B, C), "lowest_cost"), known=known)
    assert ids(made) == ["byteplus/c", "anthropic/b", "lab/a"]
    assert whys(made)[1:] == ["next: 6 USD per million", "next: price not known"]


def marked(mark: str | None) -> Callable[[], str | None]:
    return lambda: mark


def test_a_sticky_conversation_falls_on_the_same_whatever_the_roll() -> None:
    node = Balance((A, B, C), sticky=True)
    grant = Grant(key="k")
    firsts = {mark: ids(through(node, mark=marked(mark), grant=grant, roll=0.1))[0] for mark in map(str, range(60))}
    assert set(firsts.values()) == {"lab/a", "anthropic/b", "byteplus/c"}
    for mark, first in firsts.items():
        assert ids(through(node, mark=marked(mark), grant=grant, roll=0.9))[0] == first
    assert ids(through(node, mark=marked(None), roll=0.9))[0] == "byteplus/c"
    assert firsts["0"] == "lab/a"  # the same after every restart: another value here moves all conversations


def test_conditions_ask_the_facts_once() -> None:
    asked: list[int] = []

    def facts() -> Facts:
        asked.append(1)
        return Facts(model="m", protocol="openai_chat", tokens=70_000)

    node = Conditional(
        (Branch("tokens > 90000", lambda f: f.tokens > 90_000, A), Branch("big", lambda f: f.tokens > 9, B)), C
    )
    made = through(Fallback((node, node)), facts=facts)
    assert ids(made) == ["anthropic/b"]
    assert whys(made) == ["first by priority; because big"]
    assert len(asked) == 1
    assert ids(through(node)) == ["byteplus/c"]


def test_no_branch_and_no_otherwise_is_a_refusal() -> None:
    node = Conditional((Branch("no", lambda _: False, A),), None)
    assert refused(KNOWN, "m", config=node).code == "no_branch"


def test_a_leaf_may_name_a_model_of_whoever_serves_it() -> None:
    made = through(Fallback((A, Target(None, "house", timeout_s=5, retry=Retry(2)))))
    assert ids(made) == ["lab/a", "lab/x", "byteplus/y"]
    assert [step.timeout_s for step in made.steps] == [None, 5, 5]
    assert made.steps[2].why == "fallback 2 of 2; model house; fallback 2 of 2"
    assert refused(KNOWN, "m", config=Target(None, "nobody")).code == "model_not_found"


def test_a_leaf_without_a_model_means_the_one_that_was_asked_for() -> None:
    assert ids(planned(KNOWN, "house", config=Target())) == ["lab/x", "byteplus/y"]
    assert ids(planned(KNOWN, "seed-9", config=Target("@lab"))) == ["lab/seed-9"]
    assert ids(planned(KNOWN, "lab/seed-9", config=Target("byteplus"))) == ["byteplus/seed-9"]
    assert refused(KNOWN, "nobody", config=Target()).code == "model_not_found"


def test_the_fields_that_are_set_nearer_to_the_call_win() -> None:
    known = grouped(models=(ModelSettings("house", (Target("lab", "x", overrides=(("a", b"1"),)),)),))
    made = planned(known, "house", config=Target(None, "house", overrides=(("a", b"2"), ("b", b"3"))))
    assert made.first.overrides == (("a", b"1"), ("b", b"3"))


def test_a_callers_own_tree_leads_only_where_its_key_may_go() -> None:
    grant = Grant(key="k", caps=(("m", "lab/*"),), cap_sources=("the key",))
    made = through(Fallback((B, A)), grant=grant)
    assert ids(made) == ["lab/a"]
    assert made.left_out[0].why == "the key does not allow it"
    assert refused(KNOWN, "m", config=B, grant=grant).code == "model_not_allowed"
    assert refused(KNOWN, "m", config=Target(None, "house"), grant=grant).code == "model_not_allowed"


def test_a_groups_providers_hold_for_every_tree() -> None:
    known = grouped(GroupSettings("g", providers=("byteplus",)))
    assert ids(through(Fallback((A, C)), known=known, grant=Grant(group="g"))) == ["byteplus/c"]
    made = plan(known, Ask(model="lab/x", protocol="openai_chat", grant=Grant(group="g")))
    assert getattr(made, "code", None) == "model_not_allowed"


def test_regions() -> None:
    made = through(Target("byteplus", "c", region="eu-west-1"))
    assert made.first.deployment.id == "byteplus/c@eu-west-1"
    assert made.first.endpoint.url.startswith("https://ark.eu-west.bytepluses.com/")
    assert ids(planned(KNOWN, "byteplus/c", region="eu-west-1")) == ["byteplus/c@eu-west-1"]
    assert ids(planned(KNOWN, "byteplus/c@eu-west-1")) == ["byteplus/c@eu-west-1"]
    assert ids(planned(KNOWN, "byteplus/c", region="ap-southeast-1")) == ["byteplus/c"]
    refusal = refused(KNOWN, "byteplus/c", region="mars")
    assert refusal.code == "region_not_found"
    assert "it has: ap-southeast-1, eu-west-1" in refusal.message
    assert "none but its own address" in refused(KNOWN, "lab/x", region="mars").message


def test_a_host_of_the_callers_own_gets_no_credential() -> None:
    made = through(Target(custom_host="https://models.example/v1"))
    step = made.first
    assert (step.endpoint.url, step.custom) == (
        "https://models.example/v1/chat/completions",
        "https://models.example/v1",
    )
    assert step.endpoint.auth_headers == ()
    assert step.endpoint.credentials == ()
    assert step.deployment.id == "(models.example.v1)/m"
    spoken = through(Target("anthropic", custom_host="https://models.example")).first
    assert (spoken.endpoint.protocol, spoken.reason) == ("anthropic_messages", "translated")
    assert refused(KNOWN, "m", config=Target("nobody", custom_host="https://x.example")).code == "provider_not_found"


@pytest.mark.parametrize("depth", [1, 5, 60])
def test_every_walk_ends(depth: int) -> None:
    node: Node = A
    for _ in range(depth):
        node = Fallback((node,))
    made = plan(KNOWN, Ask(model="m", protocol="openai_chat", config=node))
    assert isinstance(made, Plan) == (depth < 16)
