"""What is decided before anybody is chosen: rewriting, lists, scenarios, configs."""

from typing import Any

from anykey.routing.ask import Ask, Facts, Grant
from anykey.routing.configured import GroupSettings, ModelSettings, Rewrite
from anykey.routing.deciding import MOST_KEPT, Decided, decide, keep
from anykey.routing.plan import plan
from anykey.routing.scenario import ScenarioRules
from anykey.routing.tree import Fallback, Target
from tests.unit.routing.configuring import grouped, ids, of_group, planned, refused

RULES = ScenarioRules({"longContext": "large", "background": "byteplus/small", "default": "house"}, 1000)
KNOWN = grouped(
    GroupSettings("default", scenarios=None),
    GroupSettings("tiered", scenarios=RULES),
    GroupSettings("steered", config="steer"),
    GroupSettings("lost", config="gone"),
    models=(ModelSettings("house", ("lab/x", "byteplus/y")), ModelSettings("large", ("lab/large",))),
    rewrites=(Rewrite("old-(.*)", r"\1"),),
    configs={"steer": Fallback((Target("lab", "steered"), Target()))},
)


def facts(**said: Any) -> dict[str, Any]:
    return {"grant": of_group("tiered"), "facts": lambda: Facts(model="m", protocol="openai_chat", **said)}


def test_a_name_is_rewritten_first_and_says_so() -> None:
    made = planned(KNOWN, "old-house")
    assert (made.model_asked, made.model, made.resolved_by) == ("old-house", "house", "public_name")
    assert made.reasons == ("'old-house' is rewritten to 'house'",)


def test_a_list_looks_at_the_name_as_asked_and_as_rewritten() -> None:
    assert ids(planned(KNOWN, "old-house", grant=of_group("default", ("old-*",))))
    assert ids(planned(KNOWN, "old-house", grant=of_group("default", ("house",))))
    refusal = refused(KNOWN, "old-house", grant=of_group("default", ("claude-*",)))
    assert refusal.code == "model_not_allowed"
    assert refusal.message == "The key does not allow the model 'old-house'."


def test_a_path_must_be_allowed_by_its_own_text() -> None:
    assert refused(KNOWN, "lab/claude-x", grant=of_group("default", ("claude-*",))).code == "model_not_allowed"
    assert (
        refused(KNOWN, "claude-x", provider="lab", grant=of_group("default", ("claude-*",))).code == "model_not_allowed"
    )
    assert ids(planned(KNOWN, "claude-x", provider="@lab", grant=of_group("default", ("lab/*",)))) == ["lab/claude-x"]
    assert ids(planned(KNOWN, "@lab/x", grant=of_group("default", ("lab/*",)))) == ["lab/x"]


def test_the_header_names_the_provider_of_a_bare_model() -> None:
    assert ids(planned(KNOWN, "house", provider="@byteplus")) == ["byteplus/house"]
    assert ids(planned(KNOWN, "byteplus/seed", provider="byteplus")) == ["byteplus/seed"]
    assert ids(planned(KNOWN, "anthropic/claude", provider="lab")) == ["lab/anthropic/claude"]
    assert refused(KNOWN, "m", provider="nobody").code == "provider_not_found"


def test_a_scenario_leads_to_its_model_and_says_why() -> None:
    made = planned(KNOWN, "claude-x", **facts(tokens=1500))
    assert (ids(made), made.scenario, made.model) == (["lab/large"], "longContext", "large")
    assert made.reasons == ("scenario longContext: 1,500 tokens estimated, more than 1,000",)
    assert ids(planned(KNOWN, "claude-x", **facts(background="a title"))) == ["byteplus/small"]
    assert planned(KNOWN, "claude-x", **facts()).scenario == "default"


def test_a_call_that_names_its_provider_has_no_scenario() -> None:
    assert ids(planned(KNOWN, "lab/z", **facts(tokens=1500))) == ["lab/z"]
    assert ids(planned(KNOWN, "z", provider="lab", **facts(tokens=1500))) == ["lab/z"]


def test_a_scenario_whose_model_may_not_be_asked_for_is_passed_over() -> None:
    said: dict[str, Any] = facts(tokens=1500) | {"grant": of_group("tiered", ("house", "claude-*"))}
    made = planned(KNOWN, "claude-x", **said)
    assert made.scenario == "default"
    assert made.reasons[0] == "scenario longContext passed over: the key may not ask for large"


def test_a_config_decides_and_may_ask_for_the_model_itself() -> None:
    made = planned(KNOWN, "house", grant=of_group("steered"))
    assert (ids(made), made.config) == (["lab/steered", "lab/x", "byteplus/y"], "steer")
    assert ids(planned(KNOWN, "whatever", grant=of_group("steered"))) == ["lab/steered"]
    assert ids(planned(KNOWN, "house", grant=Grant(config="steer")))[0] == "lab/steered"
    assert planned(KNOWN, "house", config=Target("lab", "q"), grant=of_group("steered")).config == "of the call"


def test_what_a_key_says_that_is_gone() -> None:
    assert refused(KNOWN, "house", grant=of_group("lost")).code == "config_not_found"
    assert refused(KNOWN, "house", grant=Grant(config="nowhere")).code == "config_not_found"
    assert refused(KNOWN, "house", grant=of_group("nowhere")).code == "group_not_found"


def test_a_decision_says_what_the_tree_is() -> None:
    made = decide(KNOWN, Ask(model="house", protocol="openai_chat"), free=True)
    assert isinstance(made, Decided)
    assert made.node is KNOWN.public["house"].node
    assert not made.guarded


def test_what_is_kept_of_names_is_bounded() -> None:
    known = grouped(GroupSettings("tiered", scenarios=RULES))
    for number in range(MOST_KEPT + 10):
        keep(known, (str(number), "openai_chat", None), "x")
    assert len(known.plans) == 10
    for number in range(50):
        plan(known, Ask(model=f"claude-{number}", protocol="openai_chat", grant=Grant(group="tiered")))
    assert len(known.plans) <= 10 + 50
