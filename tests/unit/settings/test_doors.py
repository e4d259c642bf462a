"""Which doors a provider has after lane, region, protocol and address are chosen."""

from pathlib import Path

import pytest

from anykey.providers.load import catalogue
from anykey.settings import SettingsError
from anykey.settings.doors import default_doors, fault_of_url
from tests.unit.settings.reading import problems, read


def _doors(folder: Path, text: str) -> list[tuple[str, str]]:
    settings = read(folder, f"[providers.p]\napi_key = {{ env = 'K' }}\n{text}", {"K": "k"})
    return [(door.protocol, door.base_url) for door in settings.providers[0].endpoints]


def test_the_default_lane_and_region(tmp_path: Path) -> None:
    assert _doors(tmp_path, 'kind = "deepseek"') == [
        ("openai_chat", "https://api.deepseek.com/v1"),
        ("anthropic_messages", "https://api.deepseek.com/anthropic"),
    ]


def test_another_region(tmp_path: Path) -> None:
    assert _doors(tmp_path, 'kind = "byteplus"\nregion = "eu-west-1"\nprotocol = "openai_chat"') == [
        ("openai_chat", "https://ark.eu-west.bytepluses.com/api/v3")
    ]


def test_a_lane_brings_its_own_region(tmp_path: Path) -> None:
    assert _doors(tmp_path, 'kind = "qwen"\nlane = "coding"') == [
        ("openai_chat", "https://coding.dashscope.aliyuncs.com/v1"),
        ("anthropic_messages", "https://coding.dashscope.aliyuncs.com/apps/anthropic"),
    ]


def test_a_protocol_brings_its_own_lane(tmp_path: Path) -> None:
    assert _doors(tmp_path, 'kind = "zai"\nprotocol = "anthropic_messages"') == [
        ("anthropic_messages", "https://api.z.ai/api/anthropic")
    ]


def test_a_base_url_moves_the_doors_of_one_address(tmp_path: Path) -> None:
    assert _doors(tmp_path, 'kind = "openai"\nbase_url = "https://proxy.example/v1/"') == [
        ("openai_chat", "https://proxy.example/v1"),
        ("openai_responses", "https://proxy.example/v1"),
    ]
    assert _doors(tmp_path, 'kind = "deepseek"\nbase_url = "https://proxy.example"') == [
        ("openai_chat", "https://proxy.example")
    ]
    assert _doors(tmp_path, 'kind = "deepseek"\nprotocol = "anthropic_messages"\nbase_url = "https://p.example"') == [
        ("anthropic_messages", "https://p.example")
    ]


def test_a_moved_door_looks_for_its_models_where_it_is(tmp_path: Path) -> None:
    settings = read(tmp_path, '[providers.openai]\nbase_url = "https://p.example/v1/"\n', {"OPENAI_API_KEY": "k"})
    assert [door.models_url for door in settings.providers[0].endpoints] == ["https://p.example/v1/models"] * 2
    settings = read(tmp_path, '[providers.cohere]\nbase_url = "https://p.example/v1"\n', {"COHERE_API_KEY": "k"})
    assert {door.models_url for door in settings.providers[0].endpoints} == {None}, (
        "the vendor's list is at another host"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('kind = "byteplus"\nregion = "mars"', (4, "providers.p.region", "no_endpoint")),
        ('kind = "byteplus"\nlane = "coding"', (4, "providers.p.lane", "no_endpoint")),
        ('kind = "gemini"\nprotocol = "anthropic_messages"', (4, "providers.p.protocol", "no_endpoint")),
        ('kind = "openai"\nprotocol = "openai"', (4, "providers.p.protocol", "unknown_value")),
        ('kind = "custom"\nprotocol = "openai_chat"', (1, "providers.p.base_url", "missing")),
        ('kind = "custom"\nbase_url = "http://x"', (1, "providers.p.protocol", "missing")),
        ('kind = "openai"\nbase_url = "ftp://x"', (4, "providers.p.base_url", "bad_url")),
    ],
)
def test_refused(tmp_path: Path, text: str, found: tuple[int, str, str]) -> None:
    assert problems(tmp_path, f"[providers.p]\napi_key = {{ env = 'K' }}\n{text}\n", {"K": "k"}) == [found]


def test_what_there_is_instead_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="region ap-southeast-1, region eu-west-1"):
        read(tmp_path, '[providers.byteplus]\nregion = "mars"\n', {"BYTEPLUS_API_KEY": "k"})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9001/v1", "https://x.example", "http://[::1]:80", "https://x.example/a/b/"]
)
def test_usable_addresses(url: str) -> None:
    assert fault_of_url(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "begin with http"),
        ("x.example/v1", "begin with http"),
        ("file:///etc/passwd", "begin with http"),
        ("http://", "no host"),
        ("https:///v1", "no host"),
        ("https://user:secret@x.example", "user name"),
        ("https://user@x.example", "user name"),
        ("https://x.example?key=secret", "query"),
        ("https://x.example/?", "query"),
        ("https://x.example/#a", "fragment"),
        ("https://x.example:0", "port"),
        ("https://x.example:99999", "parsed"),
        ("http://[::1", "parsed"),
        ("https://x.example/a b", "blank"),
        ("https://x.example/\u00e4", "blank"),
    ],
)
def test_unusable_addresses(url: str, reason: str) -> None:
    fault = fault_of_url(url)
    assert fault is not None
    assert reason in fault
    assert "secret" not in fault


AZURE = '[providers.azure]\napi_key = { env = "K" }\n'


def test_variables_are_filled_from_the_table_or_the_environment(tmp_path: Path) -> None:
    text = AZURE + 'variables = { resource = "blue" }\n'
    for settings in (
        read(tmp_path, text, {"K": "k"}),
        read(tmp_path, AZURE, {"K": "k", "AZURE_RESOURCE_NAME": "blue"}),
    ):
        door = settings.providers[0].endpoints[0]
        assert door.base_url == "https://blue.openai.azure.com/openai/v1"
        assert door.models_url == "https://blue.openai.azure.com/openai/v1/models"


def test_a_default_stands_in(tmp_path: Path) -> None:
    text = AZURE + 'lane = "deployments"\nprotocol = "openai_chat"\nvariables = { resource = "blue" }\n'
    (door,) = read(tmp_path, text, {"K": "k"}).providers[0].endpoints
    assert door.path == "/openai/deployments/{model}/chat/completions?api-version=2025-04-01-preview"
    (door,) = read(tmp_path, text, {"K": "k", "AZURE_API_VERSION": "2024-10-21"}).providers[0].endpoints
    assert door.path.endswith("?api-version=2024-10-21")


def test_what_a_moved_door_does_not_need_is_not_asked_for(tmp_path: Path) -> None:
    settings = read(tmp_path, AZURE + 'base_url = "https://proxy.example/openai/v1"\n', {"K": "k"})
    assert settings.providers[0].endpoints[0].base_url == "https://proxy.example/openai/v1"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", (1, "providers.azure.variables.resource", "no_variable")),
        ('variables = { resource = "a/b" }', (3, "providers.azure.variables.resource", "bad_variable")),
        ('variables = { resource = "a@evil.example" }', (3, "providers.azure.variables.resource", "bad_variable")),
        ('variables = { resource = "a", zone = "b" }', (3, "providers.azure.variables.zone", "unknown_key")),
        ("variables = 3", (3, "providers.azure.variables", "wrong_type")),
    ],
)
def test_variables_refused(tmp_path: Path, line: str, found: tuple[int, str, str]) -> None:
    assert found in problems(tmp_path, AZURE + line + "\n", {"K": "k"})


def test_default_doors() -> None:
    assert [door.protocol for door in default_doors(catalogue()["byteplus_coding"])] == [
        "openai_chat",
        "anthropic_messages",
        "openai_responses",
    ]
