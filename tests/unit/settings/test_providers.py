"""One provider table: its kind, limits, headers and dialect."""

from pathlib import Path

import pytest

from tests.unit.settings.reading import problems, read

KEY = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "K": "k"}


def test_a_row_of_the_catalogue_needs_only_its_credential(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        '[providers.byteplus_coding]\napi_key = { env = "BYTEPLUS_API_KEY" }\n',
        {"BYTEPLUS_API_KEY": "k"},
    )
    (provider,) = settings.providers
    assert provider.kind.id == "byteplus_coding"
    assert provider.endpoints[0].base_url == "https://ark.ap-southeast.bytepluses.com/api/coding/v3"
    assert provider.credential is not None
    assert provider.credential.reveal() == "k"
    assert provider.origin == "BYTEPLUS_API_KEY"


def test_a_kind_may_be_named_by_an_alias(tmp_path: Path) -> None:
    settings = read(tmp_path, '[providers.moon]\nkind = "moonshot"\napi_key = { env = "K" }\n', {"K": "k"})
    assert settings.providers[0].kind.id == "kimi"


def test_everything_of_a_table(tmp_path: Path) -> None:
    text = """
[upstream]
timeouts = { connect_s = 1, idle_s = 2 }
[providers.lab]
kind = "custom"
protocol = "anthropic_messages"
base_url = "http://127.0.0.1:9/"
auth = "bearer"
models = ["a", "b"]
timeouts = { idle_s = 3.5 }
headers = { X-Team = "blue" }
[providers.lab.dialect.anthropic_messages]
version = "2026-10-21"
default_max_tokens = 100
"""
    (lab,) = read(tmp_path, text).providers
    assert (lab.auth, lab.models, lab.credential) == ("bearer", ("a", "b"), None)
    assert (lab.timeouts.connect_s, lab.timeouts.idle_s, lab.timeouts.first_byte_s) == (1, 3.5, 120)
    assert lab.headers == (("x-team", "blue"),)
    assert lab.dialect == {"anthropic_messages": {"version": "2026-10-21", "default_max_tokens": 100}}


def test_an_auth_token_is_sent_as_bearer(tmp_path: Path) -> None:
    (provider,) = read(tmp_path, "[providers.anthropic]\n", {"ANTHROPIC_AUTH_TOKEN": "t"}).providers
    assert provider.auth == "bearer"
    (provider,) = read(tmp_path, "[providers.anthropic]\n", {"ANTHROPIC_API_KEY": "k"}).providers
    assert provider.auth == ""


@pytest.mark.parametrize("name", ["demo", "show"])
def test_the_demo_may_be_configured_to_one_door(tmp_path: Path, name: str) -> None:
    settings = read(tmp_path, f'[providers.{name}]\nkind = "demo"\nprotocol = "openai_chat"\n')
    assert [door.protocol for door in settings.providers[0].endpoints] == ["openai_chat"]
    assert [(model.name, model.deployments) for model in settings.models] == [("demo", (f"{name}/demo",))]


def test_a_protocol_without_a_codec_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anykey.settings.providers.SERVED_PROTOCOLS", ("openai_chat",))
    text = '[providers.g]\nkind = "custom"\nprotocol = "gemini_generate"\nbase_url = "http://x"\n'
    assert [(w.line, w.key, w.code) for w in read(tmp_path, text).warnings] == [
        (3, "providers.g.protocol", "settings.protocol_not_served")
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[providers.x]\nkind = "opnai"', (2, "providers.x.kind", "unknown_value")),
        ("[providers.opnai]", (1, "providers.opnai", "unknown_value")),
        ('[providers.openai]\n\nauth = "basic"', (3, "providers.openai.auth", "unknown_value")),
        ("[providers.openai]\nheaders = { Host = 'x' }", (2, "providers.openai.headers.Host", "bad_header")),
        ("[providers.openai]\nheaders = { 'a b' = 'x' }", (2, 'providers.openai.headers."a b"', "bad_header")),
        ('[providers.openai]\nheaders = { a = "x\\r\\ny" }', (2, "providers.openai.headers.a", "bad_header")),
        ("[providers.openai]\nheaders = { a = 1 }", (2, "providers.openai.headers.a", "wrong_type")),
        ("[providers.openai]\ntimeouts = { total = 1 }", (2, "providers.openai.timeouts.total", "unknown_key")),
        ("[providers.openai.dialect.openai]\na = 1", (1, "providers.openai.dialect.openai", "unknown_value")),
        (
            "[providers.openai.dialect.openai_chat]\nsamplng = false",
            (2, "providers.openai.dialect.openai_chat.samplng", "unknown_key"),
        ),
        (
            "[providers.openai.dialect.openai_chat]\nsampling = 'no'",
            (2, "providers.openai.dialect.openai_chat.sampling", "wrong_type"),
        ),
        ("[providers.openai.dialect]\nopenai_chat = 1", (2, "providers.openai.dialect.openai_chat", "wrong_type")),
        ('[providers."a/b"]\nkind = "ollama"', (1, 'providers."a/b"', "bad_name")),
        ('[providers."@a"]\nkind = "ollama"', (1, 'providers."@a"', "bad_name")),
    ],
)
def test_refused(tmp_path: Path, text: str, found: tuple[int, str, str]) -> None:
    assert problems(tmp_path, text + "\n", KEY) == [found]


def test_a_placeholder_in_the_kinds_own_variable(tmp_path: Path) -> None:
    assert problems(tmp_path, "[providers.openai]\n", {"OPENAI_API_KEY": "sk-1234"}) == [
        (1, "providers.openai", "placeholder_credential")
    ]


def test_hosted_tools_are_dropped_or_rejected_by_provider_and_by_model(tmp_path: Path) -> None:
    text = (
        '[providers.openai]\nhosted_tools = "reject"\n[models.a]\ndeployments = ["openai/x"]\nhosted_tools = "drop"\n'
    )
    settings = read(tmp_path, text + '[models.b]\ndeployments = ["openai/x"]\n', KEY)
    assert settings.providers[0].hosted_tools == "reject"
    assert [model.hosted_tools for model in settings.models] == ["drop", None]
    wrong = problems(tmp_path, text.replace('"reject"', '"refuse"').replace('"drop"', "3"), KEY)
    assert wrong == [
        (2, "providers.openai.hosted_tools", "unknown_value"),
        (5, "models.a.hosted_tools", "wrong_type"),
    ]
