"""Two gateways on one Valkey: what one finds out about a provider, the other heeds within a second; and it can be put right."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.storage import valkey_health
from anykey.storage.migrate import open_server
from tests.fakes.answers import CHAT, PATHS, answering, config, failing, request
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import WireServer
from tests.services.postgres import PostgresServer
from tests.services.valkey import OwnValkey, own_valkey

PEPPER = base64.b64encode(b"p" * 32).decode()
BAD_KEY = {"error": {"code": "invalid_api_key", "message": "no"}}


@asynccontextmanager
async def pair(
    directory: Path, url: str, valkey: str, upstream: str
) -> AsyncGenerator[tuple[RunningGateway, RunningGateway]]:
    environ = {"ANYKEY_DATABASE_URL": url, "ANYKEY_PEPPER": PEPPER, "ANYKEY_VALKEY_URL": valkey}
    for name in ("a", "b"):
        (directory / name).mkdir()
    doors = config((CHAT, upstream))
    async with (
        RunningGateway(directory / "a", doors, environ, key_name="one") as one,
        RunningGateway(directory / "b", doors, environ, key_name="two") as two,
    ):
        yield one, two


async def _until(said: Callable[[], Awaitable[bool]], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not await said():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("fault", [None, OwnValkey.kill, OwnValkey.freeze])
async def test_a_rest_is_heeded_by_the_other_and_enabling_by_both(
    tmp_path: Path,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[OwnValkey], None] | None,
) -> None:
    monkeypatch.setattr(valkey_health, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(valkey_health, "LOOK_AGAIN_S", 0.2)
    with own_valkey() as valkey:
        async with (
            WireServer(answering(CHAT)) as server,
            pair(tmp_path, postgres.migrated(open_server), valkey.url, server.url) as (one, two),
        ):

            async def good(gateway: RunningGateway) -> bool:
                return (await gateway.post(PATHS[CHAT], request(CHAT), gateway.headers())).status == 200

            assert await good(one)
            assert await good(two)
            if fault is not None:
                fault(valkey)
                await asyncio.sleep(0.6)
            server.script = failing(401, BAD_KEY)
            assert not await good(one)
            server.script = answering(CHAT)
            began = time.monotonic()

            async def heeded() -> bool:
                return not await good(two)

            await _until(heeded, 1.0 if fault is None else 3.5)
            assert time.monotonic() - began < (1.0 if fault is None else 3.5)
            made = await asyncio.to_thread(create_key, one.home, "operator", fields=KeyFields(admin=True))
            operator = {"authorization": f"Bearer {made.text}"}

            async def known() -> bool:
                return (await one.get("/admin/v1/providers/lab0/health", operator)).status == 200

            await _until(known, 2.0)
            told = (await one.get("/admin/v1/providers/lab0/health", operator)).json()["items"]
            assert [view["state"] for view in told] == ["disabled"]
            assert (await one.post("/admin/v1/providers/lab0/enable", b"", operator)).status == 200
            for gateway in (one, two):
                await _until(lambda gateway=gateway: good(gateway), 3.5)
            if fault is OwnValkey.freeze:
                valkey.thaw()
                deadline = time.monotonic() + 1
                while time.monotonic() < deadline:  # what was enabled stays so
                    assert await good(one)
                    assert await good(two)
                    await asyncio.sleep(0.1)
