"""The command as a whole: help, version, exit codes, and one clear line for every failure."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from anykey.cli.main import COMMANDS, main


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anykey", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environ}, check=False)


def test_help_lists_every_command_and_loads_none() -> None:
    code = "import sys; from anykey.cli.main import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert not {"anykey.settings", "anykey.storage", "sqlalchemy", "rich", "sqlite3"} & set(done.stderr.split("'"))


def test_help_speaks_chinese() -> None:
    done = run("keys", "create", "--help", ANYKEY_LANG="zh-CN")
    assert done.returncode == 0
    assert "仅显示一次" in done.stdout
    assert "显示本帮助并退出" in done.stdout
    assert not {"Usage", "Options", "Show", "NAME is"} & set(done.stdout.replace(":", " ").split())


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"anykey {version('anykey')}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["nope"], 2, "There is no command nope. `anykey --help` lists them."),
        (["--nope"], 2, "There is no option --nope. `anykey --help` lists them."),
        (["keys", "nope"], 2, "There is no command nope. `anykey keys --help` lists them."),
        (["keys", "create"], 2, "Give --name or --client."),
        (["keys", "revoke"], 2, "ID is missing. See `anykey keys revoke --help`."),
        (
            ["usage", "--by", "moon"],
            2,
            (
                "--by takes one of: key, client, model, answered, provider, deployment, group, team, member, organisation, "
                "scenario, failure, status, day, hour."
            ),
        ),
        (["usage", "--recent", "0"], 2, "--recent: 0 is not in the range 1<=x<=10000."),
        (["keys", "revoke", "nobody"], 1, "No key has the id or name nobody. `anykey keys list` shows them."),
    ],
)
def test_a_failure_is_one_clear_line(
    arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    assert capsys.readouterr() == ("", f"Error: {line}\n")


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 2
    assert "revoke" in capsys.readouterr().err


def test_an_unusable_home_is_no_traceback(home: Path) -> None:
    home.touch()
    done = run("keys", "list")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"Error: The data directory {home} cannot be used: File exists\n"


def test_a_broken_database_is_no_traceback(home: Path) -> None:
    assert run("keys", "list").returncode == 0
    (home / "anykey.db").write_bytes(b"torn" * 4096)
    done = run("keys", "list")
    assert done.returncode == 1
    assert done.stderr == f"Error: The database {home / 'anykey.db'} cannot be used: file is not a database\n"


def test_a_terminal_without_the_letters_still_gets_the_table(tmp_path: Path) -> None:
    environ = {"ANYKEY_HOME": str(tmp_path), "PYTHONIOENCODING": "ascii", "ANYKEY_LANG": "en"}
    assert run("keys", "create", "--name", "ключ", **environ).returncode == 0
    done = run("keys", "list", **environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "????" in done.stdout


def test_a_closed_output_is_no_crash(tmp_path: Path) -> None:
    environ = {**os.environ, "ANYKEY_HOME": str(tmp_path)}
    line = f'"{sys.executable}" -m anykey keys create --name x && "{sys.executable}" -m anykey keys list >&-'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
