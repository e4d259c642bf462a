"""The configuration changes under load: what is under way ends as it began, what comes after it follows the new one."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from anykey.administration.configuration import load_configuration
from anykey.administration.credentials import EVERY_PROVIDER, add_credential, rotate_master_key
from anykey.server import reload as module
from anykey.settings import load_settings
from tests.fakes.answers import (
    CHAT,
    PATHS,
    PROTOCOLS,
    TEXT,
    answering,
    ask,
    config,
    ended_normally,
    pieces,
    request,
    told_text,
    whole,
)
from tests.fakes.gateway import RunningGateway, read_reply
from tests.fakes.program import program
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer, reply_json

SECRET = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.02)


async def until(found: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.01)


def write(folder: Path, text: str) -> None:
    """As editors do: another file takes the name."""
    (folder / "draft").write_text(text)
    (folder / "draft").replace(folder / "anykey.toml")


def halting(protocol: str, go_on: asyncio.Event) -> Script:
    """An answer that says its second word when it is told to."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(protocol)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        await go_on.wait()
        await connection.sse(told.content[1], *told.end)
        await connection.sse_end()

    return script


@pytest.mark.parametrize("client", PROTOCOLS)
async def test_a_stream_goes_on_while_the_next_call_goes_elsewhere(tmp_path: Path, client: str) -> None:
    go_on = asyncio.Event()
    async with (
        WireServer(halting(CHAT, go_on)) as old,
        WireServer(answering(CHAT)) as new,
        RunningGateway(tmp_path, config((CHAT, old.url))) as gateway,
        gateway.sent("POST", PATHS[client], request(client, stream=True)) as (reader, _),
    ):
        begun = await reader.readuntil(b"Hello")
        write(tmp_path, config((CHAT, new.url)))
        async with asyncio.timeout(5):
            while not new.calls:
                await asyncio.gather(asyncio.wait_for(_try(gateway, client), 0.3), return_exceptions=True)
        go_on.set()
        rest = asyncio.StreamReader()
        rest.feed_data(begun + await reader.readuntil(b"\r\n0\r\n\r\n"))
        rest.feed_eof()
        reply = await read_reply(rest)
    assert (told_text(client, reply), reply.complete) == (TEXT, True)
    assert ended_normally(client, reply.body)


async def _try(gateway: RunningGateway, client: str) -> None:
    await ask(gateway, client)


async def test_a_bad_file_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        WireServer(answering(CHAT)) as old,
        WireServer(answering(CHAT)) as new,
        RunningGateway(tmp_path, config((CHAT, old.url))) as gateway,
    ):
        for broken in ("[server", config((CHAT, new.url)) + "[providers.x]\nkind = 'nobody'\n"):
            caplog.clear()
            write(tmp_path, broken)
            await until(lambda: "what was in force stays" in caplog.text)
            assert (await ask(gateway, CHAT)).status == 200
        assert (len(old.calls), len(new.calls)) == (2, 0)
        write(tmp_path, config((CHAT, new.url)))
        async with asyncio.timeout(5):
            while not new.calls:
                assert (await ask(gateway, CHAT)).status == 200


async def test_a_hundred_reloads_while_calls_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", module.__name__)
    done = False
    statuses: list[int] = []

    def adopted() -> int:
        return sum("in force: " in record.message for record in caplog.records)

    async with (
        WireServer(answering(CHAT)) as one,
        WireServer(answering(CHAT)) as other,
        RunningGateway(tmp_path, config((CHAT, one.url))) as gateway,
    ):

        async def call_on(client: str, stream: bool) -> None:
            while not done:
                reply = await ask(gateway, client, stream=stream)
                statuses.append(reply.status if reply.complete and told_text(client, reply) == TEXT else 0)

        callers = [asyncio.create_task(call_on(client, stream)) for client in PROTOCOLS for stream in (True, False)]
        for number in range(100):
            before = adopted()
            write(tmp_path, config((CHAT, (other, one)[number % 2].url)))
            await until(lambda before=before: adopted() > before)
        done = True
        await asyncio.gather(*callers)
        calls = (len(one.calls), len(other.calls))
    assert adopted() >= 100
    assert set(statuses) == {200}
    assert sum(calls) == len(statuses)
    assert min(calls) > 10


async def test_a_credential_that_is_stored_is_used_without_a_restart_and_is_nowhere_to_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with WireServer(answering(CHAT)) as server:
        text = config((CHAT, server.url)).replace('api_key = { env = "LAB_KEY" }\n', "")
        text = text.replace('"custom"', '"custom"\nauth = "bearer"')
        async with RunningGateway(tmp_path, text) as gateway:
            settings = load_settings({"ANYKEY_HOME": str(gateway.home.path)}, tmp_path / "anykey.toml", EVERY_PROVIDER)
            assert (await ask(gateway, CHAT)).status == 200
            add_credential(gateway.home, settings, "lab0", SECRET)
            async with asyncio.timeout(5):
                while server.calls[-1].header("authorization") != f"Bearer {SECRET}":
                    assert (await ask(gateway, CHAT)).status == 200
            rotate_master_key(gateway.home)
            add_credential(gateway.home, settings, "lab0", SECRET + "-2", weight=1000)
            async with asyncio.timeout(5):
                while server.calls[-1].header("authorization") != f"Bearer {SECRET}-2":
                    assert (await ask(gateway, CHAT)).status == 200
            files = [file for file in gateway.home.path.iterdir() if SECRET.encode() in file.read_bytes()]
            await gateway.stop()
        files += [file for file in gateway.home.path.iterdir() if SECRET.encode() in file.read_bytes()]
    assert files == []
    assert SECRET not in caplog.text
    assert caplog.records


async def test_a_wrong_master_key_keeps_what_is_in_force(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, config((CHAT, server.url))) as gateway,
    ):
        settings = load_configuration({"ANYKEY_HOME": str(gateway.home.path), "LAB_KEY": "k"}, tmp_path / "anykey.toml")
        add_credential(gateway.home, settings, "lab0", SECRET)
        with closing(sqlite3.connect(gateway.home.path / "anykey.db")) as connection, connection:
            connection.execute("UPDATE credentials SET sealed = x'0100'")
            connection.execute("UPDATE configuration_generation SET value = value + 1")
        await until(lambda: "another master key" in caplog.text)
        assert (await ask(gateway, CHAT)).status == 200
    assert caplog.text.count("another master key") == 1


async def test_the_built_in_model_answers_before_and_after(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", module.__name__)
    body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
    async with RunningGateway(tmp_path) as gateway:
        assert (await gateway.post(PATHS[CHAT], body)).status == 200
        await until(lambda: "1 models" in caplog.text)
        (gateway.home.path / "anykey.toml").write_text("# nothing\n")
        await until(lambda: caplog.text.count("in force: ") == 2)
        assert (await gateway.post(PATHS[CHAT], body)).status == 200


async def test_sighup_reads_again_and_nothing_stops(tmp_path: Path) -> None:
    keys: list[str | None] = []

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        keys.append(call.header("authorization"))
        await reply_json(whole(CHAT))(call, connection)

    (tmp_path / "key").write_text("first")
    async with WireServer(script) as server:
        text = config((CHAT, server.url)).replace('{ env = "LAB_KEY" }', '{ file = "key" }')
        async with program(tmp_path, text) as (process, port, key):

            async def call() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                body = b'{"model":"test-model","messages":[{"role":"user","content":"hi"}]}'
                head = (
                    f"POST {PATHS[CHAT]} HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                status = await reader.readline()
                writer.close()
                return status

            assert b" 200 " in await call()
            (tmp_path / "key").write_text("second")
            process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(5):
                while keys[-1] != "Bearer second":
                    assert b" 200 " in await call()
                    await asyncio.sleep(0.05)
            os.kill(process.pid, signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 5) == 0
    assert keys[0] == "Bearer first"
