"""Providers that have stored credentials are not asked for another, and configure their kinds."""

from pathlib import Path

from anykey.settings import load_settings
from tests.unit.settings.reading import problems, read


def names(folder: Path, stored: set[str], **environ: str) -> list[tuple[str, str]]:
    settings = load_settings({"ANYKEY_HOME": str(folder), **environ}, None, stored)
    return [(provider.name, provider.origin) for provider in settings.providers]


def test_a_stored_credential_configures_its_kind_after_the_environment(tmp_path: Path) -> None:
    assert names(tmp_path, {"openai"}) == [("openai", "stored")]
    assert names(tmp_path, {"openai", "xai"}, DEEPSEEK_API_KEY="d") == [
        ("deepseek", "DEEPSEEK_API_KEY"),
        ("openai", "stored"),
        ("xai", "stored"),
    ]


def test_a_kind_that_is_configured_is_not_added_again(tmp_path: Path) -> None:
    assert names(tmp_path, {"openai"}, OPENAI_API_KEY="k") == [("openai", "OPENAI_API_KEY")]
    read(tmp_path, '[providers.mine]\nkind = "openai"\napi_key = { env = "K" }\n', {"K": "k"})
    assert names(tmp_path, {"openai"}, K="k") == [("mine", "K")]


def test_a_name_that_is_no_kind_configures_nothing(tmp_path: Path) -> None:
    assert names(tmp_path, {"lab"}) == [("demo", "built in")]


def test_a_provider_of_the_file_with_one_is_whole(tmp_path: Path) -> None:
    text = "[providers.openai]\n[providers.xai]\n"
    assert problems(tmp_path, text) == [
        (1, "providers.openai.api_key", "no_credential"),
        (2, "providers.xai.api_key", "no_credential"),
    ]
    assert names(tmp_path, {"openai", "xai"}) == [("openai", "file"), ("xai", "file")]


def test_anykey_providers_stays_the_whole_list(tmp_path: Path) -> None:
    assert names(tmp_path, {"openai", "xai"}, ANYKEY_PROVIDERS="xai") == [("xai", "ANYKEY_PROVIDERS")]


def test_a_public_model_may_be_served_by_one(tmp_path: Path) -> None:
    (tmp_path / "anykey.toml").write_text('[models.m]\ndeployments = ["openai/gpt-5"]\n')
    settings = load_settings({"ANYKEY_HOME": str(tmp_path)}, None, {"openai"})
    assert settings.models[0].deployments == ("openai/gpt-5",)


def test_a_kind_whose_address_needs_more_is_configured_when_the_environment_says_it(tmp_path: Path) -> None:
    assert names(tmp_path, {"azure"}) == [("demo", "built in")]
    assert names(tmp_path, {"azure"}, AZURE_RESOURCE_NAME="blue") == [("azure", "stored")]
