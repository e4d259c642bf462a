"""Where the URL of a database is found, and that no word of it is told."""

from pathlib import Path

import pytest

from anykey.settings import SettingsError, find_database, load_settings
from anykey.settings.database import is_database_url

URL = "postgresql://me:canary-word@db.example:5432/gateway"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"ANYKEY_HOME": str(tmp_path)}


def found(environ: dict[str, str]) -> str | None:
    secret = find_database(environ)
    assert load_settings(environ).database == secret
    return secret and secret.reveal()


def test_the_variable_comes_before_the_file_it_names_and_that_before_the_setting(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert found(environ) is None
    (tmp_path / "anykey.toml").write_text('[database]\nurl = "postgresql://a/one"')
    assert found(environ) == "postgresql://a/one"
    (tmp_path / "url").write_text("postgresql://a/two\n")
    environ["ANYKEY_DATABASE_URL_FILE"] = str(tmp_path / "url")
    assert found(environ) == "postgresql://a/two"
    environ["ANYKEY_DATABASE_URL"] = f" {URL} "
    assert found(environ) == URL
    assert "canary-word" not in repr(load_settings(environ))


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgres://localhost/x",
        "postgresql:///gateway?host=/run/postgresql",
        "postgresql://me@[::1]:5432/x?sslmode=verify-full&options=-csearch_path%3Done",
        "postgresql://me:p%40ss%2Fword@a:1,b:2/x",
    ],
)
def test_urls_that_libpq_reads_as_we_do(url: str) -> None:
    assert is_database_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:canary-word@h/x",
        "sqlite:///canary-word.db",
        "host=h password=canary-word",
        "postgresql://me:canary@word@h/x",
        "postgresql://me:12/canary-word@h/x",
        "postgresql://me:canary/word@h/x",
        "postgresql://me:1#canary-word@h/x",
        "postgresql://me:1?canary-word@h/x",
        "postgresql://me:canary word@h h/x",
        "canary-word",
    ],
)
def test_what_is_no_url_of_ours_is_refused_without_a_word_of_it(
    environ: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYKEY_LANG", "en")
    environ["ANYKEY_DATABASE_URL"] = url
    for read in (find_database, load_settings):
        with pytest.raises(SettingsError) as refused:
            read(environ)
        (problem,) = refused.value.problems
        assert (problem.key, problem.code) == ("ANYKEY_DATABASE_URL", "settings.bad_database_url")
        assert "canary" not in f"{problem} {problem!r}"


def test_a_file_that_cannot_be_read_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    environ["ANYKEY_DATABASE_URL_FILE"] = str(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="nowhere"):
        find_database(environ)


def test_a_key_that_does_not_exist_is_told_with_its_line(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "anykey.toml").write_text('[database]\nurls = "x"')
    with pytest.raises(SettingsError) as refused:
        find_database(environ)
    (problem,) = refused.value.problems
    assert (problem.line, problem.key, problem.code) == (2, "database.urls", "settings.unknown_key")
