"""What an operator is told of kinds and of the configured providers."""

from pathlib import Path

import msgspec
import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.providers import PROTOCOL_FAMILIES, check_providers, describe_kind, list_kinds
from anykey.providers.load import catalogue
from anykey.providers.records import PROTOCOLS
from anykey.settings import load_settings

SECRET = "k3y-0a1b2c"
WRONG = """
[providers.byteplus_coding]
base_url = "https://ark.ap-southeast.bytepluses.com/api/v3"
"""


def test_all_kinds_are_listed_and_the_configured_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "anykey.toml"
    file.write_text('[providers.work]\nkind = "openai"\n[providers.home]\nkind = "openai"\n', "utf-8")
    settings = load_settings({"ANYKEY_HOME": str(tmp_path), "OPENAI_API_KEY": SECRET}, file)
    rows = list_kinds(settings.providers)
    assert [row.kind for row in rows] == list(catalogue())
    assert {row.kind: row.configured for row in rows if row.configured} == {"openai": ("work", "home")}
    byteplus = next(row for row in rows if row.kind == "byteplus")
    assert byteplus.regions == ("ap-southeast-1", "eu-west-1")


def test_each_protocol_has_a_family() -> None:
    assert set(PROTOCOL_FAMILIES) == set(PROTOCOLS)


@pytest.mark.parametrize("kind", catalogue())
def test_every_kind_can_be_described(kind: str) -> None:
    view = describe_kind(kind)
    assert view.kind == kind
    assert msgspec.json.decode(msgspec.json.encode(view))["kind"] == kind


@pytest.mark.parametrize(
    ("kind", "endpoint"),
    [
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent"),
        ("bedrock", "https://bedrock-runtime.{region}.amazonaws.com/model/{model}/converse"),
        ("azure", "https://{resource}.openai.azure.com/openai/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
        ("custom", ""),
    ],
)
def test_where_a_call_goes(kind: str, endpoint: str) -> None:
    assert describe_kind(kind).request_endpoint == endpoint


def test_a_kind_by_its_alias_and_one_that_is_not_there() -> None:
    assert describe_kind("moonshot").kind == "kimi"
    with pytest.raises(AdministrationError, match="Did you mean byteplus_coding"):
        describe_kind("byteplus_codin")


def test_a_configuration_that_is_well(tmp_path: Path) -> None:
    report = check_providers({"ANYKEY_HOME": str(tmp_path), "BYTEPLUS_API_KEY": SECRET})
    assert report.problems == ()
    (provider,) = report.providers
    assert (provider.name, provider.lane, provider.region, provider.credential) == (
        "byteplus",
        "general",
        "ap-southeast-1",
        True,
    )
    assert [door.request_endpoint for door in provider.endpoints] == [
        "https://ark.ap-southeast.bytepluses.com/api/v3/chat/completions",
        "https://ark.ap-southeast.bytepluses.com/api/v3/responses",
    ]
    assert SECRET not in msgspec.json.encode(report).decode()


def test_a_configuration_that_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "anykey.toml"
    file.write_text(WRONG, "utf-8")
    report = check_providers({"ANYKEY_HOME": str(tmp_path), "BYTEPLUS_API_KEY": SECRET}, file)
    assert report.providers == ()
    assert [(problem.line, problem.code) for problem in report.problems] == [(3, "settings.wrong_lane")]
    assert SECRET not in msgspec.json.encode(report).decode()


def test_a_variable_that_serves_other_things_configures_nothing_by_itself() -> None:
    assert not describe_kind("vertex").from_environment
    assert describe_kind("openai").from_environment
    assert describe_kind("bedrock").from_environment, "by its bearer key"
