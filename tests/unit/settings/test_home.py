"""Where the data directory is."""

from pathlib import Path

import platformdirs

from anykey.settings import home_directory


def test_chosen_by_the_environment(tmp_path: Path) -> None:
    assert home_directory({"ANYKEY_HOME": str(tmp_path)}) == tmp_path


def test_otherwise_the_platforms() -> None:
    wanted = Path(platformdirs.user_data_dir("anykey", appauthor=False))
    assert home_directory({}) == home_directory({"ANYKEY_HOME": " "}) == wanted


def test_a_relative_one_is_made_absolute() -> None:
    assert home_directory({"ANYKEY_HOME": "data"}).is_absolute()
