"""Several processes on one address: the parent binds, its workers take connections from the same queue.

Law: the parent serves nothing and holds no connection, so that nothing can happen to it. A worker that ends without being told
to is replaced, after a wait that doubles while they keep dying. What waits in the queue when a worker dies is another's. A
worker whose parent is gone ends as on SIGTERM: nobody would replace it, and nobody could end it.
"""

import asyncio
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from anykey.server.process import GRACE_S, Address, Serving, run

_log = logging.getLogger(__name__)

RESTART_FIRST_S = 0.1
RESTART_LAST_S = 2.0
SOUND_AFTER_S = 30.0
"""A worker that lived this long died of something new: the next one starts at once."""
LAST_WAIT_S = GRACE_S + 10.0
"""After SIGTERM; a worker that is still there then is killed."""
HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass
class Worker:
    """One place: the process that holds it, or when the next one starts."""

    pid: int | None = None
    ready: int = -1
    """Where it says that it listens."""
    started_s: float = 0.0
    due_s: float = 0.0
    wait_s: float = 0.0


class Workers:
    """``count`` processes; ``serving`` makes the gateway of one of them, in it. ``run`` returns the exit status."""

    def __init__(self, count: int, listener: socket.socket, serving: Callable[[], Serving]) -> None:
        self._listener = listener
        self._serving = serving
        self._places = [Worker() for _ in range(count)]
        self._lifeline = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._unready = count
        self._stopping_s = 0.0
        self._status = 0

    def run(self, ready: Callable[[Address], None]) -> int:
        """Until SIGTERM or SIGINT, or until the first workers cannot start. ``ready`` is called when all of them listen."""
        with self._heard() as signals:
            while not self._stopping_s or any(place.pid is not None for place in self._places):
                self._start_due()
                for key, _ in self._selector.select(self._wait_s()):
                    if key.fd == signals:
                        self._obey(os.read(signals, 64))
                    else:
                        self._note_ready(key.fd, ready)
                self._bury()
                if self._stopping_s and time.monotonic() > self._stopping_s + LAST_WAIT_S:
                    self._tell(signal.SIGKILL)
        for end in self._lifeline:
            os.close(end)
        self._selector.close()
        return self._status

    def _start_due(self) -> None:
        now_s = time.monotonic()
        for place in self._places:
            if place.pid is None and not self._stopping_s and now_s >= place.due_s:
                self._start(place)

    def _start(self, place: Worker) -> None:
        ready, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready)
            self._be_worker(told)
        os.close(told)
        place.pid, place.ready, place.started_s = pid, ready, time.monotonic()
        self._selector.register(ready, selectors.EVENT_READ)

    def _be_worker(self, told: int) -> None:
        """In the worker: serve, and never return into the parent's code."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in HEARD:
                signal.signal(number, signal.SIG_DFL)
            self._selector.close()
            alive, owned = self._lifeline
            os.close(owned)
            serving = self._serving()
            run(serving, lambda _: _announce(serving, told, alive))
            status = 0
        except KeyboardInterrupt:
            status = 130
        except BaseException as error:  # noqa: BLE001 - the last that is heard of it
            _log.critical("a worker cannot go on: %s", error, exc_info=_log.isEnabledFor(logging.INFO))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _note_ready(self, ready_fd: int, ready: Callable[[Address], None]) -> None:
        said = os.read(ready_fd, 1)
        self._selector.unregister(ready_fd)
        os.close(ready_fd)
        for place in self._places:
            if place.ready == ready_fd:
                place.ready = -1
        if said and self._unready:
            self._unready -= 1
            if not self._unready:
                host, port = self._listener.getsockname()[:2]
                ready(Address(host, port))

    def _bury(self) -> None:
        """Take note of those that ended."""
        for place in self._places:
            if place.pid is None:
                continue
            pid, status = os.waitpid(place.pid, os.WNOHANG)
            if pid == 0:
                continue
            now_s, place.pid = time.monotonic(), None
            if self._stopping_s:
                continue
            if self._unready:
                _log.error("a worker ended before all of them listened (%s)", _told(status))
                self._status = 1
                self._stop()
                continue
            sound = now_s - place.started_s >= SOUND_AFTER_S
            place.wait_s = RESTART_FIRST_S if sound else min(max(place.wait_s * 2, RESTART_FIRST_S), RESTART_LAST_S)
            place.due_s = now_s + place.wait_s
            _log.error("worker %d ended (%s), another starts in %g s", pid, _told(status), place.wait_s)

    def _obey(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGHUP and not (os.isatty(0) or os.isatty(1)):
                self._tell(signal.SIGHUP)
            elif number != signal.SIGCHLD:
                self._stop()

    def _stop(self) -> None:
        self._stopping_s = self._stopping_s or time.monotonic()
        self._listener.close()  # when the last worker lets go of it too, connecting is refused
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for place in self._places:
            if place.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(place.pid, number)

    def _wait_s(self) -> float | None:
        if self._stopping_s:
            return 1.0
        due = [place.due_s for place in self._places if place.pid is None]
        return max(min(due) - time.monotonic(), 0.0) if due else None

    @contextmanager
    def _heard(self) -> Generator[int]:
        """Signals become bytes to read, so that none falls between two looks."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        before = {number: signal.signal(number, _heard_of) for number in HEARD}
        previous = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._selector.register(read, selectors.EVENT_READ)
        try:
            yield read
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.unregister(read)
            os.close(read)
            os.close(write)


def _heard_of(number: int, frame: FrameType | None) -> None:
    """Nothing: the byte in the pipe says it."""


def _announce(serving: Serving, told: int, alive: int) -> None:
    """In a worker that listens: tell the parent, and end with it."""
    os.write(told, b"1")
    os.close(told)
    asyncio.get_running_loop().add_reader(alive, serving.stop)


def _told(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"status {code}"
