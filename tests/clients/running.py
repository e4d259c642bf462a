"""`anykey up` as a process, and a client program as another: started, bounded in time, ended with all their children."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

ANYKEY = (sys.executable, "-m", "anykey")
START_TIMEOUT_S = 15
PROGRAM_TIMEOUT_S = 60
ROWS_TIMEOUT_S = 3
STOP_TIMEOUT_S = 3
DEMO = """
[providers.demo]
kind = "demo"
protocol = "{protocol}"
[models."test-model"]
deployments = ["demo/demo"]
"""


class Ended(NamedTuple):
    """How a program ended; `code` is None when its time was up and it was killed."""

    code: int | None
    stdout: str
    stderr: str
    seconds: float


class GatewayProcess(NamedTuple):
    """`url` has no path. `key` was made by `anykey keys create`."""

    url: str
    key: str
    environment: dict[str, str]

    async def rows(self, count: int, **which: object) -> list[dict[str, Any]]:
        """What `anykey usage` tells of the newest exchanges, oldest first, once there are `count` of them; `which` are fields
        that they have."""
        deadline = time.monotonic() + ROWS_TIMEOUT_S
        while True:
            asked = ("usage", "--recent", "50", "--since", "all", "--json")
            ended = await run((*ANYKEY, *asked), Path(self.environment["HOME"]), self.environment)
            assert ended.code == 0, ended.stderr
            told: list[dict[str, Any]] = json.loads(ended.stdout)
            rows = [row for row in told if which.items() <= row.items()]
            if len(rows) >= count or time.monotonic() > deadline:
                return rows[::-1]


def bare_environment(home: Path, *folders: Path) -> dict[str, str]:
    """Nothing of this shell's environment: a home of its own, the system's programs, and those in `folders`."""
    home.mkdir(exist_ok=True)
    path = os.pathsep.join((*map(str, folders), "/usr/local/bin", "/usr/bin", "/bin"))
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TERM": "dumb", "NO_PROXY": "127.0.0.1"}


@asynccontextmanager
async def anykey_up(directory: Path, config: str) -> AsyncGenerator[GatewayProcess]:
    """A gateway with this configuration on a free port."""
    file = directory / "anykey.toml"
    file.write_text(config)
    home = {"ANYKEY_HOME": str(directory / "anykey"), "LAB_KEY": "lab-secret"}
    environment = {**bare_environment(directory / "gateway-home"), **home}
    made = await run((*ANYKEY, "keys", "create", "--name", "program", "--json"), directory, environment)
    assert made.code == 0, made.stderr
    process = await asyncio.create_subprocess_exec(
        *ANYKEY,
        *("up", "--config", str(file), "--port", "0"),
        env=environment,
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            greeting = ""
            while (found := re.search(r"http://127\.0\.0\.1:\d+", greeting)) is None:
                line = await process.stdout.readline()
                assert line, "the gateway ended before it gave its address"
                greeting += line.decode()
        drain = asyncio.ensure_future(process.stdout.read())
        yield GatewayProcess(found.group(), json.loads(made.stdout)["key"], environment)
        drain.cancel()
    finally:
        await _end(process, signal.SIGTERM, signal.SIGKILL)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, for a program that cannot choose one itself."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port


@asynccontextmanager
async def listening(
    command: Sequence[str | Path], directory: Path, environment: Mapping[str, str], port: int, timeout_s: float
) -> AsyncGenerator[str]:
    """Another gateway, as a process that takes calls on `port` within `timeout_s`: its URL, without a path."""
    output = directory / f".output-{port}"
    with output.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *(str(word) for word in command),
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + timeout_s
        while not await _is_open(port):
            ended = process.returncode is not None or time.monotonic() > deadline
            assert not ended, f"{Path(command[0]).name} does not listen:\n{output.read_text(errors='replace')[-2000:]}"
            await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        await _end(process, signal.SIGTERM, signal.SIGKILL)


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def run(
    command: Sequence[str | Path],
    directory: Path,
    environment: Mapping[str, str],
    timeout_s: float = PROGRAM_TIMEOUT_S,
) -> Ended:
    """Run a program to its end, or for `timeout_s`; its whole process group is gone afterwards."""
    began = time.monotonic()
    outputs = [directory / f".{name}-{time.monotonic_ns()}" for name in ("stdout", "stderr")]
    with outputs[0].open("wb") as stdout, outputs[1].open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(str(word) for word in command),
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        code: int | None = None
        try:
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
        except TimeoutError:
            pass
        finally:
            await _end(process, signal.SIGKILL)  # OpenCode ignores SIGTERM
    told, complained = (path.read_text(errors="replace") for path in outputs)
    for path in outputs:
        path.unlink()
    return Ended(code, told, complained, time.monotonic() - began)


async def _end(process: asyncio.subprocess.Process, *signs: signal.Signals) -> None:
    """Send these signals to the process and whatever it started, until it has ended."""
    for sign in signs:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
