"""Providers found in the environment: which variable configures what, and what is left alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from anykey.settings import Settings, SettingsError, load_settings
from anykey.settings.environment import owners
from tests.unit.settings.reading import read


def _found(folder: Path, environ: Mapping[str, str]) -> Settings:
    return load_settings({"ANYKEY_HOME": str(folder), **environ})


def _names(settings: Settings) -> list[str]:
    return [provider.name for provider in settings.providers]


@pytest.mark.parametrize(
    ("variable", "provider"),
    [
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("ANTHROPIC_AUTH_TOKEN", "anthropic"),
        ("ARK_API_KEY", "volcengine"),
        ("BYTEPLUS_API_KEY", "byteplus"),
        ("MODELARK_API_KEY", "byteplus"),
        ("GOOGLE_API_KEY", "gemini"),
        ("ZAI_API_KEY", "zai"),
        ("ZHIPUAI_API_KEY", "zhipu"),
        ("MOONSHOT_API_KEY", "kimi"),
        ("KIMI_CODING_API_KEY", "kimi_coding"),
        ("OLLAMA_API_KEY", "ollama_cloud"),
        ("OPENAI_OAUTH_ACCESS_TOKEN", "openai"),
        ("AWS_BEARER_TOKEN_BEDROCK", "bedrock"),
    ],
)
def test_a_variable_configures_its_provider(tmp_path: Path, variable: str, provider: str) -> None:
    settings = _found(tmp_path, {variable: "k-1"})
    assert _names(settings) == [provider]
    assert settings.providers[0].origin == variable
    assert settings.models == ()


def test_both_arks_with_both_variables(tmp_path: Path) -> None:
    assert _names(_found(tmp_path, {"ARK_API_KEY": "a", "BYTEPLUS_API_KEY": "b"})) == ["byteplus", "volcengine"]


def test_no_variable_belongs_to_a_plan() -> None:
    assert {kind.id for kind in owners().values()}.isdisjoint(
        {"byteplus_coding", "volcengine_coding", "custom", "demo"}
    )


@pytest.mark.parametrize(
    "variable",
    ["GITHUB_TOKEN", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "CLOUDFLARE_API_KEY", "BAILIAN_API_KEY", "VERCEL_API_KEY"],
)
def test_a_variable_that_serves_other_things_too_configures_no_plan_and_no_cloud(tmp_path: Path, variable: str) -> None:
    kinds = set(_names(_found(tmp_path, {variable: "k-1"})))
    assert kinds <= {"demo", "qwen"}


def test_a_kind_whose_address_is_not_known_is_left_out_with_a_warning(tmp_path: Path) -> None:
    settings = _found(tmp_path, {"AZURE_API_KEY": "k"})
    assert _names(settings) == ["demo"]
    (warning,) = settings.warnings
    assert (warning.code, warning.key) == ("settings.variable_missing", "AZURE_API_KEY")
    assert "AZURE_RESOURCE_NAME" in str(warning)
    (azure,) = _found(tmp_path, {"AZURE_API_KEY": "k", "AZURE_RESOURCE_NAME": "blue"}).providers
    assert azure.endpoints[0].base_url == "https://blue.openai.azure.com/openai/v1"
    assert _names(_found(tmp_path, {"AZURE_API_KEY": "k", "AZURE_RESOURCE_NAME": "blue/x"})) == ["demo"]


def test_a_pair_of_aws_keys_signs(tmp_path: Path) -> None:
    environ = {
        "ANYKEY_PROVIDERS": "bedrock",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_REGION": "eu-west-1",
    }
    (bedrock,) = _found(tmp_path, environ).providers
    assert bedrock.auth == "aws_sigv4"
    assert bedrock.endpoints[0].base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"


def test_an_auth_token_is_sent_as_bearer(tmp_path: Path) -> None:
    assert _found(tmp_path, {"ANTHROPIC_AUTH_TOKEN": "t"}).providers[0].auth == "bearer"


def test_nothing_set_serves_the_demo(tmp_path: Path) -> None:
    for environ in ({}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "  "}):
        settings = _found(tmp_path, environ)
        assert _names(settings) == ["demo"]
        assert [model.name for model in settings.models] == ["demo"]


def test_a_placeholder_is_ignored_with_a_warning(tmp_path: Path) -> None:
    settings = _found(tmp_path, {"OPENAI_API_KEY": "changeme"})
    assert _names(settings) == ["demo"]
    assert [str(warning) for warning in settings.warnings] == [
        "environment: OPENAI_API_KEY: holds a placeholder, so openai was not configured from it"
    ]


def test_a_key_of_this_gateway_is_no_credential_of_a_vendor(tmp_path: Path) -> None:
    settings = _found(tmp_path, {"ANTHROPIC_AUTH_TOKEN": "ak-abc123"})
    assert _names(settings) == ["demo"]
    assert [warning.code for warning in settings.warnings] == ["settings.own_key_ignored"]


def test_anykey_providers_is_the_whole_list(tmp_path: Path) -> None:
    environ = {
        "ANYKEY_PROVIDERS": "byteplus_coding, openai",
        "ARK_API_KEY": "a",
        "OPENAI_API_KEY": "o",
        "XAI_API_KEY": "x",
    }
    settings = _found(tmp_path, environ)
    assert _names(settings) == ["byteplus_coding", "openai"]
    assert settings.providers[0].origin == "ARK_API_KEY"


def test_anykey_providers_names_what_needs_no_key(tmp_path: Path) -> None:
    assert _names(_found(tmp_path, {"ANYKEY_PROVIDERS": "ollama,demo"})) == ["ollama", "demo"]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ANYKEY_PROVIDERS": "opnai"}, "'opnai' is not known, did you mean 'openai'?"),
        ({"ANYKEY_PROVIDERS": "custom"}, "'custom' is not known"),
        ({"ANYKEY_PROVIDERS": "openai"}, "openai needs a credential: give api_key, or set OPENAI_API_KEY"),
        ({"ANYKEY_PROVIDERS": "openai", "OPENAI_API_KEY": "sk-1234"}, "OPENAI_API_KEY"),
        ({"ANYKEY_PROVIDERS": "azure", "AZURE_API_KEY": "k"}, 'give variables = { resource = "..." }'),
    ],
)
def test_anykey_providers_refused(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _found(tmp_path, environ)
    assert str(caught.value).startswith("environment: ANYKEY_PROVIDERS: ")
    assert words in str(caught.value)


def test_the_environment_is_added_to_a_file(tmp_path: Path) -> None:
    settings = read(tmp_path, "[providers.ollama]\n", {"OPENAI_API_KEY": "k"})
    assert _names(settings) == ["ollama", "openai"]


def test_unless_the_file_says_no(tmp_path: Path) -> None:
    text = "[server]\nenvironment_providers = false\n[providers.ollama]\n"
    assert _names(read(tmp_path, text, {"OPENAI_API_KEY": "k"})) == ["ollama"]


def test_a_kind_the_file_has_is_not_added_again(tmp_path: Path) -> None:
    text = '[providers.work]\nkind = "openai"\napi_key = { env = "WORK_KEY" }\n'
    assert _names(read(tmp_path, text, {"OPENAI_API_KEY": "k", "WORK_KEY": "w"})) == ["work"]


def test_a_plans_key_does_not_open_the_general_lane(tmp_path: Path) -> None:
    text = '[providers.byteplus_coding]\napi_key = { env = "BYTEPLUS_API_KEY" }\n'
    assert _names(read(tmp_path, text, {"BYTEPLUS_API_KEY": "k"})) == ["byteplus_coding"]
    text = "[providers.byteplus_coding]\n"
    assert _names(read(tmp_path, text, {"BYTEPLUS_API_KEY": "k"})) == ["byteplus_coding"]
