"""Settings and stored credentials together: whose they are, where they may go, and what becomes of one that does not fit."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from anykey.administration.configuration import load_configuration
from anykey.administration.credentials import EVERY_PROVIDER, add_credential
from anykey.administration.errors import AdministrationError
from anykey.administration.home import prepare_home
from anykey.providers.configured import ProviderSettings
from anykey.settings import Settings, SettingsError, load_settings
from anykey.storage.configuration import CredentialRow

TEXT = "sk-canary-0123456789"
LAB = '[providers.lab]\nkind = "custom"\nprotocol = "openai_chat"\nbase_url = "{url}"\n'


class Desk:
    """A data directory, its configuration file and its environment, to store credentials in and to load from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {"ANYKEY_HOME": str(folder)}
        self.home = prepare_home(folder)

    def write(self, text: str) -> None:
        (self.folder / "anykey.toml").write_text(text)

    def store(self, provider: str, text: str = TEXT, **more: object) -> CredentialRow:
        settings = load_settings(self.environ, None, EVERY_PROVIDER)
        return add_credential(self.home, settings, provider, text, **more)  # pyright: ignore[reportArgumentType]

    def load(self, **environ: str) -> Settings:
        return load_configuration({**self.environ, **environ})

    def alter(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.home.path / "anykey.db")) as connection, connection:
            connection.execute(statement, values)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def held(provider: ProviderSettings) -> Mapping[str, tuple[str, int]]:
    return {one.id: (one.secret.reveal(), one.weight) for one in provider.credentials}


def codes(settings: Settings) -> list[tuple[str, str]]:
    return [(warning.key, warning.code.removeprefix("settings.stored_")) for warning in settings.warnings]


def test_a_stored_credential_configures_its_kind(desk: Desk) -> None:
    desk.store("openai", weight=3)
    (provider,) = desk.load().providers
    assert (provider.name, provider.origin) == ("openai", "stored")
    assert provider.credential is not None
    assert provider.credential.reveal() == TEXT
    assert held(provider) == {"openai#key-1": (TEXT, 3)}


def test_it_stands_behind_the_one_of_the_environment(desk: Desk) -> None:
    desk.store("openai", label="second")
    (provider,) = desk.load(OPENAI_API_KEY="sk-env").providers
    assert (provider.origin, provider.credential and provider.credential.reveal()) == ("OPENAI_API_KEY", "sk-env")
    assert held(provider) == {"openai#default": ("sk-env", 1), "openai#second": (TEXT, 1)}


def test_the_scheme_of_a_variable_stays_with_its_credential(desk: Desk) -> None:
    desk.store("anthropic")
    (provider,) = desk.load(ANTHROPIC_AUTH_TOKEN="t-env").providers
    assert provider.auth == ""
    assert [(one.id, one.auth) for one in provider.credentials] == [
        ("anthropic#default", "bearer"),
        ("anthropic#key-1", ""),
    ]


def test_a_provider_of_the_file_needs_no_other_credential(desk: Desk) -> None:
    desk.write("[providers.byteplus_coding]\n")
    with pytest.raises(SettingsError):
        desk.load()
    desk.store("byteplus_coding")
    (provider,) = desk.load().providers
    assert provider.origin == "file"
    assert held(provider) == {"byteplus_coding#key-1": (TEXT, 1)}


def test_a_chosen_provider_needs_no_other_credential_and_the_choice_is_the_whole_list(desk: Desk) -> None:
    desk.store("openai")
    desk.store("deepseek")
    (provider,) = desk.load(ANYKEY_PROVIDERS="deepseek").providers
    assert provider.name == "deepseek"
    assert held(provider) == {"deepseek#key-1": (TEXT, 1)}


def test_it_is_used_where_the_environment_configures_nothing(desk: Desk) -> None:
    desk.write("[server]\nenvironment_providers = false\n")
    desk.store("openai")
    assert [provider.name for provider in desk.load(DEEPSEEK_API_KEY="d").providers] == ["openai"]


def test_it_is_not_sent_to_another_address(desk: Desk) -> None:
    desk.write(LAB.format(url="https://one.example/v1"))
    desk.store("lab")
    assert held(desk.load().providers[0]) == {"lab#key-1": (TEXT, 1)}
    for url in ("https://two.example/v1", "http://one.example/v1", "https://one.example:8443/v1"):
        desk.write(LAB.format(url=url))
        settings = desk.load()
        assert (settings.providers[0].credential, settings.providers[0].credentials) == (None, ())
        assert codes(settings) == [("lab#key-1", "elsewhere")]
        assert "https://one.example" in str(settings.warnings[0])


def test_one_whose_row_was_changed_is_not_used(desk: Desk) -> None:
    desk.write(LAB.format(url="https://one.example/v1"))
    desk.store("lab")
    desk.write(LAB.format(url="https://evil.example/v1"))
    desk.alter("UPDATE credentials SET host = 'evil.example'")
    settings = desk.load()
    assert settings.providers[0].credential is None
    assert codes(settings) == [("lab#key-1", "broken")]


def test_two_rows_exchanged_do_not_open(desk: Desk) -> None:
    one, other = desk.store("openai"), desk.store("openai", "sk-other-0123456789")
    for row, sealed in ((one, other.sealed), (other, one.sealed)):
        desk.alter("UPDATE credentials SET sealed = ? WHERE id = ?", sealed, row.id)
    assert codes(desk.load()) == [("openai#key-1", "broken"), ("openai#key-2", "broken")]


def test_one_of_a_provider_that_is_gone_is_named(desk: Desk) -> None:
    desk.write(LAB.format(url="https://one.example/v1"))
    desk.store("lab")
    desk.write("")
    settings = desk.load()
    assert [provider.name for provider in settings.providers] == ["demo"]
    assert codes(settings) == [("lab#key-1", "unowned")]


def test_without_any_the_settings_are_as_they_are(desk: Desk) -> None:
    assert desk.load(OPENAI_API_KEY="k") == load_settings({**desk.environ, "OPENAI_API_KEY": "k"})


def test_loading_makes_nothing(tmp_path: Path) -> None:
    load_configuration({"ANYKEY_HOME": str(tmp_path / "new")})
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_master_key_refuses_all(desk: Desk) -> None:
    desk.store("openai")
    with pytest.raises(AdministrationError) as refused:
        desk.load(ANYKEY_MASTER_KEY="00" * 32)
    assert refused.value.code == "home.master_key_wrong"


def test_no_secret_is_shown_by_the_settings(desk: Desk) -> None:
    desk.store("openai")
    assert TEXT not in repr(desk.load())


def test_one_credential_is_not_used_for_two_lanes(desk: Desk) -> None:
    desk.store("byteplus")
    desk.store("byteplus_coding", TEXT + "-of-the-plan")
    assert len(desk.load().providers) == 2
    with pytest.raises(SettingsError, match="two lanes of one vendor") as caught:
        desk.load(ANYKEY_PROVIDERS="byteplus,byteplus_coding", ARK_API_KEY="same-0123456789")
    assert "same-0123456789" not in str(caught.value)


def test_a_stored_credential_is_not_used_for_two_lanes(desk: Desk) -> None:
    desk.store("byteplus")
    desk.store("byteplus_coding")
    with pytest.raises(SettingsError, match="two lanes of one vendor"):
        desk.load()
