"""The data directory is made whole, private, and never loses its pepper in silence."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import prepare_home


def test_a_new_home_is_its_owners_only(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "new" / "home")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in home.path.iterdir()}
    assert modes == {"anykey.db": 0o600, "anykey.lock": 0o600, "pepper": 0o600}
    assert len(home.pepper) == 32


def test_the_pepper_is_random_and_stays(tmp_path: Path) -> None:
    first = prepare_home(tmp_path / "one")
    assert prepare_home(tmp_path / "one").pepper == first.pepper
    assert prepare_home(tmp_path / "two").pepper != first.pepper


def test_two_first_starts_agree_on_the_pepper(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from anykey.administration.home import prepare_home;"
        "print(prepare_home(Path(sys.argv[1])).pepper.hex())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    peppers = {run.communicate(timeout=30)[0].strip() for run in runs}
    assert peppers == {(tmp_path / "home" / "pepper").read_bytes().hex()}


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


def test_no_repr_shows_the_pepper(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    assert str(home.pepper) not in f"{home} {home!r}"
