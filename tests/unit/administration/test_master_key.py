"""The master key: three places, two spellings, never replaced in silence, and a rotation that may be cut off anywhere."""

import base64
import stat
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.master_key import (
    MasterKey,
    find_master_key,
    key_in,
    mark,
    parse,
    prepare_master_key,
    read_again,
    write_key,
)

KEY, OTHER = bytes(range(32)), bytes(32)


def sealed_under(key: bytes) -> list[bytes]:
    return [mark(key) + b"whatever"]


def refused(home: Path, environ: dict[str, str], sealed: list[bytes]) -> str:
    with pytest.raises(AdministrationError) as error:
        prepare_master_key(home, environ, sealed)
    return error.value.code.removeprefix("home.master_key_")


@pytest.mark.parametrize(
    "text",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.b64encode(KEY).decode().rstrip("="),
        f" {KEY.hex()}\n",
    ],
)
def test_hex_and_base64_are_read(text: str) -> None:
    assert parse(text) == KEY


def test_both_alphabets_of_base64_are_read() -> None:
    key = b"\xfb\xff" * 16
    assert parse(base64.urlsafe_b64encode(key).decode()) == parse(base64.b64encode(key).decode()) == key


@pytest.mark.parametrize(
    "text", ["", "short", KEY.hex()[:-1], KEY.hex() + "00", "!" * 44, base64.b64encode(KEY[:31]).decode()]
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert parse(text) is None


def test_it_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    made = prepare_master_key(tmp_path, {}, [])
    file = tmp_path / "master.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert parse(file.read_text()) == made.key
    assert prepare_master_key(tmp_path, {}, []) == made
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert find_master_key(tmp_path, {}, []) is None
    assert list(tmp_path.iterdir()) == []


def test_a_variable_comes_before_a_named_file_before_the_home(tmp_path: Path) -> None:
    write_key(tmp_path / "master.key", b"1" * 32)
    write_key(tmp_path / "named", b"2" * 32)
    named = {"ANYKEY_MASTER_KEY_FILE": str(tmp_path / "named")}
    assert prepare_master_key(tmp_path, {**named, "ANYKEY_MASTER_KEY": KEY.hex()}, []).key == KEY
    assert prepare_master_key(tmp_path, named, []) == MasterKey(b"2" * 32, tmp_path / "named")
    assert prepare_master_key(tmp_path, {}, []).key == b"1" * 32


def test_a_lost_key_is_not_made_anew(tmp_path: Path) -> None:
    assert refused(tmp_path, {}, sealed_under(KEY)) == "missing"
    assert list(tmp_path.iterdir()) == []


def test_another_key_is_refused_from_wherever_it_comes(tmp_path: Path) -> None:
    write_key(tmp_path / "master.key", OTHER)
    assert refused(tmp_path, {}, sealed_under(KEY)) == "wrong"
    assert refused(tmp_path, {"ANYKEY_MASTER_KEY": OTHER.hex()}, sealed_under(KEY)) == "wrong"
    assert parse((tmp_path / "master.key").read_text()) == OTHER


def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(AdministrationError) as error:
        prepare_master_key(tmp_path, {"ANYKEY_MASTER_KEY": "nearly-a-key"}, [])
    assert "ANYKEY_MASTER_KEY" in str(error.value)
    assert "nearly" not in str(error.value)
    (tmp_path / "master.key").write_text("cut")
    assert refused(tmp_path, {}, []) == "broken"
    assert refused(tmp_path, {"ANYKEY_MASTER_KEY_FILE": str(tmp_path / "gone")}, []) == "unreadable"
    assert refused(tmp_path, {"ANYKEY_MASTER_KEY_FILE": str(tmp_path)}, []) == "unreadable"


def test_a_rotation_cut_off_before_the_database_changed_changes_nothing(tmp_path: Path) -> None:
    write_key(tmp_path / "master.key", KEY)
    write_key(tmp_path / "master.key.next", OTHER)
    for sealed in ([], sealed_under(KEY)):
        assert prepare_master_key(tmp_path, {}, sealed) == MasterKey(KEY, tmp_path / "master.key")


def test_a_rotation_cut_off_after_that_is_brought_to_its_end(tmp_path: Path) -> None:
    write_key(tmp_path / "master.key", KEY)
    write_key(tmp_path / "master.key.next", OTHER)
    found = find_master_key(tmp_path, {}, sealed_under(OTHER))
    assert found is not None
    assert found.key == OTHER
    assert prepare_master_key(tmp_path, {}, sealed_under(OTHER)) == MasterKey(OTHER, tmp_path / "master.key")
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


def test_one_that_was_rotated_meanwhile_is_read_again(tmp_path: Path) -> None:
    key = prepare_master_key(tmp_path, {}, [])
    write_key(tmp_path / "master.key", OTHER)
    assert read_again(key).key == OTHER
    given = key_in("NEW", {"NEW": KEY.hex()})
    assert read_again(given) is given


def test_a_key_is_taken_from_where_it_is_said_to_be(tmp_path: Path) -> None:
    write_key(tmp_path / "new", KEY)
    assert key_in(tmp_path / "new", {}).key == key_in("NEW", {"NEW": KEY.hex()}).key == KEY
    with pytest.raises(AdministrationError, match="NEW"):
        key_in("NEW", {})


def test_the_mark_tells_keys_apart_and_holds_nothing_of_them() -> None:
    assert mark(KEY) != mark(OTHER)
    assert len(mark(KEY)) == 9
    assert KEY[:4] not in mark(KEY)


def test_no_repr_shows_the_key() -> None:
    assert repr(MasterKey(KEY, "A")) == "MasterKey(key=***, origin='A')"
