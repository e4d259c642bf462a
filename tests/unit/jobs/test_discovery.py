"""Discovery beside a running gateway: it finds, it fails softly, it never asks whom it should not."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anykey.jobs.discovery import Discovery
from anykey.providers.configured import ProviderSettings
from anykey.providers.load import catalogue
from anykey.providers.records import EndpointRow
from anykey.providers.secret import Secret
from anykey.server.process import Address, Serving, bind
from anykey.settings import Settings, load_settings
from anykey.storage.database import Database
from anykey.storage.migrate import open_database
from anykey.storage.provider_models import read_provider_models
from anykey.storage.sqlite_database import SqliteDatabase
from anykey.upstream.client import UpstreamClient
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

LIST = {"data": [{"id": "seen-model", "context_length": 4096}]}


def provider(url: str, name: str = "lab", **more: Any) -> ProviderSettings:
    door = EndpointRow("openai_chat", f"{url}/v1", models_url=f"{url}/v1/models")
    return msgspec.structs.replace(ProviderSettings(name, catalogue()["vllm"], (door,), Secret("k-1")), **more)


async def listing(_: RecordedCall, connection: WireConnection) -> None:
    await connection.json(200, LIST)


async def until_seen(database: Database, name: str = "lab") -> None:
    async with asyncio.timeout(5):
        while name not in read_provider_models(database):
            await asyncio.sleep(0.02)


async def test_it_starts_at_once_and_stops_when_told(tmp_path: Path) -> None:
    client, database = UpstreamClient(), open_database(tmp_path)
    async with WireServer(listing) as server:
        discovery = Discovery(client, database)
        discovery.start(lambda: [provider(server.url)], 6)
        await until_seen(database)
        await discovery.aclose()
        await client.aclose()
    assert len(server.calls) == 1


async def test_with_no_hours_and_for_the_built_in_nobody_is_asked(tmp_path: Path) -> None:
    client, database = UpstreamClient(), open_database(tmp_path)
    async with WireServer(listing) as server:
        discovery = Discovery(client, database)
        discovery.start(lambda: [provider(server.url)], 0)
        built_in = msgspec.structs.replace(catalogue()["custom"], built_in=True)
        strict = msgspec.structs.replace(catalogue()["custom"], probe_auth_optional=False)
        await discovery.look([provider(server.url, kind=built_in), provider(server.url, kind=strict, credential=None)])
        await discovery.aclose()
        await client.aclose()
    assert server.calls == []


async def test_a_failure_is_said_once_until_it_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answers: list[tuple[int, Any]] = [(500, {}), (500, {}), (403, {}), (200, LIST), (500, {})]

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(*answers.pop(0))

    client, database = UpstreamClient(), open_database(tmp_path)
    caplog.set_level(logging.WARNING)
    async with WireServer(script) as server:
        discovery = Discovery(client, database)
        for _ in range(5):
            await discovery.look([provider(server.url)])
        await client.aclose()
    said = [record.getMessage().rpartition(" ")[2] for record in caplog.records]
    assert said == ["500", "403", "500"]
    assert "k-1" not in caplog.text
    assert [model.model for model in read_provider_models(database)["lab"]] == ["seen-model"]


async def test_a_database_that_fails_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = UpstreamClient()
    async with WireServer(listing) as server:
        await Discovery(client, SqliteDatabase(tmp_path / "none.db")).look([provider(server.url)])
        await client.aclose()
    assert len(caplog.records) == 1


async def test_a_running_gateway_comes_to_list_what_was_discovered(tmp_path: Path) -> None:
    """The whole way: the job asks, the generation moves, the configuration is read again, a client sees the model."""
    gateway = RunningGateway(tmp_path, "[server]\nenvironment_providers = false\ndiscovery_hours = 1\n")
    async with WireServer(listing) as server, gateway:

        def load() -> Settings:
            known = load_settings({"ANYKEY_HOME": os.fspath(tmp_path / "home")}, tmp_path / "anykey.toml")
            return msgspec.structs.replace(known, providers=(provider(server.url),))

        second = Serving(load(), gateway.home, {}, bind("127.0.0.1", 0), load)
        ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(second.run(ready.set_result))
        gateway.address = await ready
        rows: list[dict[str, Any]] = []
        async with asyncio.timeout(8):
            while not rows:
                rows = (await gateway.get("/v1/models")).json()["data"]
                await asyncio.sleep(0.05)
        second.stop()
        await task
    assert [(row["id"], row["context_length"]) for row in rows] == [("lab/seen-model", 4096)]
    assert server.calls[0].header("authorization") == "Bearer k-1"
