"""What operators do with configs."""

from pathlib import Path

import pytest

from anykey.administration.configs import check_config, delete_config, find_config, list_configs, put_config
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home

TOML = b"""
strategy = { mode = "weighted" }
targets = [ { weight = 2, provider = "@a" }, { provider = "b" } ]
cache = { mode = "simple" }
"""
JSON = b"""{"targets": [{"provider": "@a", "weight": 2}, {"provider": "b"}], "strategy": {"mode": "weighted"},
"cache": {"mode": "simple"}}"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def test_the_same_in_toml_and_json_is_one_version(home: Home) -> None:
    first = put_config(home, "prod", TOML)
    assert (first.new, first.row.reference, len(first.notes)) == (True, "prod@1", 1)
    again = put_config(home, "prod", JSON)
    assert (again.new, again.row) == (False, first.row)
    assert find_config(home, "prod").body == find_config(home, "prod@1").body == first.row.body
    assert put_config(home, "prod", b'{"provider": "a"}').row.version == 2
    assert [row.reference for row in list_configs(home)] == ["prod@2"]
    assert delete_config(home, "prod") == 2


@pytest.mark.parametrize("name", ["", "-x", "a b", "a@1", "a/b", "x" * 65])
def test_names(home: Home, name: str) -> None:
    with pytest.raises(AdministrationError):
        put_config(home, name, JSON)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b'{"targets": [{"weight": -1}]}', "targets[0].weight"),
        (b"{", "not JSON"),
        (b"provider = ", "neither JSON nor TOML"),
        (b"\xff", "neither JSON nor TOML"),
        (b"[" * 60_000, "neither JSON nor TOML"),
        (b" " * 70_000, "larger"),
        (b'api_key = "sk-secret-1"', "credentials"),
    ],
)
def test_what_cannot_be_meant_is_not_kept(home: Home, text: bytes, what: str) -> None:
    for refused in (lambda: put_config(home, "prod", text), lambda: check_config(text)):
        with pytest.raises(AdministrationError) as error:
            refused()
        assert what in str(error.value)
        assert "sk-secret-1" not in str(error.value)
    assert list_configs(home) == []


@pytest.mark.parametrize("reference", ["none", "none@1", "no name", "prod@0", "prod@99"])
def test_what_is_not_there(home: Home, reference: str) -> None:
    put_config(home, "prod", JSON)
    with pytest.raises(AdministrationError):
        find_config(home, reference)
    with pytest.raises(AdministrationError):
        delete_config(home, reference)
