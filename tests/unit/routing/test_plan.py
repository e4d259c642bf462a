"""From a model name to the steps that may answer it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.parts import ProtocolName
from anykey.protocols.hosted import HostedRule
from anykey.routing.ask import Ask
from anykey.routing.building import build_snapshot
from anykey.routing.configured import GroupSettings, ModelSettings, Rewrite, Shadow
from anykey.routing.plan import Plan, Unroutable, known_plan, plan, step_at
from anykey.routing.snapshot import SERVED_PROTOCOLS, Snapshot
from tests.unit.routing.configuring import Given, View, grouped, ids, of_group, planned, provider, refused, snapshot

CHAT: ProtocolName = "openai_chat"
MESSAGES: ProtocolName = "anthropic_messages"
MANY = snapshot(
    provider("custom", "lab"),
    provider("deepseek"),
    provider("anthropic"),
    provider("openai", "work", models=("house-model",)),
    provider("openrouter"),
    provider("demo"),
    **{"gpt-5.4": ("lab/gpt-5.4", "@deepseek/deepseek-v4-pro"), "demo": ("demo/demo",), "a/b": ("lab/x",)},
)


def _steps(known: Snapshot, model: str, protocol: ProtocolName = CHAT) -> list[str]:
    made = plan(known, Ask(model=model, protocol=protocol))
    assert isinstance(made, Plan), made
    return [f"{step.deployment.id} {step.endpoint.protocol} {step.reason}" for step in made.steps]


def _refusal(known: Snapshot, model: str) -> Unroutable:
    made = plan(known, Ask(model=model, protocol=CHAT))
    assert isinstance(made, Unroutable), made
    return made


@pytest.mark.parametrize(
    ("model", "deployment", "rule"),
    [
        ("gpt-5.4", "lab/gpt-5.4", "public_name"),
        ("a/b", "lab/x", "public_name"),
        ("demo", "demo/demo", "public_name"),
        ("lab/some/model:free", "lab/some/model:free", "provider_path"),
        ("@lab/some/model", "lab/some/model", "provider_path"),
        ("work/gpt-5.4", "work/gpt-5.4", "provider_path"),
        ("openai/gpt-5.4", "work/gpt-5.4", "provider_path"),
        ("claude/claude-opus-5-5", "anthropic/claude-opus-5-5", "provider_path"),
        ("house-model", "work/house-model", "pinned"),
        ("claude-anything", "anthropic/claude-anything", "pattern"),
        ("GPT-9", "work/GPT-9", "pattern"),
        ("z-ai/glm-4.6", "openrouter/z-ai/glm-4.6", "listed"),
    ],
)
def test_how_a_name_is_understood(model: str, deployment: str, rule: str) -> None:
    made = plan(MANY, Ask(model=model, protocol=CHAT))
    assert isinstance(made, Plan)
    assert (made.steps[0].deployment.id, made.resolved_by, made.model_asked) == (deployment, rule, model)


def test_a_public_model_has_its_deployments_in_order() -> None:
    assert _steps(MANY, "gpt-5.4") == [
        "lab/gpt-5.4 openai_chat verbatim",
        "deepseek/deepseek-v4-pro openai_chat verbatim",
    ]


def test_the_door_of_the_callers_protocol_is_taken() -> None:
    assert _steps(MANY, "deepseek-v4-pro", CHAT) == ["deepseek/deepseek-v4-pro openai_chat verbatim"]
    assert _steps(MANY, "deepseek-v4-pro", MESSAGES) == ["deepseek/deepseek-v4-pro anthropic_messages verbatim"]


def test_else_another_door_is_translated_to() -> None:
    assert _steps(MANY, "claude-opus-5-5", CHAT) == ["anthropic/claude-opus-5-5 anthropic_messages translated"]
    assert _steps(MANY, "work/gpt-5.4", MESSAGES) == ["work/gpt-5.4 openai_chat translated"]


def test_the_steps_endpoint_speaks_the_models_dialect() -> None:
    made = plan(MANY, Ask(model="claude-opus-5-5", protocol=CHAT))
    assert isinstance(made, Plan)
    assert made.steps[0].endpoint.dialect["sampling"] is False
    assert made.steps[0].endpoint is made.steps[0].deployment.endpoints["anthropic_messages"]


def test_a_sole_provider_gets_every_other_name() -> None:
    alone = snapshot(provider("openrouter"), provider("demo"), demo=("demo/demo",))
    assert _steps(alone, "mistralai/mistral-small") == ["openrouter/mistralai/mistral-small openai_chat verbatim"]
    assert _steps(alone, "anything") == ["openrouter/anything openai_chat verbatim"]
    assert _steps(alone, "demo") == ["demo/demo openai_chat verbatim"]


def test_a_vendors_name_stays_with_the_sole_provider_of_another_kind() -> None:
    assert _steps(snapshot(provider("byteplus")), "claude-opus-5-5") == [
        "byteplus/claude-opus-5-5 openai_chat verbatim"
    ]


def test_the_demo_alone_answers_to_its_own_name_only() -> None:
    only = snapshot(provider("demo"), demo=("demo/demo",))
    assert _steps(only, "demo", MESSAGES) == ["demo/demo anthropic_messages verbatim"]
    refusal = _refusal(only, "gpt-5.4")
    assert refusal.code == "model_not_found"
    assert "Models: demo, demo/demo." in refusal.message


def test_an_unknown_name_is_told_what_exists() -> None:
    refusal = _refusal(MANY, "huose-model")
    assert refusal.code == "model_not_found"
    assert "Did you mean 'house-model'?" in refusal.message
    assert "(lab, deepseek, anthropic, work, openrouter, demo)" in refusal.message
    assert "GET /v1/models" in refusal.message


def test_an_unknown_provider_is_told_which_there_are() -> None:
    refusal = _refusal(MANY, "@antropic/x")
    assert refusal.code == "provider_not_found"
    assert "Did you mean '@anthropic/...'?" in refusal.message


@pytest.mark.parametrize("model", ["", "a\nb", "a\x00", "x" * 1025, "@", "@lab", "@lab/", "lab/"])
def test_names_that_are_none(model: str) -> None:
    assert _refusal(MANY, model).code in {"model_not_found", "provider_not_found"}


def test_a_provider_without_a_door_we_can_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anykey.routing.building.SERVED_PROTOCOLS", ("openai_chat",))
    custom = provider("custom", "g")
    gemini = tuple(door for door in custom.kind.endpoints if door.protocol == "gemini_generate")
    known = snapshot(provider("custom", "g", endpoints=gemini), m=("g/x",))
    assert _refusal(known, "m").code == _refusal(known, "g/x").code == "no_endpoint"


def test_a_plan_is_made_once() -> None:
    known = snapshot(provider("openai"))
    assert plan(known, Ask(model="gpt-5.4", protocol=CHAT)) is plan(known, Ask(model="gpt-5.4", protocol=CHAT))
    assert plan(known, Ask(model="gpt-5.4", protocol=CHAT)) is not plan(known, Ask(model="gpt-5.4", protocol=MESSAGES))


def test_callers_cannot_fill_the_memory_with_names() -> None:
    known = snapshot(provider("openai"))
    for number in range(5000):
        plan(known, Ask(model=f"openai/{number}", protocol=CHAT))
    plan(known, Ask(model="openai/" + "x" * 500, protocol=CHAT))
    plan(known, Ask(model="@nobody/x", protocol=CHAT))
    assert len(known.plans) <= 4096
    assert max(len(key[0]) for key in known.plans) <= 256


def test_a_known_name_costs_next_to_nothing() -> None:
    plan(MANY, Ask(model="gpt-5.4", protocol=CHAT))

    def once() -> float:
        start = time.process_time()
        for _ in range(2000):
            plan(MANY, Ask(model="gpt-5.4", protocol=CHAT))
        return (time.process_time() - start) / 2000

    assert min(once() for _ in range(5)) < 5e-6


_model_names = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["gpt-5.4", "claude-x", "demo", "house-model"]),
    st.builds(
        "{}{}/{}".format, st.sampled_from(["", "@"]), st.sampled_from(["lab", "work", "kimi", "x"]), st.text(max_size=9)
    ),
)


@given(_model_names, st.sampled_from([*SERVED_PROTOCOLS, "openai_responses", "gemini_generate"]))
def test_any_name_has_a_plan_or_a_reason(model: str, protocol: ProtocolName) -> None:
    made = plan(MANY, Ask(model=model, protocol=protocol))
    if isinstance(made, Unroutable):
        assert made.message
        assert len(made.message) < 1000
        return
    assert made.steps
    for step in made.steps:
        assert step.deployment.id == f"{step.endpoint.provider}/{step.deployment.model}"
        assert step.endpoint.protocol in SERVED_PROTOCOLS
        assert (step.reason == "verbatim") == (step.endpoint.protocol == protocol)
        if step.reason == "translated":
            assert protocol not in step.deployment.endpoints


@given(st.text(min_size=1, max_size=30).filter(str.isprintable), st.booleans())
def test_what_follows_the_provider_is_the_model_unchanged(model: str, marked: bool) -> None:
    made = plan(MANY, Ask(model=f"{'@' if marked else ''}lab/{model}", protocol=CHAT))
    assert isinstance(made, Plan)
    assert made.steps[0].deployment.model == model


def test_a_step_says_what_becomes_of_hosted_tools_and_which_setting_says_so() -> None:
    strict, loose = provider("openai", hosted_tools="reject"), provider("deepseek")
    known = build_snapshot(
        Given((strict, loose), (ModelSettings("mine", ("openai/x",), "drop"), ModelSettings("plain", ("openai/x",))))
    )
    for model, rule in (
        ("mine", HostedRule("drop", "mine", 'models."mine".hosted_tools')),
        ("plain", HostedRule("reject", "plain", "providers.openai.hosted_tools")),
        ("deepseek/y", HostedRule("drop", "deepseek/y", "providers.deepseek.hosted_tools")),
    ):
        made = plan(known, Ask(model=model, protocol=CHAT))
        assert isinstance(made, Plan)
        assert made.steps[0].hosted == rule


def test_a_plan_that_is_the_same_for_every_call_is_kept_while_all_are_well() -> None:
    known = snapshot(provider("custom", "lab"), provider("anthropic"), pair=("lab/x", "anthropic/y"), one=("lab/x",))
    pair, one = planned(known, "pair", View()), planned(known, "one", View())
    assert not pair.single
    assert one.single
    assert known_plan(known, "pair", CHAT, None, View()) is pair
    resting = View({"lab/x": "resting"})
    assert known_plan(known, "pair", CHAT, None, resting) is None
    assert ids(planned(known, "pair", resting)) == ["anthropic/y"]
    assert known_plan(known, "one", CHAT, None, resting) is planned(known, "one", resting) is one
    assert known_plan(known, "other", CHAT, None, View()) is None


def test_the_plans_of_keys_that_may_different_things_are_apart() -> None:
    known = snapshot(provider("custom", "lab"), one=("lab/x",))
    assert ids(planned(known, "one")) == ["lab/x"]
    assert refused(known, "one", grant=of_group("default", ("two",))).code == "model_not_allowed"
    assert ids(planned(known, "one")) == ["lab/x"]


def test_a_call_that_was_too_long_goes_on_with_a_larger_model() -> None:
    known = grouped(
        models=(
            ModelSettings("m", ("lab/x", "byteplus/y"), larger=("house", "lab/big")),
            ModelSettings("house", ("lab/h",)),
        )
    )
    made = planned(known, "m")
    assert [step.deployment.id for step in made.after("context_too_long")] == ["lab/h", "lab/big"]
    assert [step.why for step in made.after("context_too_long")][1] == "its window is larger; fallback 2 of 2"
    assert list(made.after("content_blocked")) == list(made.after("rate_limited")) == []
    resting = View({"lab/h": "resting"})
    assert [step.deployment.id for step in made.after("context_too_long", None, resting)] == ["lab/big"]


def test_without_larger_models_those_of_the_plan_that_are_known_to_take_more() -> None:
    known = grouped(models=(ModelSettings("m", ("anthropic/claude-opus-4-1", "lab/x", "anthropic/claude-sonnet-5")),))
    made = planned(known, "m")
    assert [step.deployment.model for step in made.after("context_too_long", made.steps[0])] == ["claude-sonnet-5"]
    assert list(made.after("context_too_long", made.steps[1])) == []


def test_a_share_of_the_calls_is_copied() -> None:
    known = grouped(models=(ModelSettings("m", ("lab/x",), shadow=Shadow("byteplus/new", 25)),))
    copied = [step / 1000 for step in range(1000) if planned(known, "m", roll=step / 1000).shadow]
    assert 200 < len(copied) < 300
    assert planned(known, "m", roll=copied[0]).shadow[0].why == "shadow of 25 %"


def test_a_sticky_fallback_says_so() -> None:
    known = grouped(models=(ModelSettings("m", ("lab/x", "byteplus/y"), sticky=True),))
    assert planned(known, "m").sticky
    assert not planned(known, "lab/x").sticky


def test_a_deployment_is_found_by_its_id_whatever_names_say() -> None:
    known = grouped(GroupSettings("default", models=("nothing",)), rewrites=(Rewrite(".*", "else"),))
    step = step_at(known, "byteplus/seed@eu-west-1", CHAT)
    assert step is not None
    assert (step.deployment.id, step.endpoint.region) == ("byteplus/seed@eu-west-1", "eu-west-1")
    assert step_at(known, "gone/x", CHAT) is step_at(known, "byteplus", CHAT) is None
