"""An import put to use: what the file says then, what is sealed, priced and issued; and that a second time changes nothing."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from anykey.administration.credentials import list_credentials
from anykey.administration.home import Home, prepare_home
from anykey.administration.importing.putting import Done, prepare_import, put_import
from anykey.administration.importing.records import Imported, NewCredential, NewKey
from anykey.administration.keys import find_key, list_keys, revoke_key
from anykey.administration.rate_cards import list_cards, put_cards
from anykey.providers.secret import Secret
from anykey.settings import SettingsError

DAY = date(2026, 11, 21)
SECRET = "sk-literal-1234567890"
WHOLE = Imported(
    source="litellm",
    providers={
        "lab": {"kind": "custom", "protocol": "openai_chat", "base_url": "http://127.0.0.1:9/v1"},
        "other": {"kind": "anthropic", "api_key": {"env": "NOT_SET_HERE"}},
    },
    models={"m": {"deployments": ["lab/m", {"model": "other/claude", "weight": 2}], "strategy": "weighted"}},
    groups={"vip": {"providers": ["lab"], "price_multiplier": "1.5"}},
    credentials=(NewCredential("lab", Secret(SECRET)),),
    rate_cards=(
        {"model": "m", "source": "litellm", "input": "1", "output": "2"},
        {"model": "fine", "input": "0.0000001"},
    ),
    keys=(NewKey("ci", group="vip", quota_nano=5, expires_at=2_000_000_000, ip_allow=("10.0.0.0/8",)),),
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path / "home")


def put(home: Home, imported: Imported) -> Done:
    return put_import(home, prepare_import(imported, home.path, {}, DAY))


def test_everything_is_put_where_it_belongs_and_once(home: Home) -> None:
    (home.path / "anykey.toml").write_text("# mine\n[server]\nport = 4001\n")
    done = put(home, WHOLE)
    text = (home.path / "anykey.toml").read_text()
    assert text.startswith("# mine\n[server]\nport = 4001\n")
    assert SECRET not in text
    assert tomllib.loads(text)["models"] == WHOLE.models
    assert (home.path / "anykey.toml").stat().st_mode & 0o777 == 0o600
    assert [row.reference for row in list_credentials(home)] == list(done.credentials) == ["lab#key-1"]
    assert [row.reference for row in list_cards(home)] == list(done.rate_cards) == ["m/v1"]
    key = find_key(home, "ci")
    assert (key.id, key.group_name, key.expires_at, key.ip_allow) == (
        done.keys[0].id,
        "vip",
        2_000_000_000,
        ("10.0.0.0/8",),
    )
    assert done.keys[0].text.startswith("ak-")
    assert done.keys[0].text not in repr(done)
    assert {note.place: note.code for note in done.notes} == {
        "rate_cards.fine": "import.card",
        "providers.other": "import.unset",
    }
    again = put(home, WHOLE)
    assert (again.providers, again.models, again.credentials, again.rate_cards, again.keys) == ((), (), (), (), ())
    assert (home.path / "anykey.toml").read_text() == text
    assert len(list_keys(home)) == 1


def test_a_price_of_ones_own_stays(home: Home) -> None:
    put_cards(home, b'{"model": "m", "input": "7", "output": "7"}')
    done = put(home, WHOLE)
    assert done.rate_cards == ()
    assert ("rate_cards.m", "import.card_there") in {(note.place, note.code) for note in done.notes}


def test_a_revoked_key_of_the_name_is_none(home: Home) -> None:
    put(home, WHOLE)
    revoke_key(home, "ci")
    assert [key.name for key in put(home, WHOLE).keys] == ["ci"]


def test_what_cannot_be_configured_changes_nothing(home: Home) -> None:
    wrong = Imported(source="litellm", models={"m": {"deployments": ["nobody/m"]}}, credentials=WHOLE.credentials)
    with pytest.raises(SettingsError):
        put(home, wrong)
    assert [file.name for file in home.path.glob("*toml*")] == []
    assert list_credentials(home) == []


def test_a_credential_that_is_none_is_a_note_without_it(home: Home) -> None:
    bad = Imported(
        source="litellm",
        providers={"lab": WHOLE.providers["lab"]},
        credentials=(NewCredential("lab", Secret("changeme")),),
    )
    done = put(home, bad)
    assert done.credentials == ()
    assert [(note.place, note.code) for note in done.notes] == [("providers.lab", "import.credential")]


def test_a_file_that_is_no_toml_is_told_as_settings_are(home: Home) -> None:
    (home.path / "anykey.toml").write_text("[oops")
    with pytest.raises(SettingsError):
        put(home, WHOLE)
    assert (home.path / "anykey.toml").read_text() == "[oops"
