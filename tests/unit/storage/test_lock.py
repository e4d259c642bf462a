"""The start-up lock keeps other processes out and lets go by itself."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from anykey.storage.database import Database
from anykey.storage.lock import alone, exclusive

TRY = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("free")
except BlockingIOError:
    print("held")
"""


def seen_by_another_process(home: Path) -> str:
    run = [sys.executable, "-c", TRY, str(home / "anykey.lock")]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()


def test_another_process_waits_until_the_block_ends(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        assert seen_by_another_process(tmp_path) == "held"
    assert seen_by_another_process(tmp_path) == "free"


def test_an_error_lets_go_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path):
        raise ZeroDivisionError
    assert seen_by_another_process(tmp_path) == "free"


def test_what_shares_a_database_takes_turns(database: Database, tmp_path: Path) -> None:
    said: list[str] = []

    def other() -> None:
        with alone(tmp_path, database):
            said.append("other")

    thread = threading.Thread(target=other)
    with alone(tmp_path, database):
        thread.start()
        thread.join(0.3)
        said.append("one")
    thread.join(10)
    assert said == ["one", "other"]
