"""A table against its schema: defaults, types, bounds, unknown keys; every problem at its place."""

from pathlib import Path
from typing import Any

import pytest

from anykey.settings.lines import KeyLines
from anykey.settings.schema import PROVIDER, SERVER, UPSTREAM
from anykey.settings.section import Source, dotted, given, read_section
from tests.unit.settings.reading import problems


def _source() -> Source:
    return Source("f.toml", KeyLines(""))


def test_defaults_and_values() -> None:
    source = _source()
    values = read_section(source, ("server",), {"port": 1}, SERVER)
    assert values["port"] == 1
    assert values["host"] == "127.0.0.1"
    assert source.problems == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", 1),
        ("port", "4000"),
        ("port", True),
        ("port", 1.5),
        ("keepalive_s", "15"),
        ("environment_providers", 1),
        ("environment_providers", "no"),
    ],
)
def test_wrong_types_of_the_server_table(key: str, value: Any) -> None:
    source = _source()
    values = read_section(source, ("server",), {key: value}, SERVER)
    assert [(p.key, p.code) for p in source.problems] == [(f"server.{key}", "settings.wrong_type")]
    assert values[key] == SERVER[key].default


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("models", "a"),
        ("models", [1]),
        ("api_key", 1),
        ("timeouts", 5),
        ("headers", "x: y"),
        ("dialect", []),
        ("kind", {}),
    ],
)
def test_wrong_types_of_a_provider_table(key: str, value: Any) -> None:
    source = _source()
    read_section(source, ("providers", "p"), {key: value}, PROVIDER)
    assert [(p.key, p.code) for p in source.problems] == [(f"providers.p.{key}", "settings.wrong_type")]


@pytest.mark.parametrize("value", [0, -1, 86_401, float("nan"), float("inf")])
def test_seconds_out_of_range(value: float) -> None:
    source = _source()
    read_section(source, ("upstream",), {"timeouts": {"idle_s": value}}, UPSTREAM)
    assert [(p.key, p.code) for p in source.problems] == [("upstream.timeouts.idle_s", "settings.out_of_range")]


def test_a_wrong_value_is_not_repeated_for_it_may_be_a_secret() -> None:
    source = _source()
    read_section(source, ("providers", "p"), {"models": "sk-secret", "headers": "sk-secret"}, PROVIDER)
    assert len(source.problems) == 2
    assert "sk-secret" not in "".join(map(str, source.problems))


def test_only_the_given_timeouts_are_kept() -> None:
    values = read_section(_source(), ("upstream",), {"timeouts": {"idle_s": 3}}, UPSTREAM)
    assert given(values) == {"timeouts": {"idle_s": 3}}


def test_unknown_keys_with_the_nearest_known() -> None:
    source = _source()
    read_section(source, ("server",), {"prot": 1}, SERVER)
    assert str(source.problems[0]).startswith(
        "f.toml: server.prot: there is no such key, did you mean 'port'?; known here: host"
    )


def test_a_table_that_is_none(tmp_path: Path) -> None:
    assert problems(tmp_path, "server = 1\nproviders = []\n") == [
        (1, "server", "wrong_type"),
        (2, "providers", "wrong_type"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", "b_1-x"), "a.b_1-x"),
        (("models", "gpt-5.4"), 'models."gpt-5.4"'),
        (("m", "模型"), 'm."模型"'),
        (("m", ""), 'm.""'),
    ],
)
def test_dotted_keys_are_written_as_in_the_file(path: tuple[str, ...], text: str) -> None:
    assert dotted(path) == text
