"""The server keeps to itself: loopback, its own token, no signal handler, and it stops at once."""

import asyncio
import contextlib
import logging
import signal
import time

import pytest

from anykey.demo.serve import DemoServer


async def test_it_listens_on_loopback_only_and_stops() -> None:
    server = DemoServer()
    base_url = await server.start()
    assert base_url.startswith("http://127.0.0.1:")
    port = int(base_url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await server.stop()


async def test_the_process_keeps_its_signals_and_its_logging() -> None:
    handler, level = signal.getsignal(signal.SIGTERM), logging.getLogger("uvicorn").level
    server = DemoServer()
    await server.start()
    await asyncio.sleep(0.05)
    assert signal.getsignal(signal.SIGTERM) is handler
    assert logging.getLogger("uvicorn").level == level
    assert not logging.getLogger("uvicorn").handlers
    await server.stop()


async def test_each_server_has_a_token_of_its_own() -> None:
    one, other = DemoServer(), DemoServer()
    assert one.token != other.token
    assert len(one.token) >= 40


async def test_it_stops_in_the_middle_of_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    server = DemoServer()
    port = int((await server.start()).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"model":"demo","messages":[{"role":"user","content":"wait 60"}]}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nx-api-key: {server.token}\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await server.stop()
    assert time.monotonic() - started < 1
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
