"""Responses over a WebSocket: what a client sends and gets, with a journey that is only noted."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from anykey.exchange.exchange import Exchange
from anykey.exchange.ports import Reply
from anykey.server import websocket as module
from anykey.server.journeys import JOURNEYS, Journey
from tests.fakes.answers import CHAT, config
from tests.fakes.gateway import RunningGateway

NOWHERE = config((CHAT, "http://127.0.0.1:9"))
ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
PING = {"type": "message", "role": "user", "content": "ping"}


class Noted:
    """A journey that notes what it was asked and answers with one item. `go` holds the answer back."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.clients: list[str] = []
        self.go = asyncio.Event()
        self.go.set()
        self.cancelled = 0

    async def __call__(self, exchange: Exchange, reply: Reply, *_: object) -> None:
        self.bodies.append(json.loads(exchange.body))
        self.clients.append(exchange.client)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        number = len(self.bodies)
        await reply.start(200, ())
        for event in (
            {"type": "response.created", "response": {"id": f"resp_{number}"}},
            {"type": "response.output_item.done", "item": ITEM},
            {"type": "response.completed", "response": {"id": f"resp_{number}", "output": [ITEM]}},
        ):
            await reply.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        await reply.end()


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    journey = Noted()
    monkeypatch.setitem(JOURNEYS, ("responses", "POST"), Journey("openai_responses", journey))
    return journey


@asynccontextmanager
async def opened(
    gateway: RunningGateway, path: str = "/v1/responses", **headers: str
) -> AsyncGenerator[ClientConnection]:
    """A WebSocket at `path`, with the gateway's key unless `headers` say another."""
    sent = headers or {"authorization": f"Bearer {gateway.key}"}
    url = gateway.url.replace("http", "ws") + path
    async with asyncio.timeout(5), connect(url, additional_headers=sent, proxy=None) as socket:
        yield socket


async def tell(socket: ClientConnection, **fields: Any) -> None:
    await socket.send(json.dumps({"type": "response.create", "model": "test-model", **fields}))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(await socket.recv())


async def hear_all(socket: ClientConnection) -> list[dict[str, Any]]:
    """The frames up to the end of one response."""
    frames = [await hear(socket)]
    while frames[-1]["type"] not in {"response.completed", "error", "response.steer.failed"}:
        frames.append(await hear(socket))
    return frames


async def test_a_message_is_the_body_of_a_post(tmp_path: Path, noted: Noted) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        await tell(socket, input=[PING], store=False, stream=True, metadata={"a": 1})
        frames = await hear_all(socket)
    assert [frame["type"] for frame in frames] == [
        "response.created",
        "response.output_item.done",
        "response.completed",
    ]
    assert noted.bodies == [
        {"model": "test-model", "input": [PING], "store": False, "stream": True, "metadata": {"a": 1}}
    ]


async def test_a_warm_up_is_answered_and_remembered(tmp_path: Path, noted: Noted) -> None:
    """As Codex does it: the system prompt first, then only what is new."""
    system = {"type": "message", "role": "developer", "content": "be brief"}
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        await tell(socket, input=[system], store=False, generate=False)
        created, completed = await hear_all(socket)
        assert noted.bodies == []
        assert (created["type"], created["response"]["output"]) == ("response.created", [])
        assert (completed["response"]["status"], completed["response"]["model"]) == ("completed", "test-model")
        assert completed["response"]["id"] == created["response"]["id"]
        await tell(socket, input="ping", store=False, previous_response_id=completed["response"]["id"])
        await hear_all(socket)
        await tell(socket, input=[PING], store=False, previous_response_id="resp_1")
        await hear_all(socket)
    assert noted.bodies[0] == {"model": "test-model", "input": [system, PING], "store": False, "stream": True}
    assert noted.bodies[1]["input"] == [system, PING, ITEM, PING]


async def test_what_storage_keeps_is_left_to_it(tmp_path: Path, noted: Noted) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        for store in (True, None):
            more = {} if store is None else {"store": store}
            await tell(socket, input=[PING], previous_response_id="resp_1", **more)
            await hear_all(socket)
            assert noted.bodies[-1]["previous_response_id"] == "resp_1"
            assert noted.bodies[-1]["input"] == [PING]


async def test_a_warm_up_for_a_model_that_is_not_served(tmp_path: Path, noted: Noted) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        await tell(socket, model="@nowhere/x", input=[], generate=False)
        frame = await hear(socket)
        assert (frame["type"], frame.get("status"), frame["error"]["code"]) == ("error", 404, "model_not_found")
        assert "nowhere" in frame["error"]["message"]


@pytest.mark.parametrize("message", ["{", "[]", '"x"', '{"type": "conversation.item.create"}', "{}", b"\xff"])
async def test_what_is_no_request_is_told_and_the_connection_stays(
    tmp_path: Path, noted: Noted, message: str | bytes
) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        await socket.send(message)
        frame = await hear(socket)
        assert (frame["type"], frame["status"]) == ("error", 400)
        assert frame["error"]["type"] == "invalid_request_error"
        assert frame["headers"]["x-request-id"].startswith("req_")
        await tell(socket, input=[PING])
        assert (await hear_all(socket))[-1]["type"] == "response.completed"


async def test_one_at_a_time_in_their_order(tmp_path: Path, noted: Noted) -> None:
    noted.go.clear()
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        for number in range(3):
            await tell(socket, input=str(number), stream_id=f"lane{number}")
        await asyncio.sleep(0.05)
        assert [body["input"] for body in noted.bodies] == ["0"]
        noted.go.set()
        lanes = [frame["stream_id"] for _ in range(3) for frame in await hear_all(socket)]
    assert [body["input"] for body in noted.bodies] == ["0", "1", "2"]
    assert lanes == ["lane0"] * 3 + ["lane1"] * 3 + ["lane2"] * 3


async def test_too_many_at_once_are_refused(tmp_path: Path, noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    noted.go.clear()
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        for number in range(3):
            await tell(socket, input=str(number))
            await asyncio.sleep(0.05)
        refused = await hear(socket)
        assert (refused["type"], refused["status"]) == ("error", 429)
        noted.go.set()
        await hear_all(socket)
        await hear_all(socket)
    assert [body["input"] for body in noted.bodies] == ["0", "1"]


async def test_a_client_that_leaves_ends_its_answer(tmp_path: Path, noted: Noted) -> None:
    noted.go.clear()
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        async with opened(gateway) as socket:
            await tell(socket, input="x")
            await asyncio.sleep(0.05)
        async with asyncio.timeout(2):
            while not noted.cancelled:
                await asyncio.sleep(0.005)
    assert noted.cancelled == 1


async def test_a_stop_waits_for_the_answer(tmp_path: Path, noted: Noted) -> None:
    noted.go.clear()
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        await tell(socket, input="x")
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(gateway.stop())
        await asyncio.sleep(0.15)
        noted.go.set()
        assert (await hear_all(socket))[-1]["type"] == "response.completed"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        await stopping
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


async def test_a_stop_ends_a_connection_that_rests(tmp_path: Path, noted: Noted) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        async with asyncio.timeout(3):
            await gateway.stop()
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert noted.bodies == []


async def test_a_fault_of_ours_is_told_and_the_connection_stays(
    tmp_path: Path, noted: Noted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        with monkeypatch.context() as broken:
            broken.setattr(module, "input_items", None)
            await tell(socket, input="x", store=False)
            frames = await hear_all(socket)
            assert frames[-1]["type"] == "response.completed"
            assert (await hear(socket))["status"] == 500
        await tell(socket, input="x")
        assert (await hear_all(socket))[-1]["type"] == "response.completed"
    assert "failed inside the gateway" in caplog.text


async def test_steering_is_declined(tmp_path: Path, noted: Noted) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway) as socket:
        await socket.send(json.dumps({"type": "response.steer", "previous_response_id": "resp_1", "input": "left"}))
        frame = await hear(socket)
    assert frame["steer"] == {"input": "left", "previous_response_id": "resp_1"}
    assert (frame["type"], frame["error"]["code"]) == ("response.steer.failed", "steering_not_supported")


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/v1/v1/responses", "/openai/v1/responses/"])
async def test_however_the_base_url_was_joined(tmp_path: Path, noted: Noted, path: str) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway, opened(gateway, path) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"].startswith("req_")
        assert "permessage-deflate" in socket.response.headers["sec-websocket-extensions"]
        await tell(socket, input="x")
        await hear_all(socket)


async def test_the_key_is_checked_at_the_handshake(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        for headers in ({"authorization": "Bearer ak-no"}, {"x-other": "1"}):
            with pytest.raises(InvalidStatus) as refused:
                async with opened(gateway, **headers):
                    pass
            response = refused.value.response
            assert response.status_code == 401
            assert json.loads(response.body)["error"]["code"] == "invalid_api_key"
            assert response.headers["x-request-id"].startswith("req_")


async def test_a_key_in_the_url_is_taken_and_not_logged(
    tmp_path: Path, noted: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        async with opened(gateway, f"/v1/responses?key={gateway.key}", **{"x-other": "1"}) as socket:
            await tell(socket, input="x")
            await hear_all(socket)
        served = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.client")]
        assert gateway.key not in "\n".join(served)


async def test_a_message_over_the_limit_ends_the_connection(tmp_path: Path, noted: Noted) -> None:
    small = NOWHERE.replace("[server]", "[server]\nmax_body_bytes = 1000")
    async with RunningGateway(tmp_path, small) as gateway, opened(gateway) as socket:
        await tell(socket, input="x" * 1000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert len(gzip.compress(b"x" * 1000)) < 1000  # it went compressed, and is counted as it comes out
    assert noted.bodies == []


async def test_the_calling_program_is_known(tmp_path: Path, noted: Noted) -> None:
    async with RunningGateway(tmp_path, NOWHERE) as gateway:
        url = gateway.url.replace("http", "ws") + "/v1/responses"
        agent = "OpenAI/Python 3.52.0"
        headers = {"authorization": f"Bearer {gateway.key}"}
        async with connect(url, additional_headers=headers, user_agent_header=agent, proxy=None) as socket:
            await tell(socket, input="x")
            await hear_all(socket)
    assert noted.clients == ["openai-python"]


async def test_switched_off_it_is_426(tmp_path: Path) -> None:
    off = NOWHERE.replace("[server]", "[server]\nresponses_websocket = false")
    async with RunningGateway(tmp_path, off) as gateway:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(gateway):
                pass
        plain = await gateway.get("/v1/responses", gateway.headers())
    response = refused.value.response
    assert (response.status_code, response.headers["upgrade"]) == (426, "HTTP/1.1")
    assert "send POST /v1/responses" in json.loads(response.body)["error"]["message"]
    assert (plain.status, plain.headers["allow"]) == (405, "POST")
