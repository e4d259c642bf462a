"""What the rows of BytePlus ModelArk and Volcengine Ark say of their families of models (byteplus.md, sections 3 to 6)."""

import json
from typing import Any

import pytest

from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.providers.load import catalogue

GENERAL = ("byteplus", "volcengine")
PLANS = ("byteplus_coding", "volcengine_coding", "volcengine_agent")


def sent(kind: str, model: str, protocol: str = "openai_chat", **asked: Any) -> dict[str, Any]:
    """The body of a call that asks for this."""
    codec = UPSTREAM_CODECS[protocol]  # pyright: ignore[reportArgumentType] - a name of the test's own
    dialect = codec.dialect(catalogue()[kind].dialect_of(protocol, model))
    request = GenerateRequest(model, (Message("user", (TextPart("hi"),)),), **asked)
    return json.loads(codec.encode_request(request, dialect).body)


OFF, SELF = Reasoning("off"), Reasoning("adaptive", "xhigh")


@pytest.mark.parametrize(
    ("kind", "model", "asked", "thinking", "effort"),
    [
        ("byteplus", "seed-2-0-pro-260328", SELF, "auto", "high"),
        ("byteplus", "dola-seed-2-1-turbo-260628", OFF, "disabled", None),
        ("byteplus", "seed-1-6-250915", Reasoning(effort="minimal"), None, "minimal"),
        ("byteplus", "ep-m-20260101-abcde", SELF, "enabled", "xhigh"),
        ("byteplus", "deepseek-v4-pro-ga-260813", SELF, "enabled", "high"),
        ("byteplus", "deepseek-v4-pro-ga-260813", Reasoning(effort="medium"), None, "low"),
        ("byteplus", "glm-5-2-260617", Reasoning(effort="low"), None, "high"),
        ("byteplus", "glm-5-2-260617", Reasoning(effort="xhigh"), None, "xhigh"),
        ("byteplus", "glm-5-3-flash-260828", OFF, None, "low"),
        ("byteplus", "gpt-oss-120b-250805", OFF, None, "low"),
        ("byteplus_coding", "glm-5.3", Reasoning(effort="none"), None, "low"),
        ("volcengine", "doubao-seed-2-1-pro-260915", SELF, "auto", "high"),
        ("volcengine_agent", "doubao-seed-2.0-lite", SELF, "auto", "high"),
        ("volcengine_coding", "kimi-k3", OFF, "disabled", None),
    ],
)
def test_how_a_family_is_asked_to_think(
    kind: str, model: str, asked: Reasoning, thinking: str | None, effort: str | None
) -> None:
    body = sent(kind, model, reasoning=asked)
    assert (body.get("thinking"), body.get("reasoning_effort")) == (thinking and {"type": thinking}, effort)


@pytest.mark.parametrize("kind", [*GENERAL, *PLANS])
def test_the_limit_holds_thought_and_answer_and_is_said_once(kind: str) -> None:
    body = sent(kind, "kimi-k3", max_output_tokens=900, reasoning=Reasoning("on"))
    assert (body.get("max_completion_tokens"), body.get("max_tokens")) == (900, None)


@pytest.mark.parametrize(
    ("model", "left"),
    [
        ("seed-2-0-pro-260328", {"temperature"}),
        ("seed-1-6-250915", {"temperature", "frequency_penalty"}),
        ("deepseek-v4-flash-ga-260731", {"temperature", "frequency_penalty", "logprobs"}),
    ],
)
def test_what_a_family_takes_beside_the_messages(model: str, left: set[str]) -> None:
    more: dict[str, Any] = {"seed": 7, "end_user": "u", "verbosity": "low", "stop": ("x",), "logprobs": True}
    body = sent("byteplus", model, temperature=0.5, frequency_penalty=0.5, metadata={"a": "b"}, **more)
    assert body.keys() - {"model", "messages"} == left


def test_two_models_sample_as_they_are_made_to() -> None:
    assert "temperature" not in sent("volcengine", "doubao-seed-2-0-lite-260215", temperature=0.5)
    assert "temperature" in sent("volcengine", "doubao-seed-2-0-lite-260428", temperature=0.5)


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_takes_no_tier(kind: str) -> None:
    codec = UPSTREAM_CODECS["openai_chat"]
    for protocol in ("openai_chat", "openai_responses", "anthropic_messages"):
        assert "service_tier" not in sent(kind, "glm-5.3", protocol, service_tier="auto")
    dialect = codec.dialect(catalogue()[kind].dialect_of("openai_chat", "glm-5.3"))
    assert dialect.refused_fields.endswith("service_tier"), "nor from a client's own bytes"


@pytest.mark.parametrize("kind", GENERAL)
def test_the_general_lane_knows_three_tiers(kind: str) -> None:
    tiers = {word: sent(kind, "m", service_tier=word).get("service_tier") for word in ("fast", "priority", "flex")}
    assert tiers == {"fast": "fast", "priority": "fast", "flex": None}


@pytest.mark.parametrize("kind", [*GENERAL, *PLANS])
def test_the_messages_lane_sizes_its_thinking_itself(kind: str) -> None:
    body = sent(kind, "glm-5.3", "anthropic_messages", reasoning=Reasoning("on", "max"))
    assert (body["thinking"], body["output_config"]) == ({"type": "adaptive"}, {"effort": "max"})
