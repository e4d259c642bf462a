"""The demo model stands in for the gateway: it speaks the same two protocols and asks for a key."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from anykey.demo.serve import DemoServer


@dataclass(frozen=True, slots=True)
class Gateway:
    address: str
    key: str


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """A server in a thread of its own, so that tests may block on the programs they run."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = DemoServer(word_delay_s=0)
    address = asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    yield Gateway(address, server.token)
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
