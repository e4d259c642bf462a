"""Several processes on one address: all answer, the dead are replaced, and all end together."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from anykey.storage.migrate import open_server
from tests.fakes.gateway import WireReply, read_reply
from tests.services.postgres import PASSWORD, PostgresServer

COUNT = 3
CALL = b'{"model": "demo", "messages": [{"role": "user", "content": "hello"}]}'


class Program:
    """`anykey up --workers 3` as it runs."""

    def __init__(self, process: asyncio.subprocess.Process, printed: str) -> None:
        self.process = process
        self.printed = printed
        self.port = int(printed.partition("http://127.0.0.1:")[2].partition("\n")[0])
        self.key = next(word for word in printed.split() if word.startswith("ak-"))

    def workers(self) -> set[int]:
        """The processes whose parent it is."""
        found: set[int] = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                found.add(int(stat.parent.name))
        return found

    async def call(self) -> WireReply:
        """One call on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.key}\r\n"
        writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(CALL)}\r\n\r\n".encode() + CALL)
        try:
            return await read_reply(reader)
        finally:
            writer.close()

    async def until(self, workers: int) -> set[int]:
        """Wait until there are so many."""
        async with asyncio.timeout(10):
            while len(found := self.workers()) != workers:
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def running(home: Path, url: str) -> AsyncGenerator[Program]:
    environ = {**os.environ, "ANYKEY_HOME": str(home), "ANYKEY_DATABASE_URL": url, "ANYKEY_LANG": "en"}
    command = (sys.executable, "-m", "anykey", "up", "--port", "0", "--workers", str(COUNT))
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            printed = (await process.stdout.readuntil(b"Ctrl+C stops it.\n")).decode()
        yield Program(process, printed)
    finally:
        if process.returncode is None:
            process.kill()  # its workers end with it
        await process.communicate()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
async def test_all_answer_the_dead_are_replaced_and_all_end_together(postgres: PostgresServer, tmp_path: Path) -> None:
    async with running(tmp_path, postgres.migrated(open_server)) as program:
        first = await program.until(COUNT)
        assert program.printed.count("http://127.0.0.1:") >= 1
        assert program.printed.count("anykey listens on") == 1
        assert PASSWORD not in program.printed
        assert {(await program.call()).status for _ in range(10)} == {200}
        gone = min(first)
        os.kill(gone, signal.SIGKILL)
        async with asyncio.timeout(10):
            while len(now := program.workers() - {gone}) != COUNT:
                await asyncio.sleep(0.05)
        assert len(now & first) == COUNT - 1
        assert {(await program.call()).status for _ in range(10)} == {200}
        program.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await program.process.wait() == 0
        assert not [pid for pid in now if Path(f"/proc/{pid}").exists()]
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection("127.0.0.1", program.port)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
async def test_workers_end_with_a_parent_that_is_killed(postgres: PostgresServer, tmp_path: Path) -> None:
    async with running(tmp_path, postgres.migrated(open_server)) as program:
        workers = await program.until(COUNT)
        program.process.kill()
        await program.process.wait()
        deadline = time.monotonic() + 10
        while left := [pid for pid in workers if Path(f"/proc/{pid}").exists()]:
            assert time.monotonic() < deadline, left
            await asyncio.sleep(0.05)


async def test_a_file_has_one_process(tmp_path: Path) -> None:
    environ = {**os.environ, "ANYKEY_HOME": str(tmp_path), "ANYKEY_LANG": "en"}
    environ.pop("ANYKEY_DATABASE_URL", None)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "anykey", "up", "--port", "0", "--workers", "2"),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        out, told = await process.communicate()
    assert process.returncode == 1
    assert b"2 workers need a PostgreSQL database" in told
    assert out == b""


async def test_workers_that_cannot_start_are_not_started_again() -> None:
    program = """
import sys
from anykey.server.process import bind
from anykey.server.workers import Workers
def serving():
    raise OSError("nothing works here")
listener = bind("127.0.0.1", 0)
sys.exit(Workers(2, listener, serving).run(lambda address: print("ready")))
"""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        out, told = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert b"nothing works here" in told
