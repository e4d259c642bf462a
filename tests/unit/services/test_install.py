"""Which PostgreSQL is taken."""

from pathlib import Path

import pytest

from tests.services.install import major_version, newest_postgres


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("postgres (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)\n", 15),
        ("postgres (PostgreSQL) 18beta1\n", 18),
        ("psql: not a server", 0),
        ("", 0),
    ],
)
def test_major_version(told: str, version: int) -> None:
    assert major_version(told) == version


def test_newest_postgres_wants_a_whole_and_new_enough_server(tmp_path: Path) -> None:
    versions = {"client-only": 18, "old": 14, "good": 16, "better": 17}
    for name in versions:
        (tmp_path / name).mkdir()
        (tmp_path / name / "postgres").touch()
        if name != "client-only":
            (tmp_path / name / "initdb").touch()
    folders = [tmp_path / name for name in versions]
    assert newest_postgres(folders, lambda folder: versions[folder.name]) == tmp_path / "better"
    assert newest_postgres(folders[:2], lambda folder: versions[folder.name]) is None
    assert newest_postgres([], lambda folder: 0) is None
