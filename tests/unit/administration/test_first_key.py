"""One key on the very first start, and never another by itself."""

import subprocess
import sys
from pathlib import Path

from anykey.accounts.keys import parse
from anykey.administration.first_key import first_key
from anykey.administration.home import prepare_home
from anykey.administration.keys import list_keys, revoke_key


def test_only_a_home_without_any_key_gets_one(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    text = first_key(home, "first")
    assert text is not None
    parsed = parse(text)
    assert parsed is not None
    assert [(key.id, key.name) for key in list_keys(home)] == [(parsed.id, "first")]
    assert first_key(home, "first") is None
    revoke_key(home, "first")
    assert first_key(home, "first") is None


def test_later_starts_do_without_sqlalchemy(tmp_path: Path) -> None:
    first_key(prepare_home(tmp_path), "first")
    code = (
        "import sys; from pathlib import Path; from anykey.administration.home import prepare_home;"
        "from anykey.administration.first_key import first_key;"
        "print(first_key(prepare_home(Path(sys.argv[1])), 'x'), 'sqlalchemy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["None", "False"]


def test_of_several_first_starts_one_makes_the_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from anykey.administration.home import prepare_home;"
        "from anykey.administration.first_key import first_key; home = prepare_home(Path(sys.argv[1]));"
        "print('ready', flush=True); sys.stdin.readline(); print(first_key(home, 'first') is not None)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    starts = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    told = [start.communicate(timeout=20) for start in starts]
    assert sorted(told) == [("False\n", ""), ("False\n", ""), ("True\n", "")]
