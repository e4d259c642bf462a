"""What is read from /proc."""

import os
import subprocess
import sys
import time

from bench.process import Stat, cpu_us, descendants, parse_rss_bytes, parse_stat, process_tree, rss_bytes


def test_stat_with_a_name_that_holds_spaces_and_parentheses() -> None:
    line = "77 (a) S 9 (b)) R 12 77 77 0 -1 4194304 102 3 4 5 250 31 7 8 20 0 1 0 107207 3133440 381"
    assert parse_stat(line) == Stat(parent=12, ticks=281)


def test_rss_is_in_bytes_and_none_for_a_zombie() -> None:
    assert parse_rss_bytes("Name:\tx\nVmHWM:\t  99 kB\nVmRSS:\t   2048 kB\nThreads:\t1\n") == 2048 * 1024
    assert parse_rss_bytes("Name:\tx\nState:\tZ (zombie)\n") == 0


def test_descendants_follow_every_level_and_nobody_else() -> None:
    assert descendants(10, {11: 10, 12: 11, 13: 10, 20: 1, 21: 20}) == [10, 11, 13, 12]


def test_a_busy_process_and_its_child_are_counted() -> None:
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert {os.getpid(), child.pid} <= set(process_tree(os.getpid()))
        deadline = time.monotonic() + 10
        while cpu_us(child.pid) < 50_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert cpu_us(child.pid) >= 50_000
        assert cpu_us(os.getpid()) >= cpu_us(child.pid)
        assert rss_bytes(os.getpid()) > rss_bytes(child.pid) > 1_000_000
    finally:
        child.kill()
        child.wait()
