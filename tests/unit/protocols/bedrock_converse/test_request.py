"""Requests, held against the service model."""

import json
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.protocols.bedrock_converse.dialect import dialect
from anykey.protocols.bedrock_converse.request import encode_request
from tests.fakes.converse_model import faults

HI = Message("user", (TextPart("Hi"),))


def sent(request: GenerateRequest, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    body, losses = encode_request(request, dialect(fields))
    wire = json.loads(body)
    assert faults(wire) == []
    return wire, sorted(f"{loss.kind}:{loss.path}" for loss in losses)


def asking(**more: Any) -> GenerateRequest:
    return GenerateRequest("m", (HI,), **more)


def test_the_least() -> None:
    assert sent(asking(stream=True)) == ({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}, [])


def test_sampling_by_dialect() -> None:
    request = asking(max_output_tokens=9, temperature=0.5, top_p=0.9, top_k=4)
    wire, losses = sent(request, top_k=True)
    assert wire["inferenceConfig"] == {"maxTokens": 9, "temperature": 0.5, "topP": 0.9}
    assert wire["additionalModelRequestFields"] == {"top_k": 4}
    assert losses == []
    wire, losses = sent(request, sampling=False)
    assert wire["inferenceConfig"] == {"maxTokens": 9}
    assert losses == ["dropped:temperature", "dropped:top_k", "dropped:top_p"]


def test_a_thinking_model_takes_no_sampling_but_what_says_nothing() -> None:
    request = asking(temperature=0.5, top_p=0.96, top_k=4, reasoning=Reasoning("on", budget_tokens=2000))
    wire, losses = sent(request, thinking="budget", top_k=True)
    assert wire["inferenceConfig"] == {"topP": 0.96}
    assert wire["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    assert losses == ["dropped:temperature", "dropped:top_k"]


def test_options_without_a_form_are_named() -> None:
    request = asking(
        frequency_penalty=1.0, presence_penalty=1.0, seed=1, logprobs=True, top_logprobs=2, verbosity="low",
        cache_key="k", end_user="u", choice_count=2, extras={"openai_chat": {"x": 1}},
    )  # fmt: skip
    assert sent(request)[1] == [
        "dropped:cache_key", "dropped:end_user", "dropped:frequency_penalty", "dropped:logprobs",
        "dropped:presence_penalty", "dropped:seed", "dropped:top_logprobs", "dropped:verbosity", "dropped:x",
        "emulated:choice_count",
    ]  # fmt: skip


def test_metadata_of_plain_letters_goes_to_the_log_of_invocations() -> None:
    metadata = {"user_id": "u-1", "note": '{"json": 1}', "count": 3}
    wire, losses = sent(asking(metadata=metadata, end_user="u-1"))
    assert wire["requestMetadata"] == {"user_id": "u-1"}
    assert losses == ["dropped:metadata.count", "dropped:metadata.note"]
    assert sent(asking(metadata={"a": "b"}), metadata=False)[1] == ["dropped:metadata.a"]


@pytest.mark.parametrize(
    ("tier", "word", "losses"),
    [
        ("flex", "flex", []),
        ("fast", "priority", ["approximated:service_tier"]),
        ("auto", None, ["dropped:service_tier"]),
    ],
)
def test_tiers(tier: str, word: str | None, losses: list[str]) -> None:
    wire, found = sent(asking(service_tier=tier))
    assert wire.get("serviceTier") == (word and {"type": word})
    assert found == losses


def test_an_output_format_and_an_effort_share_their_object() -> None:
    asked = OutputFormat("json_schema", {"type": "object"}, "answer")
    request = asking(output_format=asked, reasoning=Reasoning(effort="high"))
    wire, losses = sent(request, output_format=True, thinking="adaptive", effort=True)
    json_schema = {"schema": '{"type":"object"}', "name": "answer"}
    told = {"type": "json_schema", "structure": {"jsonSchema": json_schema}}
    assert wire["outputConfig"] == {"textFormat": told, "effort": "high"}
    assert wire["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert losses == []


def test_a_history_with_calls_names_its_tools_even_when_there_are_none_any_more() -> None:
    call = Message("assistant", (ToolCallPart("c1", "clock", '{"a": 1}'),))
    result = Message("tool", (ToolResultPart("c1", (TextPart("noon"),)),))
    wire, losses = sent(GenerateRequest("m", (HI, call, result)))
    assert [tool["toolSpec"]["name"] for tool in wire["toolConfig"]["tools"]] == ["clock"]
    assert "Do not call" in wire["system"][0]["text"]
    assert losses == ["emulated:tools"]


def test_nothing_to_send_is_refused() -> None:
    with pytest.raises(FailureError, match="at least one message"):
        encode_request(GenerateRequest("m", ()), dialect({}))
