"""A running relay that is measured: which process to count and which port to call."""

import http.client
import socket
import subprocess
import time
from dataclasses import dataclass

from bench.calls import Call

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Target:
    """A relay on 127.0.0.1. `pid` and the processes below it are what the figures count."""

    name: str
    pid: int
    port: int


class NotStarted(Exception):
    """A relay gave no good answer in time; the message holds what it said last."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_answer(process: subprocess.Popen[bytes], port: int, call: Call) -> None:
    """Makes `call` again and again until it is answered by 200; NotStarted after 20 s or when the process ends."""
    last = "no connection"
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotStarted(f"it ended with exit code {process.returncode}")
        try:
            status, body = post(port, call)
        except OSError:
            time.sleep(_POLL_S)
            continue
        if status == 200:
            return
        last = f"HTTP {status}: {body[:300].decode(errors='replace')}"
        time.sleep(_POLL_S)
    raise NotStarted(last)


def post(port: int, call: Call) -> tuple[int, bytes]:
    """One call on a connection of its own: status and body. OSError when there is no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_TIMEOUT_S)
    try:
        connection.request("POST", call.path, call.body, call.headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, and ends it if it has not after 5 s."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
