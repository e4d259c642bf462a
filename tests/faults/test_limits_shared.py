"""One key over two gateways: its limits are counted once, and never open when the place that counts them is gone."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.exchange import limiting
from anykey.storage.migrate import open_server
from tests.fakes.answers import CHAT, PATHS, answering, config, request
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import WireServer
from tests.services.postgres import PostgresServer, own_postgres
from tests.services.valkey import own_valkey

PEPPER = base64.b64encode(b"p" * 32).decode()


class Pair(list[RunningGateway]):
    """Two gateways, and the headers of one key at both."""

    headers: dict[str, str]

    async def ask(self, number: int) -> WireReply:
        return await self[number % 2].post(PATHS[CHAT], request(CHAT), self.headers)

    async def ask_at_once(self, count: int) -> Counter[int]:
        """How often each status came."""
        return Counter(reply.status for reply in await asyncio.gather(*(self.ask(number) for number in range(count))))


@asynccontextmanager
async def pair(directory: Path, url: str, *, fields: KeyFields, valkey: str = "") -> AsyncGenerator[Pair]:
    environ = {"ANYKEY_DATABASE_URL": url, "ANYKEY_PEPPER": PEPPER, "ANYKEY_VALKEY_URL": valkey}
    first, second = directory / "a", directory / "b"
    for folder in (first, second):
        folder.mkdir()
    async with WireServer(answering(CHAT)) as upstream:
        doors = config((CHAT, upstream.url))
        async with (
            RunningGateway(first, doors, environ, key_name="one") as one,
            RunningGateway(second, doors, environ, key_name="two") as two,
        ):
            both = Pair([one, two])
            made = create_key(one.home, "limited", fields=fields)
            both.headers = {**one.headers(), "authorization": f"Bearer {made.text}"}
            await _until_known(both)
            yield both


async def _until_known(both: Pair) -> None:
    """A new key is known everywhere within a second; a list of models costs nothing."""
    async with asyncio.timeout(5):
        for gateway in both:
            while (await gateway.get("/v1/models", both.headers)).status != 200:
                await asyncio.sleep(0.05)


async def test_the_database_counts_for_both(tmp_path: Path, postgres: PostgresServer) -> None:
    async with pair(tmp_path, postgres.migrated(open_server), fields=KeyFields(requests_per_minute=20)) as both:
        assert await both.ask_at_once(60) == {200: 20, 429: 40}


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_valkey_counts_for_both_until_it_is_gone(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(limiting, "LOOK_AGAIN_S", 0.1)
    with own_valkey() as valkey:
        url = postgres.migrated(open_server)
        limits = KeyFields(requests_per_minute=20, tokens_per_minute=10**6)
        async with pair(tmp_path, url, valkey=valkey.url, fields=limits) as both:
            assert await both.ask_at_once(60) == {200: 20, 429: 40}
            (valkey.kill if fault == "kill" else valkey.freeze)()
            apart = await both.ask_at_once(60)
            assert set(apart) == {200, 429}
            assert apart[200] <= 40  # each for itself with what it knows of its part
            began = time.monotonic()
            refused = [(await both.ask(number)).status for number in range(40)]
            assert refused == [429] * 40
            assert (time.monotonic() - began) / 40 < 0.05
            (valkey.start if fault == "kill" else valkey.thaw)()
            deadline = time.monotonic() + 10
            expected = {200} if fault == "kill" else {429}  # who was killed has forgotten, who was frozen has not
            while {(await both.ask(number)).status for number in range(2)} != expected:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)


async def test_a_database_that_is_frozen_opens_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "LOOK_AGAIN_S", 0.1)
    with own_postgres() as server:
        async with pair(tmp_path, server.migrated(open_server), fields=KeyFields(requests_per_minute=10)) as both:
            assert await both.ask_at_once(30) == {200: 10, 429: 20}
            server.freeze()
            try:
                apart = await both.ask_at_once(60)
                assert set(apart) == {200, 429}
                assert apart[200] <= 20
                began = time.monotonic()
                assert (await both.ask_at_once(20))[429] == 20
                assert time.monotonic() - began < 2
            finally:
                server.thaw()
            deadline = time.monotonic() + 15
            while "again" not in (await _told(both)):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)


async def _told(both: Pair) -> str:
    """`again` once both count together: what one lets in, the other knows of."""
    left = [int((await both.ask(number)).headers["x-anykey-ratelimit-limit-requests"]) for number in range(2)]
    return "again" if left == [10, 10] else "apart"
