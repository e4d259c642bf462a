"""Stored credentials from the first to the last: what is taken, what is shown, what a new master key changes."""

import threading
from pathlib import Path

import pytest

from anykey.accounts.keys import mint
from anykey.administration.configuration import load_configuration
from anykey.administration.credentials import (
    EVERY_PROVIDER,
    add_credential,
    check_credentials,
    find_credential,
    list_credentials,
    remove_credential,
    rotate_master_key,
    weigh_credential,
)
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.master_key import MasterKey
from anykey.language import SpokenError
from anykey.settings import Settings, load_settings
from anykey.storage.configuration import CredentialRow
from anykey.storage.credentials import insert_credential

TEXT = "sk-canary-0123456789"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path / "home")


def settings_of(home: Home, text: str = "") -> Settings:
    (home.path / "anykey.toml").write_text(text)
    return load_settings({"ANYKEY_HOME": str(home.path)}, None, EVERY_PROVIDER)


def store(home: Home, provider: str = "openai", text: str = TEXT, **more: object) -> CredentialRow:
    return add_credential(home, settings_of(home), provider, text, **more)  # pyright: ignore[reportArgumentType]


def secrets_of(home: Home) -> list[str]:
    loaded = load_configuration({"ANYKEY_HOME": str(home.path)})
    return [one.secret.reveal() for provider in loaded.providers for one in provider.credentials]


def refused(home: Home, *arguments: str, **more: object) -> str:
    with pytest.raises(SpokenError) as error:
        store(home, *arguments, **more)
    assert list_credentials(home) == []
    assert TEXT not in str(error.value)
    return error.value.code


def test_it_is_bound_to_the_first_door_of_its_provider(home: Home) -> None:
    row = store(home, "openai", f" {TEXT}\n", weight=4)
    assert (row.provider, row.label, row.weight, row.last4) == ("openai", "key-1", 4, "6789")
    assert (row.scheme, row.host, row.port) == ("https", "api.openai.com", 443)
    assert list_credentials(home) == [row]
    assert secrets_of(home) == [TEXT]


def test_a_configured_provider_is_meant_before_its_kind(home: Home) -> None:
    text = '[providers.mine]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
    for name in ("mine", "openai"):
        row = add_credential(home, settings_of(home, text), name, TEXT)
        assert (row.provider, row.scheme, row.host, row.port) == ("mine", "http", "127.0.0.1", 9)


def test_an_alias_means_its_kind(home: Home) -> None:
    assert store(home, "openai_compatible").provider == "openai"


def test_labels_are_given_where_none_is_said(home: Home) -> None:
    labels = [store(home).label, store(home, label="team").label, store(home).label, store(home, "deepseek").label]
    assert labels == ["key-1", "team", "key-2", "key-1"]


def test_of_a_short_one_or_a_document_nothing_is_shown(home: Home) -> None:
    assert store(home, text="short-one").last4 == ""


@pytest.mark.parametrize("provider", ["nobody", "demo", ""])
def test_who_is_no_provider_is_refused(home: Home, provider: str) -> None:
    assert refused(home, provider) == "credentials.no_provider"


def test_a_kind_without_an_address_is_refused(home: Home) -> None:
    assert refused(home, "custom") == "credentials.no_address"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "settings.empty_credential"),
        ("changeme", "settings.placeholder_credential"),
        ("two words", "settings.bad_credential"),
        ("k" * 65_537, "credentials.too_long"),
        (mint(bytes).text, "credentials.own_key"),
    ],
)
def test_what_is_no_credential_is_refused(home: Home, text: str, code: str) -> None:
    assert refused(home, "openai", text) == code


@pytest.mark.parametrize("label", ["default", "", "a b", "a#b", "-a", "x" * 65])
def test_a_label_that_says_something_else_is_refused(home: Home, label: str) -> None:
    assert refused(home, "openai", TEXT, label=label) == "credentials.bad_label"


@pytest.mark.parametrize("weight", [0, -1, 1001])
def test_a_weight_has_bounds(home: Home, weight: int) -> None:
    assert refused(home, "openai", TEXT, weight=weight) == "credentials.bad_weight"


def test_a_label_is_taken_once(home: Home) -> None:
    store(home, label="team")
    with pytest.raises(AdministrationError, match="team"):
        store(home, label="team")


def test_one_is_meant_by_provider_and_label_by_id_or_alone_by_provider(home: Home) -> None:
    row = store(home)
    assert (
        find_credential(home, "openai#key-1") == find_credential(home, row.id) == find_credential(home, "openai") == row
    )
    store(home)
    with pytest.raises(AdministrationError) as error:
        find_credential(home, "openai")
    assert "openai#key-1, openai#key-2" in str(error.value)
    for unknown in ("openai#key-3", "deepseek", ""):
        with pytest.raises(AdministrationError):
            find_credential(home, unknown)


def test_weigh_and_remove(home: Home) -> None:
    store(home)
    assert weigh_credential(home, "openai", 9).weight == 9
    assert [row.weight for row in list_credentials(home)] == [9]
    assert remove_credential(home, "openai").label == "key-1"
    assert list_credentials(home) == []


def test_check_says_what_cannot_be_used(home: Home) -> None:
    lab = '[providers.lab]\nkind = "custom"\nprotocol = "openai_chat"\nbase_url = "https://{}.example/v1"\n'
    add_credential(home, settings_of(home, lab.format("one")), "lab", TEXT)
    (well,) = check_credentials(home, settings_of(home, lab.format("one")))
    (moved,) = check_credentials(home, settings_of(home, lab.format("two")))
    (gone,) = check_credentials(home, settings_of(home))
    assert well.fault is None
    assert [one.fault and one.fault[0] for one in (moved, gone)] == [
        "settings.stored_elsewhere",
        "settings.stored_unowned",
    ]


def test_a_new_master_key_opens_everything_and_the_old_one_nothing(home: Home) -> None:
    texts = [f"sk-canary-{number:08}" for number in range(12)]
    for text in texts:
        store(home, text=text)
    before = list_credentials(home)
    assert rotate_master_key(home) == 12
    after = prepare_home(home.path)
    assert after.master_key.key != home.master_key.key
    assert secrets_of(after) == texts
    assert not {row.sealed[:69] for row in before} & {row.sealed[:69] for row in list_credentials(after)}
    (home.path / "master.key").unlink()
    with pytest.raises(AdministrationError):
        prepare_home(home.path, {"ANYKEY_MASTER_KEY": home.master_key.key.hex()})


def test_a_given_master_key_is_the_operators_to_keep(home: Home) -> None:
    store(home)
    new = MasterKey(b"n" * 32, "NEW")
    assert rotate_master_key(home, new) == 1
    environ = {"ANYKEY_MASTER_KEY": new.key.hex()}
    given = prepare_home(home.path, environ)
    settings = load_settings({"ANYKEY_HOME": str(home.path)}, None, {"openai"})
    assert [one.fault for one in check_credentials(given, settings)] == [None]
    with pytest.raises(AdministrationError) as error:
        rotate_master_key(given)
    assert error.value.code == "credentials.whose_key"


def test_a_broken_one_stops_the_rotation_of_all(home: Home) -> None:
    store(home)
    foreign = prepare_home(home.path.parent / "foreign")
    row = store(foreign, "deepseek")
    insert_credential(home.database, row)
    with pytest.raises(AdministrationError, match="deepseek#key-1"):
        rotate_master_key(home)
    assert secrets_of(prepare_home(home.path)) == [TEXT]


def test_one_that_is_added_during_a_rotation_opens_after_it(home: Home) -> None:
    stale = prepare_home(home.path)
    store(home)
    rotate_master_key(home)
    store(stale, "deepseek", "sk-late-0123456789")
    assert sorted(secrets_of(home)) == [TEXT, "sk-late-0123456789"]


def test_rotations_and_additions_at_once_lose_nothing(home: Home) -> None:
    settings = settings_of(home)
    ends: list[threading.Thread] = [
        threading.Thread(target=add_credential, args=(home, settings, "openai", f"sk-{number:016}"))
        for number in range(8)
    ] + [threading.Thread(target=rotate_master_key, args=(home,)) for _ in range(4)]
    for thread in ends:
        thread.start()
    for thread in ends:
        thread.join()
    assert len(set(secrets_of(home))) == 8


def test_another_process_with_another_key_cannot_add_to_what_is_sealed(home: Home) -> None:
    other = prepare_home(home.path, {"ANYKEY_MASTER_KEY": "ab" * 32})
    store(home)
    with pytest.raises(AdministrationError) as error:
        store(other)
    assert error.value.code == "home.master_key_wrong"


def test_no_file_holds_the_text(home: Home) -> None:
    store(home)
    rotate_master_key(home)
    remove_credential(home, "openai")
    store(home)
    for file in home.path.iterdir():
        assert TEXT.encode() not in file.read_bytes(), file.name
