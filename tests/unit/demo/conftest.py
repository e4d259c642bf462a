"""One demo server for all the tests of this folder: nothing in it is kept between requests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from anykey.demo.serve import DemoServer


@dataclass(frozen=True, slots=True)
class Demo:
    base_url: str
    token: str

    @property
    def port(self) -> int:
        return int(self.base_url.rpartition(":")[2])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    server = DemoServer(word_delay_s=0)
    yield Demo(await server.start(), server.token)
    await server.stop()
