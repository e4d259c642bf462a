"""The whole: which file is read, what its mistakes look like, and what comes out."""

from pathlib import Path

import pytest

from anykey.settings import SettingsError, load_settings
from anykey.settings.records import LedgerSettings
from tests.unit.settings.reading import problems, read

EXAMPLE = """\
[providers.lab]                       # a provider of one's own
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9001/v1"
api_key = { env = "LAB_KEY" }
[providers.byteplus_coding]
api_key = { env = "BYTEPLUS_API_KEY" }
[models."gpt-5.4"]
deployments = ["lab/gpt-5.4", "byteplus_coding/kimi-k2.6"]
"""
KEYS = {"LAB_KEY": "l", "BYTEPLUS_API_KEY": "b"}


def test_the_documented_example(tmp_path: Path) -> None:
    settings = read(tmp_path, EXAMPLE, KEYS)
    assert [provider.name for provider in settings.providers] == ["lab", "byteplus_coding"]
    assert [(model.name, model.deployments) for model in settings.models] == [
        ("gpt-5.4", ("lab/gpt-5.4", "byteplus_coding/kimi-k2.6"))
    ]
    assert settings.warnings == ()
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 4000)
    assert (settings.home, settings.config) == (tmp_path, tmp_path / "anykey.toml")


def test_no_secret_is_shown_by_the_settings(tmp_path: Path) -> None:
    settings = read(tmp_path, EXAMPLE, {"LAB_KEY": "l-very-secret", "BYTEPLUS_API_KEY": "b-very-secret"})
    assert "very-secret" not in repr(settings) + str(settings)


def test_server_and_upstream(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    text = """
[server]
host = "0.0.0.0"
port = 0
max_body_bytes = 1000
keepalive_s = 0.5
[ledger]
durability = "power"
[upstream]
ca_file = "ca.pem"
timeouts = { connect_s = 1, first_byte_s = 2, idle_s = 3, total_s = 4 }
"""
    settings = read(tmp_path, text)
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 0)
    assert (settings.server.max_body_bytes, settings.server.keepalive_s) == (1000, 0.5)
    assert settings.ledger == LedgerSettings("power", every_call=False, assumed_output_tokens=16_384)
    assert settings.upstream.ca_file == tmp_path / "ca.pem"
    assert settings.providers[0].timeouts == settings.upstream.timeouts
    assert settings.upstream.timeouts.total_s == 4


def test_which_file_is_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for number, file in enumerate((tmp_path / "given.toml", tmp_path / "named.toml", home / "anykey.toml"), 1):
        file.write_text(f"[server]\nport = {number}\n")
    environ = {"ANYKEY_HOME": str(home)}
    named = {**environ, "ANYKEY_CONFIG": str(tmp_path / "named.toml")}
    assert load_settings(named, tmp_path / "given.toml").server.port == 1
    assert load_settings(named).server.port == 2
    assert load_settings(environ).server.port == 3
    (home / "anykey.toml").unlink()
    without = load_settings(environ)
    assert (without.server.port, without.config) == (4000, None)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    for environ, config in (({}, tmp_path / "no.toml"), ({"ANYKEY_CONFIG": str(tmp_path / "no.toml")}, None)):
        with pytest.raises(SettingsError) as caught:
            load_settings({"ANYKEY_HOME": str(tmp_path), **environ}, config)
        assert str(caught.value) == f"{tmp_path / 'no.toml'}: the file cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("text", "line"),
    [("[server]\nport = \n", 2), ("a = 1\na = 2\n", 2), ('x = "\n', 1), ("\n\n[server", 3), ("a = 1\nb", 2)],
)
def test_syntax_errors_have_their_line(tmp_path: Path, text: str, line: int) -> None:
    assert problems(tmp_path, text) == [(line, "", "syntax")]


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "anykey.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings({"ANYKEY_HOME": str(tmp_path)})


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "anykey.toml").write_bytes(b"\xef\xbb\xbf[server]\nport = 5\n")
    assert load_settings({"ANYKEY_HOME": str(tmp_path)}).server.port == 5


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
[server]
prot = 1
port = 70000

[providers.lab]
kind = "custm"

[providers.openai]
api_key = { env = "NOPE" }

[models.a]
deployments = ["opnai/x", "x", "lab/x", "openai/x"]
[models.b]
deployments = []
[modles.c]
"""
    assert problems(tmp_path, text) == [
        (2, "server.prot", "unknown_key"),
        (3, "server.port", "out_of_range"),
        (6, "providers.lab.kind", "unknown_value"),
        (9, "providers.openai.api_key", "empty_credential"),
        (12, "models.a.deployments", "unknown_provider"),
        (12, "models.a.deployments", "bad_deployment"),
        (14, "models.b.deployments", "missing"),
        (15, "modles", "unknown_key"),
    ]


@pytest.mark.parametrize("deployment", ["openai/gpt-5", "@openai/gpt-5", "openai_compatible/gpt-5", "openai/a/b"])
def test_deployments_name_a_provider_or_its_kind(tmp_path: Path, deployment: str) -> None:
    settings = read(tmp_path, f'[models.m]\ndeployments = ["{deployment}"]\n', {"OPENAI_API_KEY": "k"})
    assert settings.models[0].deployments == (deployment,)


def test_a_missing_ca_file(tmp_path: Path) -> None:
    assert problems(tmp_path, '[upstream]\nca_file = "no.pem"\n') == [(2, "upstream.ca_file", "unreadable")]


def test_a_file_without_providers_serves_the_demo(tmp_path: Path) -> None:
    settings = read(tmp_path, "[server]\nport = 1\n")
    assert [provider.origin for provider in settings.providers] == ["built in"]


def test_the_demos_name_may_be_given_to_another_model(tmp_path: Path) -> None:
    text = '[providers.demo]\n[models.demo]\ndeployments = ["openai/gpt-5"]\n'
    settings = read(tmp_path, text, {"OPENAI_API_KEY": "k"})
    assert [(model.name, model.deployments) for model in settings.models] == [("demo", ("openai/gpt-5",))]


def test_a_file_that_nests_too_deeply_is_told_like_any_other_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, "[server]\nport = " + "[" * 100_000) == [(0, "", "syntax")]
