"""Waiting for a relay to answer, and ending it."""

import subprocess
import sys

import pytest

from bench.calls import call
from bench.target import NotStarted, free_port, post, stop, wait_for_answer
from bench.upstream import running_upstream

CALL = call("chat", "chat", "chat", "k")


def test_a_process_that_ends_is_not_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(NotStarted, match="exit code 3"):
        wait_for_answer(process, free_port(), CALL)


def test_the_first_200_ends_the_wait_and_stop_ends_the_process() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with running_upstream() as upstream:
            wait_for_answer(process, upstream.port, CALL)
    finally:
        stop(process)
    assert process.returncode is not None


def test_nobody_listening_is_an_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        post(free_port(), CALL)
