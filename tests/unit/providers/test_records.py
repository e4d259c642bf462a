"""A dialect is the kind's fields with each matching model row on top."""

import msgspec
import pytest

from anykey.providers.load import catalogue
from anykey.providers.records import PROTOCOLS, DialectValue, EndpointRow


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("claude-opus-5-5", {"sampling": False, "thinking": "adaptive", "forced_tool_choice": False, "prefill": False}),
        ("claude-opus-4-7", {"sampling": False, "thinking": "adaptive", "effort": True}),
        ("claude-opus-4-8", {"mid_conversation_system": True, "sampling": False}),
        ("claude-sonnet-5", {"sampling": False, "mid_conversation_system": True}),
        ("claude-opus-4-6", {"effort": True, "thinking": "adaptive", "prefill": False}),
        ("claude-3-opus-20240229", {"thinking": "none", "output_format": False, "default_max_tokens": 4096}),
        ("Claude-Fable-5-2", {"forced_tool_choice": False}),
    ],
)
def test_fields_of_claude_models(model: str, fields: dict[str, DialectValue]) -> None:
    dialect = catalogue()["anthropic"].dialect_of("anthropic_messages", model)
    assert {name: dialect.get(name) for name in fields} == fields


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-haiku-4-5-20251001"])
def test_models_before_4_6_have_no_field_of_the_newer_ones(model: str) -> None:
    anthropic = catalogue()["anthropic"]
    assert anthropic.dialect_of("anthropic_messages", model) == anthropic.dialect["anthropic_messages"]


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-opus-20240229", 4096),
        ("claude-3-5-sonnet-20241022", 8192),
        ("claude-opus-4-1", 32_000),
        ("claude-sonnet-4-5", 64_000),
        ("claude-opus-5-5", 128_000),
    ],
)
def test_the_limit_of_an_answer_is_the_models_own(model: str, limit: int) -> None:
    assert catalogue()["anthropic"].dialect_of("anthropic_messages", model)["default_max_tokens"] == limit


def test_only_search_models_search() -> None:
    openai = catalogue()["openai"]
    assert openai.dialect_of("openai_chat", "gpt-4o-search-preview")["hosted_tools"] == "web_search"
    assert "hosted_tools" not in openai.dialect_of("openai_chat", "gpt-4o")


def test_opus_5_may_be_forced_to_a_tool_but_opus_5_5_may_not() -> None:
    anthropic = catalogue()["anthropic"]
    assert "forced_tool_choice" not in anthropic.dialect_of("anthropic_messages", "claude-opus-5")
    assert anthropic.dialect_of("anthropic_messages", "claude-opus-5-5")["forced_tool_choice"] is False


@pytest.mark.parametrize(
    ("model", "breakpoints", "sampling"),
    [("gpt-5.6-sol", True, True), ("gpt-6.1-sol", True, True), ("gpt-5.4", False, True), ("gpt-5-mini", False, False)],
)
def test_fields_of_gpt_models(model: str, breakpoints: bool, sampling: bool) -> None:
    dialect = catalogue()["openai"].dialect_of("openai_chat", model)
    assert dialect.get("cache_breakpoints", False) is breakpoints
    assert dialect.get("sampling", True) is sampling
    assert dialect["service_tier"] is True, "the kind's own fields stay"


def test_the_catalogues_tables_are_not_changed_by_asking() -> None:
    before = dict(catalogue()["openai"].dialect["openai_chat"])
    catalogue()["openai"].dialect_of("openai_chat", "gpt-6")["sampling"] = False
    assert catalogue()["openai"].dialect["openai_chat"] == before


def test_a_row_with_a_mistyped_key_or_protocol_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"protocol": "openai_chat", "base_url": "https://x", "lanes": "coding"}, EndpointRow)
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value"):
        msgspec.convert({"protocol": "openai", "base_url": "https://x"}, EndpointRow)


def test_protocols_are_those_of_clients_and_those_of_upstreams_only() -> None:
    assert PROTOCOLS[:4] == ("openai_chat", "openai_responses", "anthropic_messages", "gemini_generate")
    assert PROTOCOLS[4:] == ("bedrock_converse",)
