"""What the kernel says a process has used, read from /proc (Linux only).

Every figure is the sum over a process and its descendants, so a server with worker processes is counted whole.
Field numbers and units are those of proc(5).
"""

import os
from dataclasses import dataclass
from pathlib import Path

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that are used here; ticks are of user and system time, all threads together."""

    parent: int
    ticks: int


def parse_stat(text: str) -> Stat:
    """Reads one line of /proc/PID/stat.

    The second field is the program's name in parentheses and may itself hold spaces and parentheses, so fields are
    counted from the last closing one: state is then the first, ppid the second, utime the 12th and stime the 13th.
    """
    fields = text[text.rindex(")") + 1 :].split()
    return Stat(parent=int(fields[1]), ticks=int(fields[11]) + int(fields[12]))


def parse_rss_bytes(status: str) -> int:
    """The resident memory named in /proc/PID/status, in bytes; 0 for a process that has none left (a zombie)."""
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def descendants(root: int, parents: dict[int, int]) -> list[int]:
    """`root` and every process below it, given each process's parent."""
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def read_stats() -> dict[int, Stat]:
    """The Stat of every process there is now; one that ends while it is read is left out."""
    stats: dict[int, Stat] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stats[int(folder.name)] = parse_stat((folder / "stat").read_text())
            except OSError:
                continue
    return stats


def process_tree(root: int) -> list[int]:
    """`root` and its descendants as they are now."""
    return descendants(root, {pid: stat.parent for pid, stat in read_stats().items()})


def cpu_us(root: int) -> float:
    """CPU time used so far by `root` and its living descendants, in microseconds; resolution is one tick (10 ms)."""
    stats = read_stats()
    tree = descendants(root, {pid: stat.parent for pid, stat in stats.items()})
    return sum(stats[pid].ticks for pid in tree if pid in stats) * TICK_US


def rss_bytes(root: int) -> int:
    """Resident memory of `root` and its descendants, in bytes; pages they share are counted once for each."""
    total = 0
    for pid in process_tree(root):
        try:
            total += parse_rss_bytes(Path(f"/proc/{pid}/status").read_text())
        except OSError:
            continue
    return total
