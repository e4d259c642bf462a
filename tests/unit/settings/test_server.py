"""The `[server]` and `[valkey]` sections: what only these know of what they may hold."""

from pathlib import Path

import pytest

from anykey.settings import SettingsError, find_valkey
from anykey.settings.lines import KeyLines
from anykey.settings.section import Source
from anykey.settings.server import read_server, read_valkey


def source() -> Source:
    return Source("f.toml", KeyLines(""))


def test_networks_of_proxies_are_checked() -> None:
    read = source()
    server = read_server(read, {"trusted_proxies": ["10.0.0.0/8", "::1", "10.0.0.1/8", "proxy"]})
    assert server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert [problem.code for problem in read.problems] == ["settings.bad_network"] * 2
    assert [problem.values["found"] for problem in read.problems] == ["'10.0.0.1/8'", "'proxy'"]
    assert read_server(source(), {}).trusted_proxies == ()


@pytest.mark.parametrize(
    "url",
    ["valkey://cache:6379/0", "redis://u:p@127.0.0.1", "rediss://h", "valkeys://h:1/2", "unix:///run/valkey.sock"],
)
def test_where_valkey_is(url: str) -> None:
    read = source()
    found = read_valkey(read, {"url": url}, {})
    assert found is not None
    assert found.reveal() == url
    assert read.problems == []
    of_environment = read_valkey(read, {"url": "valkey://other"}, {"ANYKEY_VALKEY_URL": url})
    assert of_environment == found


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://h", "redis://", "redis://h:port", "unix://"])
def test_what_is_no_place_of_a_valkey_is_said_without_repeating_it(url: str) -> None:
    read = source()
    assert read_valkey(read, {"url": url}, {}) is None
    (problem,) = read.problems
    assert (problem.code, problem.values) == ("settings.bad_valkey_url", {})


def test_it_is_found_without_the_rest_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "anykey.toml"
    file.write_text('[valkey]\nurl = "redis://cache"\n[nonsense]\n')
    environ = {"ANYKEY_HOME": str(tmp_path)}
    found = find_valkey(environ)
    assert found is not None
    assert found.reveal() == "redis://cache"
    assert find_valkey({"ANYKEY_HOME": str(tmp_path / "empty")}) is None
    file.write_text('[valkey]\nurl = "http://cache"\n')
    with pytest.raises(SettingsError):
        find_valkey(environ, file)


def test_there_need_be_none() -> None:
    read = source()
    assert read_valkey(read, {}, {}) is None
    assert read.problems == []
