"""What happens to a background response when its upstream, its client, or the gateway itself goes away."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anykey.exchange.responses import background
from tests.fakes.answers import CHAT, answering, pieces
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

PATH = "/v1/responses"
ASKED = {"model": "test-model", "input": "hi", "background": True}


async def ended(gateway: RunningGateway, name: str, headers: dict[str, str] | None = None) -> Any:
    """Poll until the response has an end."""
    for _ in range(200):
        response = (await gateway.get(f"{PATH}/{name}", headers)).json()
        if response["status"] not in {"queued", "in_progress"}:
            return response
        await asyncio.sleep(0.02)
    return pytest.fail("the response did not end")


async def half(_: RecordedCall, connection: WireConnection) -> None:
    """Begin an answer and say no more."""
    told = pieces(CHAT)
    await connection.sse_start()
    await connection.sse(*told.lifecycle, told.content[0])
    await connection.client_gone(5)


async def test_a_stop_ends_it_as_failed_and_a_restart_tells_so(tmp_path: Path) -> None:
    async with WireServer(half) as upstream:
        async with RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
            headers = gateway.headers()
            name = (await gateway.post(PATH, ASKED)).json()["id"]
            while not upstream.calls:
                await asyncio.sleep(0.01)
            while (await gateway.get(f"{PATH}/{name}")).json()["status"] != "in_progress":
                await asyncio.sleep(0.01)
        async with RunningGateway(tmp_path, lab(CHAT, upstream.url), key_name="new") as gateway:
            response = (await gateway.get(f"{PATH}/{name}", headers)).json()
            replayed = (await gateway.get(f"{PATH}/{name}?stream=true", headers)).body
            rows = await gateway.rows()
    assert (response["status"], response["error"]["code"]) == ("failed", "server_error")
    assert "stopping" in response["error"]["message"]
    assert b"event: response.failed" in replayed
    assert [row.failure for row in rows] == ["unavailable"]


async def test_an_upstream_that_refuses_fails_it(tmp_path: Path) -> None:
    async def refuse(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(400, {"error": {"message": "too hot", "type": "invalid_request_error", "code": "hot"}})

    async with WireServer(refuse) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        queued = (await gateway.post(PATH, ASKED)).json()
        response = await ended(gateway, queued["id"])
    assert (queued["status"], response["status"], response["output"]) == ("queued", "failed", [])
    assert response["error"] == {"code": "hot", "message": "too hot"}


async def test_an_upstream_that_breaks_off_fails_it_with_what_was_said(tmp_path: Path) -> None:
    async def breaking(_: RecordedCall, connection: WireConnection) -> None:
        told = pieces(CHAT)
        await connection.sse_start()
        await connection.sse(*told.lifecycle, told.content[0])
        connection.reset()

    async with WireServer(breaking) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        name = (await gateway.post(PATH, ASKED)).json()["id"]
        response = await ended(gateway, name)
        events = (await gateway.get(f"{PATH}/{name}?stream=true")).body
    assert (response["id"], response["status"], response["background"]) == (name, "failed", True)
    assert response["error"]["message"]
    assert events.count(b"event: response.failed") == 1


async def test_a_client_that_leaves_its_stream_changes_nothing(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def waiting(call: RecordedCall, connection: WireConnection) -> None:
        await go_on.wait()
        await answering(CHAT)(call, connection)

    async with WireServer(waiting) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        async with gateway.sent("POST", PATH, {**ASKED, "stream": True}) as (reader, _):
            head = await reader.readuntil(b"event: response.queued")
        name = head.partition(b'"id":"')[2].partition(b'"')[0].decode()
        go_on.set()
        response = await ended(gateway, name)
    assert response["status"] == "completed"
    assert response["output"][0]["content"][0]["text"] == "Hello world"


async def test_one_that_grows_too_large_fails_and_stops_its_upstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "MOST_EVENT_BYTES", 2000)
    async with WireServer(half) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        name = (await gateway.post(PATH, {**ASKED, "instructions": "x" * 2000})).json()["id"]
        response = await ended(gateway, name)
        assert (response["status"], response["error"]) == ("failed", background.TOO_LARGE)
        while upstream.open_connections:
            await asyncio.sleep(0.01)


async def test_a_database_that_fails_refuses_it_and_serves_the_rest(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        with closing(gateway.home.database.connect()) as connection:
            connection.execute("DROP TABLE responses")
        refused = await gateway.post(PATH, ASKED)
        plain = await gateway.post(PATH, {"model": "test-model", "input": "hi"})
        unread = await gateway.get(f"{PATH}/resp_1")
    assert (refused.status, refused.json()["error"]["type"]) == (503, "server_error")
    assert (plain.status, plain.headers["x-anykey-state"]) == (200, "not-stored")
    assert unread.status == 503
