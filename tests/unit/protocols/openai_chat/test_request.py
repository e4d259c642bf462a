import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.failures import FailureError
from anykey.conversation.parts import CacheHint, TextPart
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.conversation.tools import FunctionTool, HostedTool, ToolChoice
from anykey.protocols.codec import RequestPath
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.dialect import Dialect
from tests.unit.protocols.openai_chat.samples import FULL, PLAIN, asking, codes, decode, dump, encode, user

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
TOOL = {"type": "function", "function": {"name": "f"}}


OWN: list[dict[str, Any]] = [
    {"max_completion_tokens": 9},
    {"temperature": 0.5, "top_p": 1, "frequency_penalty": 0.1, "presence_penalty": -0.1},
    {"seed": 7, "n": 2, "logprobs": True, "top_logprobs": 3},
    {"stop": ["a", "b"]},
    {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}},
    {"response_format": {"type": "grammar", "grammar": "x"}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "odd": 1}}},
    {"reasoning": {"effort": "low"}},
    {"verbosity": "low", "service_tier": "flex", "prompt_cache_key": "k", "user": "u", "metadata": {"a": "b"}},
    {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
    {"store": True, "prediction": {"type": "content", "content": "x"}, "logit_bias": {"1": 2}},
    {"tool_choice": {"type": "odd"}},
    {"safety_identifier": "s", "modalities": ["text"], "web_search_options": {}},
]


@pytest.mark.parametrize("fields", OWN)
def test_a_request_of_this_protocol_comes_back(fields: dict[str, Any]) -> None:
    wire = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    body, losses = encode(decode(**wire), FULL)
    assert body == wire
    assert losses == []


def test_nulls_and_defaults_are_absent() -> None:
    assert encode(decode(stop=None, tools=None, stream=False, n=None))[0] == {"model": "m", "messages": []}


def test_the_limit_stands_where_the_upstream_looks() -> None:
    body = dump({"model": "m", "messages": [], "max_tokens": 9, "max_completion_tokens": 8})
    request, losses = CODEC.decode_request(body, RequestPath())
    assert request.max_output_tokens == 8
    assert codes(losses) == ["dropped:max_tokens"]
    assert decode(max_tokens=9).max_output_tokens == 9
    assert encode(request, Dialect(max_tokens_field="max_tokens"))[0]["max_tokens"] == 8


def test_legacy_functions_are_tools() -> None:
    body = {
        "model": "m",
        "messages": [],
        "functions": [{"name": "f", "parameters": SCHEMA}],
        "function_call": {"name": "f"},
    }
    request, losses = CODEC.decode_request(dump(body), RequestPath())
    assert request.tools == (FunctionTool("f", None, SCHEMA),)
    assert request.tool_choice == ToolChoice("named", ("f",))
    assert codes(losses) == ["emulated:functions"]
    assert decode(functions=[], function_call="none").tool_choice == ToolChoice("none")


def test_the_path_may_say_model_and_stream() -> None:
    request, _ = CODEC.decode_request(dump({"messages": []}), RequestPath("from-path", stream=True))
    assert (request.model, request.stream) == ("from-path", True)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": "hi"}, "messages"),
        ({"model": "m", "messages": [], "temperature": "hot"}, "temperature"),
        ({"model": "m", "messages": [], "stop": 3}, "stop"),
        ({"model": "m", "messages": [], "stop": [3]}, "stop"),
        ({"model": "m", "messages": [], "tools": [{"type": "function"}]}, "tools[0].function.name"),
    ],
)
def test_the_field_at_fault_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(FailureError) as caught:
        CODEC.decode_request(dump(body), RequestPath())
    assert caught.value.failure.param == param


TAKEN: list[tuple[dict[str, Any], Dialect, dict[str, Any], list[str]]] = [
    ({"choice_count": 2}, PLAIN, {"n": 2}, []),
    ({"choice_count": 2}, Dialect(choice_count=False), {}, ["emulated:choice_count"]),
    ({"choice_count": 1}, Dialect(choice_count=False), {"n": 1}, []),
    ({"stop": tuple("abcdef")}, PLAIN, {"stop": list("abcd")}, ["emulated:stop[4]", "emulated:stop[5]"]),
    ({"top_k": 4}, FULL, {}, ["dropped:top_k"]),
    ({"temperature": 1.0}, Dialect(sampling=False), {}, ["dropped:temperature"]),
    ({"service_tier": "standard_only"}, FULL, {"service_tier": "default"}, ["approximated:service_tier"]),
    ({"service_tier": "auto"}, PLAIN, {}, ["dropped:service_tier"]),
    ({"verbosity": "low", "cache_key": "k"}, PLAIN, {}, ["dropped:prompt_cache_key", "dropped:verbosity"]),
    ({"metadata": {"user_id": "u"}, "end_user": "u"}, FULL, {"user": "u", "prompt_cache_key": "u"}, []),
    (
        {"metadata": {"user_id": "u"}, "end_user": "u", "cache_key": "k"},
        FULL,
        {"user": "u", "prompt_cache_key": "k"},
        [],
    ),
    ({"service_tier": "fast"}, FULL, {"service_tier": "fast"}, []),
    ({"service_tier": "standard"}, FULL, {"service_tier": "default"}, ["approximated:service_tier"]),
    ({"metadata": {"user_id": "u", "a": "b"}}, PLAIN, {"user": "u"}, ["dropped:metadata.a"]),
    ({"end_user": "x" * 65}, PLAIN, {"user": hashlib.sha256(b"x" * 65).hexdigest()}, ["approximated:user"]),
    ({"cache": CacheHint()}, Dialect(cache_control=True), {"cache_control": {"type": "ephemeral"}}, []),
    ({"cache": CacheHint()}, PLAIN, {}, ["dropped:cache_control"]),
    (
        {"output_format": OutputFormat("json_schema", SCHEMA)},
        PLAIN,
        {"response_format": {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}}},
        [],
    ),
    (
        {"output_format": OutputFormat("json_schema", SCHEMA)},
        Dialect(json_schema=False),
        {"response_format": {"type": "json_object"}},
        ["approximated:response_format.json_schema"],
    ),
    ({"stream": True}, PLAIN, {"stream": True, "stream_options": {"include_usage": True}}, []),
    ({"stream": True}, Dialect(stream_options=False), {"stream": True}, []),
    ({"extras": {"anthropic_messages": {"context_management": {}}}}, PLAIN, {}, ["dropped:context_management"]),
    ({"extras": {"openai_chat": {"stream_options": {"x": 1}}}}, PLAIN, {}, ["dropped:stream_options"]),
]


@pytest.mark.parametrize(("fields", "dialect", "part", "losses"), TAKEN)
def test_what_an_upstream_takes_and_what_is_lost(
    fields: dict[str, Any], dialect: Dialect, part: dict[str, Any], losses: list[str]
) -> None:
    body, found = encode(asking(**fields), dialect)
    assert body == {"model": "m", "messages": [], **part}
    assert found == losses


def test_without_tools_nothing_is_chosen_among_them() -> None:
    hosted = HostedTool("anthropic_messages", "web_search_20250305", "web_search", {})
    body, losses = encode(asking(tools=(hosted,), tool_choice=ToolChoice("auto"), parallel_tool_calls=False))
    assert "tools" not in body
    assert "tool_choice" not in body
    assert losses == ["dropped:tools[0]", "dropped:tool_choice", "dropped:parallel_tool_calls"]


BASE = asking(user(TextPart("hi")), tools=(FunctionTool("f"),), stream=True)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "tool_choice": st.sampled_from([ToolChoice("auto"), ToolChoice("named", ("f",)), ToolChoice("allowed", ("f",))]),
    "parallel_tool_calls": st.booleans(),
    "max_output_tokens": st.integers(1, 9),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(1, 9),
    "frequency_penalty": st.floats(0, 2),
    "presence_penalty": st.floats(0, 2),
    "seed": st.integers(),
    "stop": st.lists(st.text(min_size=1), min_size=1, max_size=6).map(tuple),
    "choice_count": st.integers(1, 3),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 9),
    "reasoning": st.builds(
        Reasoning,
        st.sampled_from(["on", "off", "adaptive", None]),
        st.sampled_from(["none", "low", "max"]),
        st.none() | st.integers(1, 99999),
        st.sampled_from(["omitted", "summarized", None]),
    ),
    "output_format": st.sampled_from([OutputFormat("json_object"), OutputFormat("json_schema", SCHEMA)]),
    "verbosity": st.just("low"),
    "service_tier": st.sampled_from(["auto", "standard_only"]),
    "metadata": st.dictionaries(st.text(), st.text(), min_size=1),
    "end_user": st.text(min_size=1),
    "cache_key": st.text(),
    "cache": st.just(CacheHint("1h")),
    "instructions": st.just((TextPart("be brief"),)),
    "extras": st.just({"anthropic_messages": {"container": "c"}}),
}
DIALECTS = [
    PLAIN,
    FULL,
    Dialect(sampling=False, reasoning_effort=False, json_schema=False, named_tool_choice=False, stream_options=False),
    Dialect(thinking_switch="thinking_type", cache_control=True),
    Dialect(thinking_switch="enable_thinking", reasoning_effort=False),
    Dialect(
        stop=False,
        logprobs=False,
        penalties=False,
        service_tier=True,
        service_tiers="auto",
        thinking_off="impossible",
        efforts="low, high",
        prompt_cache_key=True,
        refused_fields="seed, user, metadata",
        allowed_tool_choice=False,
    ),
]


def test_the_law_below_covers_every_field() -> None:
    # the stream options are the gateway's own; messages and tools have their own tests
    assert {*GenerateRequest.__struct_fields__} - {*CHANGES} == {
        "model",
        "messages",
        "tools",
        "stream",
        "include_usage",
        "compact",
    }


@given(st.sampled_from(DIALECTS), st.sampled_from(sorted(CHANGES)), st.data())
def test_a_changed_field_changes_the_bytes_or_is_named(dialect: Dialect, name: str, data: st.DataObject) -> None:
    changed = msgspec.structs.replace(BASE, **{name: data.draw(CHANGES[name])})
    body, losses = CODEC.encode_request(changed, dialect)
    assert losses or json.loads(body) != json.loads(CODEC.encode_request(BASE, dialect).body)


def test_what_a_server_refuses_is_left_out_of_the_body() -> None:
    asked = asking(user(TextPart("hi")), stop=("x",), seed=1, logprobs=True, end_user="u", presence_penalty=1.0)
    dialect = Dialect(stop=False, logprobs=False, penalties=False, refused_fields="seed, user")
    body, losses = encode(asked, dialect)
    assert body.keys() == {"model", "messages"}
    assert losses == ["emulated:stop", "dropped:logprobs", "dropped:presence_penalty", "dropped:seed", "dropped:user"]


@pytest.mark.parametrize(
    ("asked", "sent", "losses"),
    [
        ("fast", "fast", []),
        ("ultrafast", "fast", ["approximated:service_tier"]),
        ("priority", "fast", ["approximated:service_tier"]),
        ("standard_only", "default", ["approximated:service_tier"]),
        ("flex", None, ["dropped:service_tier"]),
    ],
)
def test_a_tier_is_said_in_the_servers_words(asked: str, sent: str | None, losses: list[str]) -> None:
    dialect = Dialect(service_tier=True, service_tiers="auto, default, fast")
    body, found = encode(asking(user(TextPart("hi")), service_tier=asked), dialect)
    assert (body.get("service_tier"), found) == (sent, losses)


def test_a_choice_of_several_tools_where_one_or_none_may_be_named() -> None:
    tools = (FunctionTool("f"), FunctionTool("g"))
    asked = asking(user(TextPart("hi")), tools=tools, tool_choice=ToolChoice("allowed", ("f",), required=True))
    body, losses = encode(asked, Dialect(allowed_tool_choice=False))
    assert (body["tool_choice"], losses) == ("required", ["approximated:tool_choice.tools"])
