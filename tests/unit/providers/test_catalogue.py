"""Every row of the catalogue keeps the catalogue's rules; a new row is tested by being there."""

import re
import tomllib
from collections import Counter
from fnmatch import fnmatchcase
from importlib import resources
from urllib.parse import urlsplit

import pytest

from anykey.protocols.gemini_generate.codec import CODEC as GEMINI
from anykey.providers.addresses import is_value, variables_in
from anykey.providers.auth import SCHEMES
from anykey.providers.auth.binding import origin_of
from anykey.providers.dialect_fields import DIALECT_FIELDS, accepts
from anykey.providers.load import catalogue
from anykey.providers.records import DEFAULT_PATHS, ProviderKind

KINDS = list(catalogue().values())
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
LISTED_ELSEWHERE = {"bedrock", "cohere"}
"""These list their models at another host of theirs, which the credential does not reach."""


def _rows() -> list[object]:
    return [pytest.param(kind, id=kind.id) for kind in KINDS]


@pytest.mark.parametrize("kind", _rows())
def test_addresses_are_well_formed(kind: ProviderKind) -> None:
    assert kind.endpoints
    for door in kind.endpoints:
        for url in filter(None, (door.base_url, door.models_url if door.base_url else None)):
            parts = urlsplit(url)
            local = kind.group == "local"
            assert parts.scheme == ("http" if local else "https"), url
            assert (parts.hostname == "127.0.0.1") is local, url
            assert not parts.query, url
            assert not parts.fragment, url
            assert "@" not in parts.netloc, url
            assert not url.endswith("/"), url
        path = door.path or DEFAULT_PATHS[door.protocol]
        assert path.startswith("/")
        assert bool(door.base_url) or kind.id in {"custom", "demo"}


@pytest.mark.parametrize("kind", _rows())
def test_models_are_listed_at_the_origin_that_the_credential_is_for(kind: ProviderKind) -> None:
    for door in kind.endpoints:
        if door.models_url and door.base_url and kind.id not in LISTED_ELSEWHERE:
            assert origin_of(door.models_url) == origin_of(door.base_url)


@pytest.mark.parametrize("kind", _rows())
def test_variables_are_those_of_the_addresses(kind: ProviderKind) -> None:
    assert set(variables_in(kind.endpoints)) == {variable.name for variable in kind.variables}
    for variable in kind.variables:
        assert variable.envs
        assert all(VARIABLE.fullmatch(name) for name in variable.envs)
        assert not variable.default or is_value(variable.default)
        assert variable.name != "model"


@pytest.mark.parametrize("kind", _rows())
def test_one_door_for_each_protocol_lane_and_region(kind: ProviderKind) -> None:
    places = Counter((door.protocol, door.lane, door.region) for door in kind.endpoints)
    assert max(places.values()) == 1


@pytest.mark.parametrize("kind", _rows())
def test_texts_are_in_both_languages(kind: ProviderKind) -> None:
    assert kind.names.keys() == {"en", "zh-CN"}
    assert all(kind.names.values())
    assert kind.notes.keys() in ({"en", "zh-CN"}, set())
    assert kind.docs.startswith("https://") or kind.id in {"custom", "demo"}


@pytest.mark.parametrize("kind", _rows())
def test_authentication_is_known(kind: ProviderKind) -> None:
    assert kind.auth in SCHEMES
    assert {door.auth for door in kind.endpoints} <= {"", *SCHEMES}
    assert set(kind.credential_auth) <= set(kind.credential_envs)
    assert set(kind.credential_auth.values()) <= set(SCHEMES)
    variables = kind.credential_variables
    assert kind.auth_optional or variables, "no way to give a credential"
    assert len(set(variables)) == len(variables)
    assert all(VARIABLE.fullmatch(name) for name in variables)
    assert set(kind.shared_envs) <= set(variables)
    assert not kind.oauth_envs or kind.auth == "bearer", "an access token travels as a bearer"


@pytest.mark.parametrize("kind", _rows())
def test_dialect_fields_are_known_and_of_the_right_type(kind: ProviderKind) -> None:
    spoken = {door.protocol for door in kind.endpoints}
    tables = [*kind.dialect.items(), *((row.protocol, row.fields) for row in kind.dialect_by_model)]
    for protocol, fields in tables:
        assert protocol in spoken, f"a dialect of {protocol}, which no door speaks"
        for name, value in fields.items():
            assert accepts(DIALECT_FIELDS[protocol][name], value), (protocol, name, value)


@pytest.mark.parametrize("kind", _rows())
def test_globs_are_lower_case_and_models_listed_once(kind: ProviderKind) -> None:
    globs = [*kind.model_patterns, *(glob for row in kind.dialect_by_model for glob in row.match)]
    assert globs == [glob.lower() for glob in globs]
    assert len(set(kind.models)) == len(kind.models)
    assert not kind.default_model or kind.default_model in kind.models


def test_each_file_says_its_group_and_not_its_id() -> None:
    folder = resources.files("anykey.providers") / "catalogue"
    rows = {
        file.name: tomllib.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".toml")
    }
    assert {name.removesuffix(".toml") for name in rows} == set(catalogue())
    assert [name for name, row in rows.items() if "id" in row or "group" not in row] == []


def test_there_are_at_least_130_kinds() -> None:
    assert len(KINDS) >= 130


def test_no_variable_would_configure_two_kinds() -> None:
    """A tie would be decided by the alphabet."""
    first = Counter(
        kind.credential_variables[0] for kind in KINDS if kind.from_environment and kind.credential_variables
    )
    assert [name for name, count in first.items() if count > 1] == []


@pytest.mark.parametrize("kind", _rows())
def test_a_plan_is_not_configured_by_a_variable_of_another_kind(kind: ProviderKind) -> None:
    elsewhere = {name for other in KINDS if other is not kind for name in other.credential_variables}
    alone = set(kind.credential_variables) - set(kind.shared_envs) if kind.from_environment else set[str]()
    if kind.group in {"coding", "subscription"}:
        assert alone.isdisjoint(elsewhere)


def test_names_and_aliases_are_unique_over_the_catalogue() -> None:
    names = Counter(name for kind in KINDS for name in (kind.id, *kind.aliases))
    assert [name for name, count in names.items() if count > 1] == []
    assert all(name == name.lower() and "/" not in name and "@" not in name for name in names)


def test_the_named_kinds_are_there() -> None:
    wanted = {"openai", "anthropic", "gemini", "deepseek", "byteplus", "byteplus_coding", "volcengine"}
    wanted |= {"volcengine_coding", "kimi", "zai", "qwen", "xai", "openrouter", "ollama", "custom", "demo"}
    assert wanted <= set(catalogue())


def test_byteplus_coding_is_as_its_page_says() -> None:
    kind = catalogue()["byteplus_coding"]
    door = kind.endpoints[0]
    assert door.protocol == "openai_chat"
    assert door.base_url == "https://ark.ap-southeast.bytepluses.com/api/coding/v3"
    assert door.base_url + DEFAULT_PATHS["openai_chat"] == (
        "https://ark.ap-southeast.bytepluses.com/api/coding/v3/chat/completions"
    )
    assert door.models_url == "https://ark.ap-southeast.bytepluses.com/api/coding/v3/models"
    assert (kind.auth, kind.auth_optional, kind.probe_auth_optional) == ("bearer", False, False)
    assert kind.credential_envs == ("BYTEPLUS_API_KEY", "ARK_API_KEY")
    assert kind.aliases == ("byteplus_coding_compatible",)
    assert not kind.from_environment, "a plan's key is only used where it was meant to be"


def test_byteplus_regions_are_as_its_page_says() -> None:
    bases = {door.region: door.base_url for door in catalogue()["byteplus"].endpoints if door.protocol == "openai_chat"}
    assert bases == {
        "ap-southeast-1": "https://ark.ap-southeast.bytepluses.com/api/v3",
        "eu-west-1": "https://ark.eu-west.bytepluses.com/api/v3",
    }
    assert catalogue()["byteplus"].endpoints[0].region == "ap-southeast-1"


def test_gemini_speaks_its_own_protocol_first_and_each_door_has_its_own_key_header() -> None:
    kind = catalogue()["gemini"]
    assert [(door.protocol, door.auth or kind.auth) for door in kind.endpoints] == [
        ("gemini_generate", "x_goog_api_key"),
        ("openai_chat", "bearer"),
    ]
    native = kind.endpoints[0]
    assert (
        native.base_url + DEFAULT_PATHS["gemini_generate"] == "https://generativelanguage.googleapis.com/v1beta/models"
    )


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "gemini-3.1-pro-preview",
            {"thinking": "level", "thought_signatures": "required", "tool_result_media": "native"},
        ),
        ("gemini-3.8-flash", {"thinking": "level", "lowest_level": "minimal"}),
        ("gemini-3-pro-image-preview", {"image_output": True}),
        ("gemini-2.5-pro", {"thinking": "budget", "min_thinking_budget": 128, "thought_signatures": "optional"}),
        ("gemini-2.5-flash", {"thinking": "budget", "min_thinking_budget": 0, "tool_result_media": "user_followup"}),
        ("gemini-2.5-flash-image", {"thinking": "none", "image_output": True, "hosted_tools": ""}),
        ("gemini-2.0-flash", {"thinking": "none", "json_schema": False, "validated_calls": False}),
    ],
)
def test_generations_of_gemini_differ(model: str, said: dict[str, object]) -> None:
    fields = catalogue()["gemini"].dialect_of("gemini_generate", model)
    assert said.items() <= fields.items()
    assert GEMINI.dialect(dict(fields))


@pytest.mark.parametrize(
    ("model", "owner"),
    [
        ("gpt-5.4", "openai"),
        ("o3-mini", "openai"),
        ("claude-opus-5-5", "anthropic"),
        ("gemini-2.5-pro", "gemini"),
        ("deepseek-v4-pro", "deepseek"),
        ("grok-4", "xai"),
        ("doubao-seed-2-1-pro-260915", "volcengine"),
        ("seed-2-0-pro-260328", "byteplus"),
        ("demo", "demo"),
    ],
)
def test_a_vendors_names_are_its_own(model: str, owner: str) -> None:
    assert [kind.id for kind in KINDS if any(fnmatchcase(model, glob) for glob in kind.model_patterns)] == [owner]
