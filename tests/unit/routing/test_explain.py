"""A plan told in full."""

import msgspec

from anykey.routing.configured import GroupSettings, ModelSettings, Shadow
from anykey.routing.explain import explain
from anykey.routing.tree import Fallback, Retry, Target
from tests.unit.routing.configuring import View, grouped, planned

KNOWN = grouped(
    GroupSettings("narrow", providers=("lab",)),
    models=(
        ModelSettings(
            "house",
            ("lab/x", "byteplus/y"),
            larger=("anthropic/claude-opus-4-1",),
            on_content_policy=("lab/free",),
            shadow=Shadow("lab/new", 100),
        ),
    ),
)


def test_everything_is_told() -> None:
    told = explain(planned(KNOWN, "house", View({"lab/x": "resting"})))
    assert (told.model_asked, told.rule, told.group) == ("house", "public_name", "default")
    assert [(step.deployment, step.carriage, step.why) for step in told.steps] == [
        ("byteplus/y", "verbatim", "fallback 2 of 2")
    ]
    assert [(out.deployment, out.why) for out in told.left_out] == [("lab/x", "resting")]
    assert [step.deployment for step in told.if_too_long] == ["anthropic/claude-opus-4-1"]
    assert [step.deployment for step in told.if_refused] == ["lab/free"]
    assert [step.deployment for step in told.shadow] == ["lab/new"]
    assert msgspec.json.decode(msgspec.json.encode(told))["steps"][0]["protocol"] == "openai_chat"


def test_what_a_config_wants_of_a_call_is_told_without_its_values() -> None:
    leaf = Target("lab", "a", overrides=(("temperature", b"0"),), timeout_s=9, retry=Retry(2))
    step = explain(planned(KNOWN, "m", config=Fallback((leaf, Target("lab", "b")), frozenset({429, 500})))).steps[0]
    assert (step.overrides, step.timeout_s, step.attempts, step.on_status) == (("temperature",), 9, 3, (429, 500))
