import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, TextPart
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.conversation.tools import FunctionTool, ToolChoice
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.request import decode_count_request, decode_request, encode_request

TALK = (Message("user", (TextPart("hi"),)),)
WIDE = Dialect(thinking="adaptive", effort=True, mid_conversation_system=True)
BASE: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def encode(request: GenerateRequest, dialect: Dialect | None = None) -> tuple[dict[str, Any], list[str]]:
    encoded = encode_request(request, dialect or Dialect())
    return json.loads(encoded.body), [f"{loss.kind} {loss.path}" for loss in encoded.losses]


ADDITIONS: list[dict[str, Any]] = [
    {},
    {"system": "be brief", "stream": True, "temperature": 0.5, "top_p": 0.9, "top_k": 3},
    {
        "system": [
            {"type": "text", "text": "a"},
            {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
        ]
    },
    {
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
        "service_tier": "standard_only",
        "cache_control": {"type": "ephemeral"},
    },
    {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high", "task_budget": {"total": 1}}},
    {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}}},
    {"output_config": {"format": {"type": "grammar", "grammar": "g"}}},
    {"output_format": {"type": "grammar", "grammar": "g"}},
    {
        "speed": "standard",
        "container": "c",
        "context_management": {"edits": []},
        "mcp_servers": [{}],
        "diagnostics": {"previous_message_id": "x"},
    },
    {"tools": [{"name": "t", "input_schema": {"type": "object"}}], "tool_choice": {"type": "tool", "name": "t"}},
]


@pytest.mark.parametrize("more", ADDITIONS)
def test_a_request_comes_back(more: dict[str, Any]) -> None:
    body = BASE | more
    request, losses = decode_request(json.dumps(body).encode())
    assert not losses
    assert encode(request, WIDE) == (body, [])


def test_the_older_place_of_the_format_is_understood() -> None:
    format_ = {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}
    request = decode_request(json.dumps(BASE | {"output_format": format_}).encode()).value
    assert encode(request)[0] == BASE | {"output_config": {"format": format_}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": None}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"system": [{"type": "image", "source": {"type": "url", "url": "u"}}]}, "system.0"),
        ({"stop_sequences": [1]}, "stop_sequences.0"),
        ({"output_config": {"effort": 3}}, "output_config.effort"),
        ({"temperature": "hot"}, "temperature"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ],
)
def test_the_field_at_fault_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(FailureError) as caught:
        decode_request(json.dumps(BASE | change).encode())
    assert caught.value.failure.param == field


def test_a_body_that_is_no_json_is_told_where() -> None:
    with pytest.raises(FailureError, match=r"byte 8"):
        decode_request(b'{"model"')


def test_counting_needs_no_limit() -> None:
    body = {key: value for key, value in BASE.items() if key != "max_tokens"}
    assert decode_count_request(json.dumps(body).encode()).value.max_output_tokens is None


@pytest.mark.parametrize(
    ("changes", "dialect", "sent", "losses"),
    [
        ({}, Dialect(default_max_tokens=77), {"max_tokens": 77}, []),
        ({"temperature": 1.7}, Dialect(), {"temperature": 1.0}, ["approximated temperature"]),
        ({"temperature": 0.1, "top_k": 2}, Dialect(sampling=False), {}, ["dropped temperature", "dropped top_k"]),
        (
            {"temperature": 0.1, "top_p": 0.97, "reasoning": Reasoning("on", None, 2000)},
            Dialect(),
            {"top_p": 0.97},
            ["dropped temperature"],
        ),
        ({"stop": ("END", " ")}, Dialect(), {"stop_sequences": ["END"]}, ["emulated stop[1]"]),
        (
            {"end_user": "ann", "metadata": {"a": "b"}},
            Dialect(),
            {"metadata": {"user_id": "ann"}},
            ["dropped metadata.a"],
        ),
        ({"end_user": "ann"}, Dialect(metadata=False), {}, ["dropped end_user"]),
        ({"service_tier": "default"}, Dialect(), {"service_tier": "standard_only"}, ["approximated service_tier"]),
        ({"service_tier": "flex"}, Dialect(), {}, ["dropped service_tier"]),
        (
            {"seed": 1, "verbosity": "low", "choice_count": 2},
            Dialect(),
            {},
            ["dropped seed", "dropped verbosity", "emulated choice_count"],
        ),
        ({"output_format": OutputFormat("json_object")}, Dialect(), {}, ["emulated output_format"]),
        ({"extras": {"openai_chat": {"logit_bias": {}}}}, Dialect(), {}, ["dropped logit_bias"]),
        (
            {
                "tool_choice": ToolChoice("required"),
                "tools": (FunctionTool("t"),),
                "reasoning": Reasoning("on", None, 2000),
            },
            Dialect(),
            {"tool_choice": {"type": "auto"}},
            ["approximated tool_choice"],
        ),
        (
            {"tool_choice": ToolChoice("required"), "tools": (FunctionTool("t"),), "reasoning": Reasoning("adaptive")},
            WIDE,
            {"tool_choice": {"type": "any"}},
            [],
        ),
    ],
)
def test_requests_of_other_protocols(changes: Any, dialect: Dialect, sent: dict[str, Any], losses: list[str]) -> None:
    body, found = encode(GenerateRequest("m", TALK, **changes), dialect)
    for name in ("temperature", "top_k", "top_p", "stop_sequences", "metadata", "service_tier", "tool_choice"):
        assert body.get(name) == sent.get(name), name
    assert body["max_tokens"] == sent.get("max_tokens", 32000)
    assert found == losses


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "model": st.text(min_size=1),
    "messages": st.just((*TALK, Message("assistant", (TextPart("b"),)), Message("user", (TextPart("c"),)))),
    "instructions": st.text(min_size=1).map(lambda text: (TextPart(text),)),
    "tool_choice": st.sampled_from([ToolChoice("required"), ToolChoice("none"), ToolChoice("named", ("t",))]),
    "parallel_tool_calls": st.booleans(),
    "max_output_tokens": st.integers(1, 31999),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(0, 99),
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "seed": st.integers(),
    "stop": st.lists(st.text(min_size=1), min_size=1).map(tuple),
    "choice_count": st.integers(2, 5),
    "logprobs": st.just(True),
    "top_logprobs": st.integers(0, 20),
    "reasoning": st.sampled_from(
        [
            Reasoning(effort="low"),
            Reasoning("on", None, 2048),
            Reasoning("off"),
            Reasoning("adaptive", "max", None, "omitted"),
        ]
    ),
    "output_format": st.sampled_from(
        [OutputFormat("json_object"), OutputFormat("json_schema", {"type": "object"}, "n")]
    ),
    "verbosity": st.sampled_from(["low", "high"]),
    "service_tier": st.sampled_from(["auto", "default", "flex"]),
    "metadata": st.dictionaries(st.text(), st.text(min_size=1), min_size=1),
    "end_user": st.text(),
    "cache_key": st.text(),
    "cache": st.sampled_from([CacheHint(), CacheHint("30m")]),
    "stream": st.just(True),
    "extras": st.just({"openai_chat": {"store": True}}),
}
DIALECTS = st.builds(
    Dialect,
    thinking=st.sampled_from(["adaptive", "budget", "none"]),
    **{name: st.booleans() for name, value in msgspec.structs.asdict(Dialect()).items() if isinstance(value, bool)},
)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(CHANGES)), DIALECTS)
def test_a_changed_field_changes_the_bytes_or_is_named(data: st.DataObject, name: str, dialect: Dialect) -> None:
    request = GenerateRequest("m", TALK, tools=(FunctionTool("t"),))
    changed = msgspec.structs.replace(request, **{name: data.draw(CHANGES[name])})
    before, after = encode_request(request, dialect), encode_request(changed, dialect)
    assert after.body != before.body or after.losses != before.losses


def test_every_field_has_a_change() -> None:
    untouched = {
        "tools",
        "include_usage",
        "compact",  # spells the answer only
    }  # include_usage asks for a chunk of the stream, which the client's own codec writes
    assert set(CHANGES) | untouched == set(GenerateRequest.__struct_fields__)


def test_a_format_that_is_no_object_is_named() -> None:
    with pytest.raises(FailureError) as caught:
        decode_request(msgspec.json.encode({**BASE, "output_config": {"format": "json"}}))
    assert caught.value.failure.param == "output_config.format"


def test_the_fast_mode_is_a_tier_unless_a_tier_is_named() -> None:
    fast = decode_request(msgspec.json.encode({**BASE, "speed": "fast"})).value
    assert (fast.service_tier, fast.extras) == ("fast", {})
    assert msgspec.json.decode(encode_request(fast, Dialect(speed=True)).body)["speed"] == "fast"
    assert [loss.path for loss in encode_request(fast, Dialect()).losses] == ["service_tier"]
    both = decode_request(msgspec.json.encode({**BASE, "speed": "fast", "service_tier": "auto"})).value
    assert (both.service_tier, both.extras) == ("auto", {"anthropic_messages": {"speed": "fast"}})
