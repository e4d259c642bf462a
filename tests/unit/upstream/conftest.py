"""Every test here that needs an event loop runs on both: asyncio's own and uvloop."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
import pytest_asyncio
import uvloop

from anykey.upstream import client as client_module
from anykey.upstream.client import UpstreamClient
from anykey.upstream.dialing import tls_context


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True, scope="session")
def read_the_roots_once() -> Iterator[None]:
    """Reading all root certificates takes 40 ms, and most tests make a client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "tls_context", functools.cache(tls_context))
        yield


@pytest_asyncio.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    """A client with its defaults; after the test no connection of it may be left."""
    client = UpstreamClient()
    yield client
    await client.aclose()
    assert client.open_count == 0
