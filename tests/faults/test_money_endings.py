"""Money at the ends of calls that are no plain question and answer: clients that leave, several answers, background calls,
WebSockets, copies, fallbacks to what is dearer and to what is cheaper, and a till that is down."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from anykey.storage.charges import TillDown
from anykey.storage.till import Till
from tests.fakes.agents import RESPONSES
from tests.fakes.answers import CHAT, MESSAGES, PATHS, PROTOCOLS, answering, failing, request
from tests.fakes.fault_upstream import FaultUpstream
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.money import ANSWER_NANO, INPUT_NANO, OUTPUT_NANO, allow, charges, price_everything, settled
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer
from tests.faults.test_client_gone import LEAVES, begun, leave, silent, until_called

TWO = """
[providers.dear]
kind = "custom"
protocol = "openai_chat"
base_url = "{first}/v1"
api_key = {{ env = "LAB_KEY" }}
[providers.cheap]
kind = "custom"
protocol = "openai_chat"
base_url = "{second}/v1"
api_key = {{ env = "LAB_KEY" }}
[models."test-model"]
deployments = ["dear/m", "cheap/m"]
[models."other-way"]
deployments = ["cheap/m", "dear/m"]
"""
TWO_CARDS = b"""
[[rate_cards]]
model = "m"
provider = "dear"
input = "370"
output = "1130"
[[rate_cards]]
model = "m"
provider = "cheap"
input = "3.7"
output = "11.3"
"""
CHEAP_MOST_NANO = 1_100_000
"""The most that a call with 64 tokens of answer costs there; elsewhere it is a hundred times as much."""


@asynccontextmanager
async def selling(directory: Path, protocol: str, script: Script) -> AsyncGenerator[tuple[RunningGateway, WireServer]]:
    """A gateway whose key has a budget, and its upstream."""
    price_everything(directory)
    async with WireServer(script) as server, RunningGateway(directory, lab(protocol, server.url)) as gateway:
        allow(gateway)
        yield gateway, server


@pytest.mark.parametrize("upstream", PROTOCOLS)
async def test_a_client_that_leaves_before_the_first_byte(tmp_path: Path, upstream: str) -> None:
    async with selling(tmp_path, upstream, silent(upstream)) as (gateway, server):
        for number, (how, stream) in enumerate([(how, stream) for how in LEAVES for stream in (True, False)], 1):
            body = request(CHAT, stream=stream)
            async with gateway.sent("POST", PATHS[CHAT], body) as (_, writer):
                await until_called(server, number)
                leave(writer, how)
        rows = await gateway.rows(2 * len(LEAVES))
        kept = await settled(gateway.home, *[row.id for row in rows])
    assert {(one.state, one.basis, one.cost_nano) for one in kept} == {("unknown", "unknown", 0)}
    assert {(row.cost_basis, row.cost_nano) for row in rows} == {("unknown", None)}


@pytest.mark.parametrize("upstream", PROTOCOLS)
async def test_a_client_that_leaves_in_the_middle(tmp_path: Path, upstream: str) -> None:
    async with selling(tmp_path, upstream, begun(upstream)) as (gateway, _):
        for how in LEAVES:
            async with gateway.sent("POST", PATHS[CHAT], request(CHAT, stream=True)) as (reader, writer):
                await reader.readuntil(b"Hello")
                leave(writer, how)
                await asyncio.sleep(0.05)
        rows = await gateway.rows(len(LEAVES))
        kept = await settled(gateway.home, *[row.id for row in rows])
    for row in rows:
        assert (row.cost_basis, row.usage_source, row.output_tokens) == ("estimated", "estimated", 2)
        assert row.input_tokens == (7 if upstream == MESSAGES else 5)
        assert row.cost_nano == row.input_tokens * INPUT_NANO + 2 * OUTPUT_NANO
    assert [(one.state, one.cost_nano) for one in kept] == [("settled", row.cost_nano) for row in rows]


async def test_a_gateway_that_stops_settles_what_was_relayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anykey.server.process.GRACE_S", 0.1)
    async with selling(tmp_path, MESSAGES, begun(MESSAGES)) as (gateway, _):
        async with gateway.sent("POST", PATHS[MESSAGES], request(MESSAGES, stream=True)) as (reader, _):
            await reader.readuntil(b"Hello")
            await gateway.stop()
        (one,) = charges(gateway.home).values()
        (row,) = await gateway.rows(1)
    assert (one.state, one.basis, one.cost_nano) == ("settled", "estimated", 7 * INPUT_NANO + 2 * OUTPUT_NANO)
    assert (row.id, row.cost_nano) == (one.id, one.cost_nano)


@pytest.mark.parametrize("stream", [False, True])
async def test_several_answers_are_paid_as_several_calls(tmp_path: Path, stream: bool) -> None:
    async with selling(tmp_path, MESSAGES, answering(MESSAGES)) as (gateway, server):
        reply = await gateway.post(PATHS[CHAT], request(CHAT, n=3, stream=stream))
        (one,) = await settled(gateway.home, reply.headers["x-anykey-request-id"])
        assert len(server.calls) == 3
    assert (one.state, one.basis, one.cost_nano) == ("settled", "upstream", 3 * ANSWER_NANO)
    assert stream or reply.headers["x-anykey-cost"] == "0.0001794"


async def test_a_copy_is_nobodys_to_pay(tmp_path: Path) -> None:
    price_everything(tmp_path)
    async with WireServer(answering(CHAT)) as server:
        shadow = 'shadow = { deployment = "lab/copy", percent = 100 }\n'
        async with RunningGateway(tmp_path, lab(CHAT, server.url) + shadow) as gateway:
            allow(gateway)
            await gateway.post(PATHS[CHAT], request(CHAT))
            rows = await gateway.rows(2)
            assert len(rows) == len(server.calls) == 2
        kept = charges(gateway.home)
    (copy,) = [row for row in rows if row.route == "shadow"]
    (call,) = [row for row in rows if row.route != "shadow"]
    assert (copy.cost_nano, copy.cost_basis, copy.output_tokens) == (None, None, 3)
    assert {name: one.cost_nano for name, one in kept.items()} == {call.id: ANSWER_NANO}


async def test_a_background_response_is_settled_once(tmp_path: Path) -> None:
    async with selling(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        told = await gateway.post("/v1/responses", {"model": "test-model", "input": "hi", "background": True})
        name = told.json()["id"]
        (row,) = await gateway.rows(1)
        (one,) = await settled(gateway.home, row.id)
        assert (await gateway.get(f"/v1/responses/{name}")).json()["status"] == "completed"
        assert (one.state, one.basis, one.cost_nano) == ("settled", "upstream", ANSWER_NANO)
        assert set(charges(gateway.home)) == {row.id} == {told.headers["x-anykey-request-id"]}


async def test_a_background_response_that_is_cancelled_pays_what_was_said(tmp_path: Path) -> None:
    async with selling(tmp_path, CHAT, begun(CHAT)) as (gateway, _):
        asked = {"model": "test-model", "input": "hi", "background": True}
        name = (await gateway.post("/v1/responses", asked)).json()["id"]
        while (await gateway.get(f"/v1/responses/{name}")).json()["status"] != "in_progress":
            await asyncio.sleep(0.01)
        assert (await gateway.post(f"/v1/responses/{name}/cancel", b"")).json()["status"] == "cancelled"
        (row,) = await gateway.rows(1)
        (one,) = await settled(gateway.home, row.id)
    assert (one.state, one.basis, row.output_tokens) == ("settled", "estimated", 2)
    assert one.cost_nano == row.cost_nano == row.input_tokens * INPUT_NANO + 2 * OUTPUT_NANO


async def test_what_a_provider_answers_later_stays_held(tmp_path: Path) -> None:
    """Its background calls are its own: what one comes to is not in the answer that takes it."""
    queued: dict[str, Any] = {
        "id": "resp_7",
        "object": "response",
        "created_at": 1,
        "status": "queued",
        "model": "m",
        "output": [],
    }

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, queued)

    price_everything(tmp_path)
    async with WireServer(script) as server:
        config = lab(RESPONSES, server.url + "/v1").replace("[models", "native_state = true\n[models")
        async with RunningGateway(tmp_path, config) as gateway:
            allow(gateway)
            reply = await gateway.post("/v1/responses", {"model": "test-model", "input": "hi", "background": True})
            assert reply.json()["status"] == "queued"
            (one,) = await settled(gateway.home, reply.headers["x-anykey-request-id"])
    assert (one.state, one.basis, one.cost_nano) == ("unknown", "unknown", 0)


async def test_each_turn_of_a_websocket_is_a_charge(tmp_path: Path) -> None:
    async with selling(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        url = gateway.url.replace("http", "ws") + "/v1/responses"
        async with connect(url, additional_headers={"authorization": f"Bearer {gateway.key}"}, proxy=None) as socket:
            for _ in range(2):
                await socket.send(json.dumps({"type": "response.create", "model": "test-model", "input": "hi"}))
                events = [json.loads(await socket.recv())]
                while events[-1]["type"] != "response.completed":
                    events.append(json.loads(await socket.recv()))
            allow(gateway, 1)
            await socket.send(json.dumps({"type": "response.create", "model": "test-model", "input": "hi"}))
            refused = json.loads(await socket.recv())
        rows = await gateway.rows(3)
        kept = await settled(gateway.home, *[row.id for row in rows if row.status == 200])
    assert [(one.state, one.cost_nano) for one in kept] == [("settled", ANSWER_NANO)] * 2
    assert (refused["type"], refused["status"], refused["error"]["code"]) == ("error", 402, "key_budget_lifetime")


async def test_a_compaction_costs_and_a_count_does_not(tmp_path: Path) -> None:
    async with selling(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        asked = {"model": "test-model", "input": [{"type": "message", "role": "user", "content": "hi"}]}
        compacted = await gateway.post("/v1/responses/compact", asked)
        counted = await gateway.post("/v1/messages/count_tokens", request(MESSAGES))
        assert (compacted.status, counted.status) == (200, 200)
        (row,) = await gateway.rows(1)
        (one,) = await settled(gateway.home, row.id)
        assert len(charges(gateway.home)) == 1
    assert (one.state, one.cost_nano, compacted.headers["x-anykey-cost"]) == ("settled", ANSWER_NANO, "0.0000598")


@asynccontextmanager
async def choosing(
    directory: Path, first: Script, second: Script, nano: int
) -> AsyncGenerator[tuple[RunningGateway, WireServer, WireServer]]:
    """A dear deployment and a cheap one, and a key that may spend so much."""
    price_everything(directory, TWO_CARDS)
    async with (
        WireServer(first) as dear,
        WireServer(second) as cheap,
        RunningGateway(directory, TWO.format(first=dear.url, second=cheap.url)) as gateway,
    ):
        allow(gateway, nano)
        yield gateway, dear, cheap


async def test_what_the_purse_cannot_pay_is_skipped_for_what_is_cheaper(tmp_path: Path) -> None:
    async with choosing(tmp_path, answering(CHAT), answering(CHAT), CHEAP_MOST_NANO) as (gateway, dear, cheap):
        reply = await gateway.post(PATHS[CHAT], request(CHAT, max_tokens=64))
        (row,) = await gateway.rows(1)
        (one,) = await settled(gateway.home, row.id)
        assert (reply.status, len(dear.calls), len(cheap.calls)) == (200, 0, 1)
    assert (one.cost_nano, row.attempts) == (ANSWER_NANO, 1)
    skipped = json.loads(row.attempt_details or "")[0]
    assert (skipped["outcome"], skipped["deployment"], skipped["failure"]) == ("skipped", "dear/m", "payment_required")


async def test_nobody_dearer_is_asked_because_the_purse_is_empty(tmp_path: Path) -> None:
    async with choosing(tmp_path, answering(CHAT), answering(CHAT), 1) as (gateway, dear, cheap):
        reply = await gateway.post(PATHS[CHAT], request(CHAT, model="other-way", max_tokens=64))
        assert (reply.status, reply.json()["error"]["code"]) == (402, "key_budget_lifetime")
        (row,) = await gateway.rows(1)
        assert (dear.calls, cheap.calls, charges(gateway.home)) == ([], [], {})
        assert "x-anykey-provider" not in reply.headers
    assert (row.attempts, row.cost_basis, row.cost_nano) == (0, "free", 0)


async def test_a_dearer_fallback_extends_what_is_held(tmp_path: Path) -> None:
    broken = failing(500, {"error": {"message": "no", "type": "api_error"}})
    async with choosing(tmp_path, answering(CHAT), broken, 10**9) as (gateway, dear, cheap):
        reply = await gateway.post(PATHS[CHAT], request(CHAT, model="other-way", max_tokens=64))
        (one,) = await settled(gateway.home, reply.headers["x-anykey-request-id"])
        assert (reply.status, len(dear.calls), len(cheap.calls)) == (200, 1, 1)
    assert one.cost_nano == 100 * ANSWER_NANO
    assert one.cost_nano <= one.reserved_nano


async def test_a_dearer_fallback_that_cannot_be_paid_tells_of_the_failure(tmp_path: Path) -> None:
    broken = failing(500, {"error": {"message": "no", "type": "api_error"}})
    async with choosing(tmp_path, answering(CHAT), broken, CHEAP_MOST_NANO) as (gateway, dear, _):
        reply = await gateway.post(PATHS[CHAT], request(CHAT, model="other-way", max_tokens=64))
        (row,) = await gateway.rows(1)
        (one,) = await settled(gateway.home, row.id)
        assert (reply.status, dear.calls) == (502, [])
    assert (one.state, one.cost_nano) == ("void", 0)
    assert [try_["outcome"] for try_ in json.loads(row.attempt_details or "")] == ["failed", "skipped"]


async def test_a_till_that_is_down_lets_nobody_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> None:
        raise TillDown("no answer within 5 s")

    async with selling(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        monkeypatch.setattr(Till, "open", down)
        reply = await gateway.post(PATHS[MESSAGES], request(MESSAGES))
        assert (reply.status, reply.headers["retry-after"], server.calls) == (503, "1", [])
        assert reply.json()["error"]["message"].startswith("The gateway cannot reserve the cost")
        monkeypatch.undo()
        assert (await gateway.post(PATHS[MESSAGES], request(MESSAGES))).status == 200


async def test_a_picture_is_not_paid_as_text(tmp_path: Path) -> None:
    """The cheap bound takes a body's base64 for text; a purse that has no room for that has room for the picture."""
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 400_000}"}}
    said = [{"role": "user", "content": [{"type": "text", "text": "hi"}, picture]}]
    async with selling(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        allow(gateway, 100_000 * INPUT_NANO)
        reply = await gateway.post(PATHS[CHAT], request(CHAT, messages=said, max_tokens=64))
        (one,) = await settled(gateway.home, reply.headers["x-anykey-request-id"])
    assert (reply.status, one.cost_nano) == (200, ANSWER_NANO)
    assert 1600 * INPUT_NANO < one.reserved_nano < 3000 * INPUT_NANO


async def test_every_call_can_go_through_the_till(tmp_path: Path) -> None:
    price_everything(tmp_path)
    async with WireServer(answering(CHAT)) as server:
        config = "[ledger]\nevery_call = true\n" + lab(CHAT, server.url)
        async with RunningGateway(tmp_path, config) as gateway:
            reply = await gateway.post(PATHS[CHAT], request(CHAT))
            (one,) = await settled(gateway.home, reply.headers["x-anykey-request-id"])
    assert (one.state, one.cost_nano) == ("settled", ANSWER_NANO)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_before_anything_was_sent(tmp_path: Path, *, stream: bool) -> None:
    """Nobody took the connection yet, so nobody heard of the call."""
    price_everything(tmp_path)
    async with FaultUpstream() as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url("blackhole"))) as gateway:
        allow(gateway)
        for how in LEAVES:
            async with gateway.sent("POST", PATHS[CHAT], request(CHAT, stream=stream)) as (_, writer):
                while not any(one.state == "open" for one in charges(gateway.home).values()):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                leave(writer, how)
                await gateway.rows(LEAVES.index(how) + 1)
        rows = await gateway.rows(len(LEAVES))
        kept = await settled(gateway.home, *[row.id for row in rows])
    assert {(one.state, one.basis, one.cost_nano) for one in kept} == {("void", "free", 0)}
    assert {(row.cost_basis, row.cost_nano, row.failure) for row in rows} == {("free", 0, "client_gone")}
