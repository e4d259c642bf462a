"""A database server that is killed, frozen or read-only while the gateway serves: no call fails by it, nothing blocks, and what
was to be written is written when it is back."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import psycopg
import pytest

from anykey.storage.migrate import open_server
from tests.fakes.gateway import RunningGateway
from tests.services.postgres import PASSWORD, OwnPostgres, own_postgres

CHAT = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
DOWN_S = 2.0
BACK_WITHIN_S = 5.0
LAG_S = 0.5
"""What the loop may be late by on a machine that two suites share; a call that waits for a server is late by seconds."""


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    with own_postgres(durable=True) as running:
        yield running


class Lag:
    """The longest time for which the event loop did nothing else."""

    def __init__(self) -> None:
        self.most_s = 0.0

    async def watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.most_s = max(self.most_s, time.monotonic() - before - 0.01)


def read_only(server: OwnPostgres, word: str) -> None:
    with closing(psycopg.connect(server.url, autocommit=True)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER SYSTEM {word}".encode())
        connection.execute("SELECT pg_reload_conf()")


def harm(server: OwnPostgres, how: str) -> None:
    if how == "killed":
        server.kill()
    elif how == "frozen":
        server.freeze()
    else:
        read_only(server, "SET default_transaction_read_only = on")


def heal(server: OwnPostgres, how: str) -> None:
    if how == "killed":
        server.start()
    elif how == "frozen":
        server.thaw()
    else:
        read_only(server, "RESET default_transaction_read_only")


@asynccontextmanager
async def harmed(server: OwnPostgres, how: str) -> AsyncGenerator[None]:
    await asyncio.to_thread(harm, server, how)
    try:
        yield
    finally:
        await asyncio.to_thread(heal, server, how)


def kept(url: str) -> int:
    with closing(psycopg.connect(url)) as connection:
        row = connection.execute("SELECT count(*) FROM exchanges").fetchone()
        assert row is not None
        return row[0]


@pytest.mark.parametrize("how", ["killed", "frozen", "read_only"])
async def test_calls_go_on_and_their_rows_are_written_when_it_is_back(
    tmp_path: Path, server: OwnPostgres, how: str
) -> None:
    url = server.create_database()
    async with RunningGateway(tmp_path, environ={"ANYKEY_DATABASE_URL": url}) as gateway:
        assert (await gateway.post("/v1/chat/completions", CHAT)).status == 200
        lag, slowest_s, count = Lag(), 0.0, 1
        watching = asyncio.create_task(lag.watch())
        async with harmed(server, how):
            end = time.monotonic() + DOWN_S
            while time.monotonic() < end:
                began = time.monotonic()
                assert (await gateway.post("/v1/chat/completions", CHAT)).status == 200
                slowest_s = max(slowest_s, time.monotonic() - began)
                count += 1
                await asyncio.sleep(0.02)
        back = time.monotonic()
        watching.cancel()
        while (found := await asyncio.to_thread(kept, url)) < count and time.monotonic() < back + BACK_WITHIN_S:
            await asyncio.sleep(0.05)
        assert found == count
        assert lag.most_s < LAG_S
        assert slowest_s < 1.0
        unknown = {"authorization": "Bearer ak-nobodyeverh-" + "x" * 32}
        assert (await gateway.post("/v1/chat/completions", CHAT, unknown)).status == 401


async def test_a_revoked_key_is_refused_within_a_second(tmp_path: Path, server: OwnPostgres) -> None:
    url = server.create_database()
    async with RunningGateway(tmp_path, environ={"ANYKEY_DATABASE_URL": url}) as gateway:
        assert (await gateway.post("/v1/chat/completions", CHAT)).status == 200
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE api_keys SET revoked_at = 1")
            connection.execute("UPDATE key_generation SET value = value + 1")
        began = time.monotonic()
        while (await gateway.post("/v1/chat/completions", CHAT)).status == 200:
            assert time.monotonic() - began < 1.0
            await asyncio.sleep(0.02)


async def test_a_gateway_stops_in_time_though_its_database_is_frozen(tmp_path: Path, server: OwnPostgres) -> None:
    url = server.create_database()
    async with RunningGateway(tmp_path, environ={"ANYKEY_DATABASE_URL": url}) as gateway:
        assert (await gateway.post("/v1/chat/completions", CHAT)).status == 200
        async with harmed(server, "frozen"):
            assert (await gateway.post("/v1/chat/completions", CHAT)).status == 200
            async with asyncio.timeout(25):
                await gateway.stop()


def test_a_start_without_its_database_is_one_clear_line(tmp_path: Path) -> None:
    url = f"postgresql://anykey:{PASSWORD}@127.0.0.1:1/anykey"
    environ = {**os.environ, "ANYKEY_HOME": str(tmp_path), "ANYKEY_DATABASE_URL": url, "ANYKEY_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "anykey", "up", "--port", "0"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "The database postgresql://anykey@127.0.0.1:1/anykey failed: " in done.stderr
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr + done.stdout


def test_several_gateways_of_one_database_need_one_pepper(tmp_path: Path, server: OwnPostgres) -> None:
    url = server.create_database()
    open_server(url)
    outcomes: list[tuple[int, str]] = []
    for home, pepper in (("one", "ab"), ("two", "ab"), ("three", "cd")):
        environ = {
            **os.environ,
            "ANYKEY_HOME": str(tmp_path / home),
            "ANYKEY_DATABASE_URL": url,
            "ANYKEY_PEPPER": pepper * 32,
            "ANYKEY_LANG": "en",
        }
        command = [sys.executable, "-m", "anykey", "keys", "list"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)
        outcomes.append((done.returncode, done.stderr))
    assert [code for code, _ in outcomes] == [0, 0, 1], outcomes
    assert "The pepper of ANYKEY_PEPPER is not the one" in outcomes[2][1]
