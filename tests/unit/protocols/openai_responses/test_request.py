"""The body of a request, both ways."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.failures import FailureError
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, OpaquePart, TextPart
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.conversation.tools import CustomTool, FunctionTool, HostedTool, ToolChoice
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_responses.compaction import SUMMARISE
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.request import decode_request, encode_request

NAME = "openai_responses"
HI = [{"type": "message", "role": "user", "content": "Hi"}]
FULL: dict[str, Any] = {
    "model": "m",
    "instructions": "Be good.",
    "input": HI,
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
    "tool_choice": {"type": "function", "name": "f"},
    "parallel_tool_calls": True,
    "max_output_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_logprobs": 2,
    "include": ["web_search_call.action.sources", "reasoning.encrypted_content", "message.output_text.logprobs"],
    "reasoning": {"effort": "low", "summary": "detailed", "context": "auto"},
    "text": {
        "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
        "verbosity": "low",
    },
    "service_tier": "flex",
    "metadata": {"a": "b"},
    "safety_identifier": "u",
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "implicit"},
    "truncation": "auto",
    "max_tool_calls": 3,
    "client_metadata": {"x": 1},
    "stream_options": {"include_obfuscation": False},
    "stream": True,
    "store": False,
}


def decode(**fields: Any) -> GenerateRequest:
    return decode_request(json.dumps({"model": "m", "input": HI, **fields}).encode(), RequestPath()).value


def encode(request: GenerateRequest, dialect: Dialect | None = None) -> tuple[dict[str, Any], list[str]]:
    body, losses = encode_request(request, dialect or Dialect())
    return json.loads(body), [loss.code for loss in losses]


def test_a_full_request_comes_back() -> None:
    request = decode(**FULL)
    assert encode(request) == (FULL, [])
    assert (request.reasoning, request.logprobs) == (
        Reasoning(effort="low", display="summarized", extras={NAME: {"summary": "detailed", "context": "auto"}}),
        True,
    )


@pytest.mark.parametrize("key", [key for key in FULL if key not in ("model", "input", "stream", "store")])
def test_every_field_of_a_request_counts(key: str) -> None:
    """Without it, other bytes are sent."""
    less = {name: value for name, value in FULL.items() if name != key}
    wanted = {**less, "top_logprobs": None} if key == "include" else less
    assert encode(decode(**wanted))[0] != FULL


def test_the_smallest_request() -> None:
    assert encode(decode(input="Hi")) == ({"model": "m", "input": HI, "store": False}, [])
    assert decode_request(b'{"input": "Hi"}', RequestPath("other", stream=True)).value.stream


def test_a_stored_prompt_needs_no_input() -> None:
    request = decode_request(b'{"model": "m", "prompt": {"id": "p"}}', RequestPath()).value
    assert encode(request)[0]["prompt"] == {"id": "p"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"model": None}, "model"),
        ({"temperature": "hot"}, "temperature"),
        ({"text": {"format": {"type": "json_schema", "schema": 3}}}, "text.format.schema"),
        ({"reasoning": {"effort": 3}}, "reasoning.effort"),
    ],
)
def test_what_cannot_be_read_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(FailureError) as refused:
        decode(**fields)
    assert refused.value.failure.param == param
    assert refused.value.failure.kind == "invalid_request"


def test_where_a_response_is_stored_is_the_gateways_affair() -> None:
    assert encode(decode(store=True, background=False), Dialect(store=True))[0]["store"] is True
    assert encode(decode(store=True))[0]["store"] is False


def test_the_end_user() -> None:
    assert decode(user="old").end_user == "old"
    assert decode(user="old", safety_identifier="new").end_user == "new"
    long = GenerateRequest("m", (), end_user="u" * 65)
    body, losses = encode(long)
    assert (len(body["safety_identifier"]), losses) == (64, ["approximated:safety_identifier"])
    assert encode(long, Dialect(user=False))[1] == ["dropped:safety_identifier"]
    messages = GenerateRequest("m", (), metadata={"user_id": "u", "a": "b"})
    body, losses = encode(messages, Dialect(metadata=False))
    assert (body["safety_identifier"], losses) == ("u", ["dropped:metadata.a"])


def test_settings_that_change_on_the_way_are_folded_in() -> None:
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}, "text": {"format": {"type": "text"}}}
    request = decode(input=[*HI, update], reasoning={"effort": "low", "summary": "auto"})
    assert request.reasoning == Reasoning(effort="high", display="summarized", extras={NAME: {}})
    assert request.output_format == OutputFormat("text")


def test_compaction_is_asked_for_in_words() -> None:
    request = decode(input=[*HI, {"type": "compaction_trigger"}])
    assert request.compact
    body, losses = encode(request)
    assert (body["input"][-1]["content"], losses) == (SUMMARISE, [])
    assert "compaction" not in body


def test_additional_tools_stand_where_they_stood() -> None:
    item = {
        "type": "additional_tools",
        "role": "developer",
        "tools": [
            {"type": "namespace", "name": "functions", "description": "", "tools": [{"type": "custom", "name": "exec"}]}
        ],
    }
    request = decode(input=[item, *HI], tool_choice="auto")
    assert request.tools == (CustomTool("exec", namespace="functions"),)
    body, losses = encode(request)
    assert (body["input"], body["tool_choice"], losses) == ([item, *HI], "auto", [])
    body, losses = encode(request, Dialect(namespaces=False))
    assert body["input"] == HI
    assert body["tools"] == [{"type": "custom", "name": "functions__exec"}]
    assert losses == ["emulated:tools.namespace"]


OTHERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"top_k": 1, "seed": 1}, ["dropped:top_k", "dropped:seed"]),
    ({"frequency_penalty": 0.1, "presence_penalty": 0.1}, ["dropped:frequency_penalty", "dropped:presence_penalty"]),
    ({"stop": ("x",)}, ["emulated:stop"]),
    ({"choice_count": 2}, ["emulated:choice_count"]),
    ({"cache": CacheHint()}, ["dropped:cache_control"]),
    ({"service_tier": "standard_only"}, ["approximated:service_tier"]),
    ({"extras": {"openai_chat": {"prediction": {}}}}, ["dropped:prediction"]),
    ({"extras": {NAME: {"stream_options": {}}}}, ["dropped:stream_options"]),
    (
        {"tools": (HostedTool("gemini_generate", "x", None, {}),), "tool_choice": ToolChoice("auto")},
        ["dropped:tools", "dropped:tool_choice"],
    ),
]


@pytest.mark.parametrize(("fields", "losses"), OTHERS)
def test_what_responses_has_no_word_for_is_a_loss(fields: dict[str, Any], losses: list[str]) -> None:
    assert encode(GenerateRequest("m", (), **fields))[1] == losses


def test_what_a_server_does_not_take_is_a_loss() -> None:
    bare = Dialect(
        sampling=False,
        max_output_tokens=False,
        verbosity=False,
        json_schema=False,
        parallel_tool_calls=False,
        service_tier=False,
        prompt_cache_key=False,
        logprobs=False,
        include_encrypted=False,
    )
    body, losses = encode(decode(**FULL), bare)
    assert losses == [
        "dropped:parallel_tool_calls",
        "dropped:max_output_tokens",
        "dropped:temperature",
        "dropped:top_p",
        "approximated:text.format.schema",
        "dropped:verbosity",
        "dropped:service_tier",
        "dropped:prompt_cache_key",
        "dropped:logprobs",
    ]
    assert body["text"] == {"format": {"type": "json_object"}}
    assert body["include"] == ["web_search_call.action.sources"]


def test_a_request_of_another_protocol_asks_for_state_and_summary() -> None:
    said = (Message("user", (TextPart("Hi"),)),)
    request = GenerateRequest(
        "m", said, reasoning=Reasoning("adaptive", "high"), tools=(FunctionTool("f"),), stream=True
    )
    assert encode(request) == (
        {
            "model": "m",
            "input": HI,
            "tools": [
                {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
            ],
            "reasoning": {"effort": "high", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
            "store": False,
            "stream": True,
        },
        [],
    )


def test_a_format_with_more_than_it_may_have_is_kept_whole() -> None:
    form = {"type": "grammar", "syntax": "lark"}
    request = decode(text={"format": form, "verbosity": "low"})
    assert request.output_format is None
    assert encode(request)[0]["text"] == {"format": form, "verbosity": "low"}


WORDS = st.sampled_from(
    [
        "type",
        "message",
        "function_call",
        "function_call_output",
        "reasoning",
        "call_id",
        "c",
        "namespace",
        "tools",
        "user",
        "role",
        "content",
        "input_text",
        "output_text",
        "text",
        "compaction",
        "shell_call",
        "tool_search_output",
        "akc1.x",
        "summary",
        "name",
        "output",
        "operation",
        "apply_patch_call",
        "image_url",
        "input_image",
        "item_reference",
    ]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)


def item_of(kind: str, rest: dict[str, Any]) -> dict[str, Any]:
    return {**rest, "type": kind}


ITEM = st.builds(item_of, WORDS, st.dictionaries(WORDS, JSON, max_size=5))


@given(st.lists(ITEM | JSON, max_size=4), JSON, JSON)
def test_whatever_is_sent_is_read_or_refused(items: list[Any], tools: Any, choice: Any) -> None:
    body = msgspec.json.encode({"model": "m", "input": items, "tools": tools, "tool_choice": choice})
    try:
        request = decode_request(body, RequestPath()).value
    except FailureError as refused:
        if refused.failure.kind != "invalid_request":
            raise
        return
    again, _ = encode_request(request, Dialect())
    assert decode_request(again, RequestPath()).value.model == "m"


def test_a_request_of_which_nothing_is_left_is_refused_with_the_reason() -> None:
    block = OpaquePart("anthropic_messages", "x_block", {"type": "x_block"})
    with pytest.raises(FailureError, match=r"messages\[0\]"):
        encode_request(GenerateRequest("m", (Message("user", (block,)),)), Dialect())


def test_what_tools_in_the_input_say_besides_is_a_loss() -> None:
    item = {"type": "additional_tools", "id": "i", "role": "user", "tools": [{"type": "function", "name": "f"}], "x": 1}
    body = json.dumps({"model": "m", "input": [item, *HI]}).encode()
    losses = decode_request(body, RequestPath()).losses
    assert [loss.path for loss in losses] == ["input[0].role", "input[0].x"]
