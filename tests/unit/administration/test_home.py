"""The data directory is made whole, private, and never loses its pepper in silence."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from anykey.administration.credentials import add_credential
from anykey.administration.errors import AdministrationError
from anykey.administration.home import prepare_home
from anykey.settings import load_settings


def test_a_new_home_is_its_owners_only(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "new" / "home")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in home.path.iterdir()}
    assert modes == {"anykey.db": 0o600, "anykey.lock": 0o600, "master.key": 0o600, "pepper": 0o600}
    assert len(home.pepper) == 32


def test_the_pepper_is_random_and_stays(tmp_path: Path) -> None:
    first = prepare_home(tmp_path / "one")
    assert prepare_home(tmp_path / "one").pepper == first.pepper
    assert prepare_home(tmp_path / "two").pepper != first.pepper


def test_two_first_starts_agree_on_pepper_and_master_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from anykey.administration.home import prepare_home;"
        "home = prepare_home(Path(sys.argv[1])); print(home.pepper.hex(), home.master_key.key.hex())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    found = {run.communicate(timeout=30)[0].strip() for run in runs}
    home = prepare_home(tmp_path / "home")
    assert found == {f"{home.pepper.hex()} {home.master_key.key.hex()}"}


def test_a_lost_pepper_is_not_made_anew(tmp_path: Path) -> None:
    prepare_home(tmp_path)
    (tmp_path / "pepper").unlink()
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path)
    assert refused.value.code == "home.pepper_missing"
    assert not (tmp_path / "pepper").exists()


def test_a_cut_pepper_is_refused(tmp_path: Path) -> None:
    prepare_home(tmp_path)
    (tmp_path / "pepper").write_bytes(b"short")
    with pytest.raises(AdministrationError, match="pepper"):
        prepare_home(tmp_path)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path / "home")
    assert refused.value.code == "home.unusable"
    assert refused.value.values["path"] == tmp_path / "home"


def test_an_existing_directory_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    prepare_home(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_no_repr_shows_the_secrets(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    for secret in (home.pepper, home.master_key.key):
        assert str(secret) not in f"{home} {home!r} {home.master_key!r}"


def test_a_home_of_before_the_master_key_gets_one(tmp_path: Path) -> None:
    prepare_home(tmp_path)
    (tmp_path / "master.key").unlink()
    assert prepare_home(tmp_path).master_key.origin == tmp_path / "master.key"


def test_a_given_master_key_is_taken_and_none_is_made(tmp_path: Path) -> None:
    home = prepare_home(tmp_path, {"ANYKEY_MASTER_KEY": "ab" * 32})
    assert home.master_key.key == b"\xab" * 32
    assert not (tmp_path / "master.key").exists()


def test_a_master_key_under_which_things_are_sealed_is_neither_made_anew_nor_exchanged(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    add_credential(home, load_settings({"ANYKEY_HOME": str(tmp_path)}), "openai", "sk-canary-0123456789")
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path, {"ANYKEY_MASTER_KEY": "ab" * 32})
    assert refused.value.code == "home.master_key_wrong"
    (tmp_path / "master.key").unlink()
    with pytest.raises(AdministrationError) as refused:
        prepare_home(tmp_path)
    assert refused.value.code == "home.master_key_missing"
    assert not (tmp_path / "master.key").exists()
