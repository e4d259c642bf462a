"""A tree of processes is stopped and killed whole."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.processes import NotStarted, Program, descendants

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Program]:
    """A parent and its child."""
    log = tmp_path / "log"
    program = Program([sys.executable, "-c", _PARENT], log)
    program.start(lambda: log.exists() and b"ready" in log.read_bytes())
    yield program
    program.kill()


def _soon(holds: Callable[[], bool]) -> bool:
    """Whether it holds within five seconds."""
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def _state(pid: int) -> str:
    """What /proc says: S sleeping, T stopped, and "" for a process that is no more."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state = text[text.rindex(")") + 2]
    return "" if state == "Z" else state


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_tree_is_frozen_thawed_and_killed_whole(tree: Program) -> None:
    pids = descendants(tree.pid)
    assert len(pids) == 2
    tree.freeze()
    assert [_state(pid) for pid in pids] == ["T", "T"]
    tree.thaw()
    assert _soon(lambda: "T" not in {_state(pid) for pid in pids})
    tree.kill()
    assert _soon(lambda: not any(_state(pid) for pid in pids))


def test_a_program_that_ends_at_once_says_why(tmp_path: Path) -> None:
    program = Program([sys.executable, "-c", "import sys; sys.exit('no port left')"], tmp_path / "log")
    with pytest.raises(NotStarted, match="no port left"):
        program.start(lambda: False)
