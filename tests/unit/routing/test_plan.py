"""From a model name to the steps that may answer it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.protocols.hosted import HostedRule
from anykey.providers.configured import ModelSettings
from anykey.routing.plan import Plan, Unroutable, plan
from anykey.routing.snapshot import SERVED_PROTOCOLS, Snapshot, build_snapshot
from tests.unit.routing.configuring import Given, provider, snapshot

CHAT, MESSAGES = "openai_chat", "anthropic_messages"
MANY = snapshot(
    provider("custom", "lab"),
    provider("deepseek"),
    provider("anthropic"),
    provider("openai", "work", models=("house-model",)),
    provider("openrouter"),
    provider("demo"),
    **{"gpt-5.4": ("lab/gpt-5.4", "@deepseek/deepseek-v4-pro"), "demo": ("demo/demo",), "a/b": ("lab/x",)},
)


def _steps(known: Snapshot, model: str, protocol: str = CHAT) -> list[str]:
    made = plan(known, model, protocol)
    assert isinstance(made, Plan), made
    return [f"{step.deployment.id} {step.endpoint.protocol} {step.reason}" for step in made.steps]


def _refusal(known: Snapshot, model: str) -> Unroutable:
    made = plan(known, model, CHAT)
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
    made = plan(MANY, model, CHAT)
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
    made = plan(MANY, "claude-opus-5-5", CHAT)
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
    monkeypatch.setattr("anykey.routing.snapshot.SERVED_PROTOCOLS", ("openai_chat",))
    custom = provider("custom", "g")
    gemini = tuple(door for door in custom.kind.endpoints if door.protocol == "gemini_generate")
    known = snapshot(provider("custom", "g", endpoints=gemini), m=("g/x",))
    assert _refusal(known, "m").code == _refusal(known, "g/x").code == "no_endpoint"


def test_a_plan_is_made_once() -> None:
    known = snapshot(provider("openai"))
    assert plan(known, "gpt-5.4", CHAT) is plan(known, "gpt-5.4", CHAT)
    assert plan(known, "gpt-5.4", CHAT) is not plan(known, "gpt-5.4", MESSAGES)


def test_callers_cannot_fill_the_memory_with_names() -> None:
    known = snapshot(provider("openai"))
    for number in range(5000):
        plan(known, f"openai/{number}", CHAT)
    plan(known, "openai/" + "x" * 500, CHAT)
    plan(known, "@nobody/x", CHAT)
    assert len(known.plans) <= 4096
    assert max(len(model) for model, _ in known.plans) <= 256


def test_a_known_name_costs_next_to_nothing() -> None:
    plan(MANY, "gpt-5.4", CHAT)

    def once() -> float:
        start = time.process_time()
        for _ in range(2000):
            plan(MANY, "gpt-5.4", CHAT)
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
def test_any_name_has_a_plan_or_a_reason(model: str, protocol: str) -> None:
    made = plan(MANY, model, protocol)
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
    made = plan(MANY, f"{'@' if marked else ''}lab/{model}", CHAT)
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
        made = plan(known, model, CHAT)
        assert isinstance(made, Plan)
        assert made.steps[0].hosted == rule
