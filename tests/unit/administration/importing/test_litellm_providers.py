"""Where one entry goes: which kind, which address, which credential."""

from typing import Any

import pytest

from anykey.administration.importing.litellm_providers import Given, deployed, given, secret_of


def test_a_value_is_itself_or_a_variable() -> None:
    assert given("os.environ/A") == Given(variable="A")
    assert given(" x ") == Given("x")
    assert given(5) == given("") == Given()
    assert Given(variable="A").value({"A": " v "}) == "v"
    assert Given(variable="A").value({}) is None


@pytest.mark.parametrize(
    ("params", "table", "hint", "model"),
    [
        ({"model": "gpt-5.4"}, {"kind": "openai"}, "openai", "gpt-5.4"),
        ({"model": "claude-opus-5"}, {"kind": "anthropic"}, "anthropic", "claude-opus-5"),
        ({"model": "openrouter/a/b"}, {"kind": "openrouter"}, "openrouter", "a/b"),
        ({"model": "moonshot/k2"}, {"kind": "kimi"}, "kimi", "k2"),
        ({"model": "openai/x", "api_base": "https://api.openai.com/v1/"}, {"kind": "openai"}, "openai", "x"),
        (
            {"model": "anthropic/x", "api_base": "https://api.own.example/v1/messages"},
            {"kind": "custom", "protocol": "anthropic_messages", "base_url": "https://api.own.example"},
            "own",
            "x",
        ),
        (
            {"model": "hosted_vllm/x", "api_base": "http://10.0.0.1:8000/v1"},
            {"kind": "vllm", "base_url": "http://10.0.0.1:8000/v1"},
            "10",
            "x",
        ),
        (
            {"model": "bedrock/m", "aws_region_name": "eu-west-1"},
            {"kind": "bedrock", "variables": {"region": "eu-west-1"}},
            "bedrock",
            "m",
        ),
        (
            {"model": "vertex_ai/m", "vertex_project": "p", "vertex_location": "europe-west4"},
            {"kind": "vertex", "variables": {"project": "p", "location": "europe-west4"}, "region": "regional"},
            "vertex",
            "m",
        ),
        ({"model": "x", "custom_llm_provider": "groq"}, {"kind": "groq"}, "groq", "x"),
        ({"model": "openai/x", "extra_headers": {"a": 1}}, {"kind": "openai", "headers": {"a": "1"}}, "openai", "x"),
    ],
)
def test_an_entry_goes_to_its_kind_at_its_address(
    params: dict[str, Any], table: dict[str, Any], hint: str, model: str
) -> None:
    found = deployed(params, {})
    assert not isinstance(found, str)
    assert (found.table, found.hint, found.model) == (table, hint, model)


def test_a_provider_without_counterpart_and_address_is_named() -> None:
    assert deployed({"model": "nobody/knows"}, {}) == "nobody"


def test_the_two_halves_of_an_aws_key_are_one_credential() -> None:
    params = {"model": "bedrock/m", "aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}
    found = deployed(params, {})
    assert not isinstance(found, str)
    secret = secret_of(found.credential)
    assert secret is not None
    assert secret.reveal() == "AKIA:s"
    assert secret_of(Given(variable="A")) is None
