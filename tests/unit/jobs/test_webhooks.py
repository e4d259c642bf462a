"""Webhooks are told, signed, until they have it."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest

from anykey.accounts.signatures import check
from anykey.administration.home import Home, prepare_home
from anykey.administration.webhooks import CreatedWebhook, create_webhook
from anykey.jobs.webhooks import WAITS_S, WebhookSender
from anykey.upstream.client import UpstreamClient
from tests.fakes.charges import ask
from tests.fakes.wire import RecordedCall, WireConnection, WireServer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


def deliver(home: Home, webhook: str, name: str = "dlv_1") -> None:
    with closing(home.database.connect()) as connection:
        connection.execute(
            "INSERT INTO deliveries (id, webhook_id, event, body, at, next_at) VALUES (?, ?, ?, ?, ?, ?)",
            (name, webhook, "balance.low", '{"id":"dlv_1"}', 1, 1),
        )


def outcome(home: Home) -> tuple[object, ...]:
    return ask(home.database, "SELECT last_status, tries, next_at, delivered_at FROM deliveries")[0]


async def test_it_has_it_when_it_says_so(home: Home) -> None:
    answers = [503, 302, 204]

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(answers.pop(0), {})

    client = UpstreamClient()
    async with WireServer(script) as server:
        made = create_webhook(home, f"{server.url}/hook")
        deliver(home, made.row.id)
        sender = WebhookSender(client, home.database, home.pepper)
        for tries, status in ((1, "503"), (2, "302")):
            assert await sender.look() == 1
            found = outcome(home)
            assert found[:2] == (status, tries)
            assert isinstance(found[2], int)
            assert abs(found[2] - time.time() - WAITS_S[tries - 1]) < 5
            assert await sender.look() == 0
            with closing(home.database.connect()) as connection:
                connection.execute("UPDATE deliveries SET next_at = 1")
        assert await sender.look() == 1
        await client.aclose()
    assert outcome(home)[:3] == ("204", 3, None)
    assert outcome(home)[3] is not None
    call = server.calls[-1]
    check(made.secret.encode(), call.header("x-anykey-signature"), call.body, time.time())
    assert call.json() == {"id": "dlv_1"}


async def test_after_a_day_it_is_given_up(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    made = create_webhook(home, "http://127.0.0.1:1/x")
    deliver(home, made.row.id)
    with closing(home.database.connect()) as connection:
        connection.execute("UPDATE deliveries SET tries = ?", (len(WAITS_S),))
    client = UpstreamClient()
    assert await WebhookSender(client, home.database, home.pepper).look() == 1
    await client.aclose()
    assert outcome(home)[:3] == ("ConnectFailed", len(WAITS_S) + 1, None)
    assert made.row.id in caplog.text


async def test_a_tenants_webhook_is_not_a_way_into_this_network(home: Home) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, {})

    client = UpstreamClient()
    async with WireServer(script) as server:
        made: CreatedWebhook = create_webhook(home, "https://x.example", organisation="default")
        with closing(home.database.connect()) as connection:
            connection.execute("UPDATE webhooks SET url = ?", (f"{server.url}/x",))
        deliver(home, made.row.id)
        await WebhookSender(client, home.database, home.pepper).look()
        await client.aclose()
    assert server.calls == []
    assert outcome(home)[0] == "ConnectFailed"


async def test_it_runs_beside_the_gateway(home: Home) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, {})

    client = UpstreamClient()
    async with WireServer(script) as server:
        made = create_webhook(home, f"{server.url}/hook")
        deliver(home, made.row.id)
        sender = WebhookSender(client, home.database, home.pepper)
        sender.start()
        async with asyncio.timeout(5):
            while outcome(home)[3] is None:
                await asyncio.sleep(0.02)
        await sender.aclose()
        await client.aclose()
    assert len(server.calls) == 1
