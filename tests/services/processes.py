"""A server as a process that a test may kill, freeze and start again: always the whole tree, never one by name."""

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

STOP_TIMEOUT_S = 10.0
START_TIMEOUT_S = 20.0
_POLL_S = 0.02
_FREEZE_POLL_S = 0.001


class NotStarted(Exception):
    """A server does not run; the message ends with what it said last."""


class Account(NamedTuple):
    """Who a server runs as."""

    name: str
    uid: int
    gid: int


def unprivileged(*names: str) -> Account | None:
    """The first of these accounts that exists where we are root (PostgreSQL refuses to run as root); None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in names:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return Account(name, found.pw_uid, found.pw_gid)
    raise NotStarted(f"no account of {', '.join(names)} to run a server as")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def descendants(root: int) -> list[int]:
    """`root` and every process below it as they are now, parents first."""
    parents = _parents()
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def signal_tree(root: int, sign: signal.Signals) -> None:
    """Send `sign` to `root` and all below it. The root is stopped first, so that it makes no child meanwhile; it is told
    last, so that a child's end cannot set it to work."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(root, signal.SIGSTOP)
    for pid in reversed(descendants(root)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)


def _parents() -> dict[int, int]:
    """Each process's parent."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        told = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        return {int(pid): int(parent) for pid, parent in (line.split() for line in told.splitlines())}
    found: dict[int, int] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                text = (folder / "stat").read_text()
                found[int(folder.name)] = int(text[text.rindex(")") + 1 :].split()[1])
    return found


def _stands(pid: int) -> bool:
    """Whether every thread of a process is stopped, or it is no more. A thread that waits for the disk stops only after that."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                text = (thread / "stat").read_text()
                if text[text.rindex(")") + 2] not in "TtZX":
                    return False
    return True


class Program:
    """One server program: the same command at every start, what it says in one log file."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [str(word) for word in command]
        self._log = log
        self._account = account
        self._environment = None if environment is None else dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the program itself. NotStarted when it was never started."""
        if self._process is None:
            raise NotStarted(self._command[0])
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start it and wait until `is_ready` says so. NotStarted after 20 s, or when it ends before."""
        account = self._account
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                user=account and account.uid,
                group=account and account.gid,
                extra_groups=None if account is None else (),
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_ready():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise NotStarted(f"{Path(self._command[0]).name}: {self._log.read_text(errors='replace')[-800:]}")
            time.sleep(_POLL_S)

    def freeze(self) -> None:
        """SIGSTOP all of it: connections stay open and nothing answers. Returns when every thread stands."""
        signal_tree(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while not all(_stands(pid) for pid in descendants(self.pid)):
            if time.monotonic() > deadline:
                raise NotStarted(f"process {self.pid} does not stop where it is")
            time.sleep(_FREEZE_POLL_S)

    def thaw(self) -> None:
        """SIGCONT all of it."""
        for pid in descendants(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL all of it, and wait until it is gone."""
        if self._process is None:
            return
        if self._process.poll() is None:
            signal_tree(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_TIMEOUT_S)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and kill it if it has not after 10 s."""
        if self._process is None or self._process.poll() is not None:
            return
        self.thaw()
        self._process.send_signal(sign)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
