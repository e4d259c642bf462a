"""The pepper: from the environment or the data directory, one for all who share a database, never exchanged in silence."""

import base64
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import prepare_home
from anykey.administration.pepper import fits
from anykey.storage.installation import claimed
from anykey.storage.migrate import open_server
from tests.services.postgres import PostgresServer

PEPPER = bytes(range(32))


def test_a_given_pepper_is_taken_and_none_is_made(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home", {"ANYKEY_PEPPER": PEPPER.hex()})
    assert home.pepper == PEPPER
    assert not (tmp_path / "home" / "pepper").exists()


@pytest.mark.parametrize("content", [PEPPER, base64.b64encode(PEPPER) + b"\n", PEPPER.hex().encode()])
def test_a_file_may_hold_it_raw_or_as_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "given").write_bytes(content)
    assert prepare_home(tmp_path / "home", {"ANYKEY_PEPPER_FILE": str(tmp_path / "given")}).pepper == PEPPER


def test_one_that_is_none_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path, {"ANYKEY_PEPPER": "canary"})
    assert refused.value.code == "home.pepper_unreadable"
    assert "canary" not in str(refused.value)
    with pytest.raises(AdministrationError, match="nowhere"):
        prepare_home(tmp_path, {"ANYKEY_PEPPER_FILE": str(tmp_path / "nowhere")})


def test_another_pepper_than_that_of_the_keys_is_refused(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path, {"ANYKEY_PEPPER": PEPPER.hex()})
    assert refused.value.code == "home.pepper_wrong"
    mark = claimed(home.database, "pepper")
    assert mark is not None
    assert mark not in home.pepper.hex()
    assert prepare_home(tmp_path, {"ANYKEY_PEPPER": home.pepper.hex()}).pepper == home.pepper


def test_machines_that_share_a_server_need_one_pepper(tmp_path: Path, postgres: PostgresServer) -> None:
    url = postgres.migrated(open_server)
    first = prepare_home(tmp_path / "first", url=url)
    assert prepare_home(tmp_path / "first", url=url) == first
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path / "second", url=url)
    assert refused.value.code == "home.pepper_elsewhere"
    assert not (tmp_path / "second" / "pepper").exists()
    (tmp_path / "second" / "pepper").write_bytes(first.pepper)
    assert prepare_home(tmp_path / "second", url=url).pepper == first.pepper
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path / "third", {"ANYKEY_PEPPER": PEPPER.hex()}, url)
    assert refused.value.code == "home.pepper_wrong"
    assert not list((tmp_path / "first").glob("anykey.db*"))


def test_whether_a_pepper_fits_is_asked_without_a_trace(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    assert fits(home.database, home.pepper)
    assert not fits(home.database, PEPPER)
