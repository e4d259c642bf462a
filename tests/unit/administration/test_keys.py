"""What operators do with keys, from making one to its end."""

import time
from pathlib import Path

import pytest

from anykey.accounts.keys import KeyRefusal, parse, verify
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import KeyRouting, create_key, find_key, list_keys, revoke_key, update_key
from anykey.storage.watch import KeyWatch


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def test_a_created_key_calls_until_it_is_revoked(home: Home) -> None:
    created = create_key(home, " ci ")
    watch = KeyWatch(home.database)
    parsed = parse(created.text)
    assert parsed is not None
    assert verify(parsed, watch.keys, home.pepper) == created.key
    assert (created.key.name, created.key.last4) == ("ci", created.text[-4:])
    assert abs(created.key.created_at - time.time()) < 5
    revoke_key(home, created.key.id)
    watch.refresh_if_changed()
    assert verify(parsed, watch.keys, home.pepper) is KeyRefusal.REVOKED
    watch.close()


def test_the_key_itself_is_nowhere_on_the_disk(home: Home) -> None:
    created = create_key(home, "ci")
    secret = created.text[14:].encode()
    assert [file.name for file in home.path.iterdir() if secret in file.read_bytes()] == []
    assert created.text not in f"{created!r} {list_keys(home)!r}"


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb", "\x1b[31mred", "\ud800"])
def test_a_name_is_short_and_printable(home: Home, name: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        create_key(home, name)
    assert refused.value.code == "keys.bad_name"
    assert list_keys(home) == []


def test_a_name_is_taken_while_its_key_is_in_force(home: Home) -> None:
    first = create_key(home, "ci").key
    with pytest.raises(AdministrationError) as refused:
        create_key(home, "ci")
    assert refused.value.code == "keys.name_taken"
    revoke_key(home, "ci")
    second = create_key(home, "ci").key
    assert {key.id for key in list_keys(home)} == {first.id, second.id}
    assert find_key(home, "ci").id == second.id


def test_a_key_is_found_by_id_name_or_unique_beginning(home: Home) -> None:
    laptop = create_key(home, "laptop").key
    phone = create_key(home, "phone-1").key
    create_key(home, "phone-2")
    assert find_key(home, laptop.id) == find_key(home, "laptop") == find_key(home, "lap") == laptop
    assert find_key(home, phone.id[:6]) == phone
    with pytest.raises(AdministrationError) as refused:
        find_key(home, "phone")
    assert refused.value.code == "keys.ambiguous"
    assert phone.id in str(refused.value)


@pytest.mark.parametrize("reference", ["nobody", "", "la"])
def test_what_means_no_key_is_refused(home: Home, reference: str) -> None:
    create_key(home, "laptop")
    with pytest.raises(AdministrationError) as refused:
        revoke_key(home, reference)
    assert refused.value.code == "keys.not_found"
    assert [key.revoked_at for key in list_keys(home)] == [None]


def test_a_key_is_revoked_once(home: Home) -> None:
    key = create_key(home, "ci").key
    assert revoke_key(home, "ci").revoked_at is not None
    with pytest.raises(AdministrationError) as refused:
        revoke_key(home, key.id[:5])
    assert refused.value.code == "keys.already_revoked"


def test_what_a_key_says_of_routing_is_kept_changed_and_taken_away(home: Home) -> None:
    said = KeyRouting("g", "t", ("claude-*", "gpt-*"), "c", {"team": "röd"}, admin=True)
    key = create_key(home, "ci", routing=said).key
    assert (key.group_name, key.team, key.config, key.admin) == ("g", "t", "c", True)
    watch = KeyWatch(home.database)
    assert watch.keys[key.id] == list_keys(home)[0] == key
    changed = update_key(home, "ci", KeyRouting(team="", allowed_models=(), metadata={}, admin=False))
    watch.refresh_if_changed()
    assert watch.keys[key.id] == list_keys(home)[0] == changed
    assert (changed.group_name, changed.team, changed.allowed_models) == ("g", None, None)
    assert (changed.config, changed.metadata, changed.admin) == ("c", None, False)
    watch.close()


@pytest.mark.parametrize(
    ("routing", "code"),
    [
        (KeyRouting(group="x" * 65), "keys.bad_word"),
        (KeyRouting(team="a\nb"), "keys.bad_word"),
        (KeyRouting(allowed_models=("x" * 257,)), "keys.bad_word"),
        (KeyRouting(metadata={str(number): "" for number in range(17)}), "keys.much_metadata"),
        (KeyRouting(metadata={"a": "x" * 513}), "keys.bad_metadata"),
    ],
)
def test_words_that_cannot_be_meant(home: Home, routing: KeyRouting, code: str) -> None:
    with pytest.raises(AdministrationError) as caught:
        create_key(home, "ci", routing=routing)
    assert caught.value.code == code
    assert list_keys(home) == []


def test_a_revoked_key_is_not_changed(home: Home) -> None:
    create_key(home, "ci")
    revoke_key(home, "ci")
    with pytest.raises(AdministrationError, match="revoked"):
        update_key(home, "ci", KeyRouting(team="t"))
