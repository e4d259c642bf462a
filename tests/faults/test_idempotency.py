"""Calls with an Idempotency-Key: one upstream call and one answer, however often, however many at once, and whoever leaves."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, UnprocessableEntityError

from anykey.administration.keys import create_key
from anykey.exchange import idempotency
from anykey.exchange.named_calls import NamedCalls
from anykey.server import process
from anykey.storage.idempotency import SILENT_MS, Claim, Name, claim
from anykey.storage.shelf import Shelf
from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, chat_chunk, failing, request, rows_left, wired
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.money import ANSWER_NANO, allow, charges, price_everything, settled
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

REPLAYED = "x-anykey-idempotent-replayed"
RESPONSES = "openai_responses"
Call = Callable[[], Awaitable[WireReply]]


def named(gateway: RunningGateway, name: str) -> dict[str, str]:
    return {**gateway.headers(), "Idempotency-Key": name}


def asked(protocol: str, *, stream: bool) -> tuple[str, dict[str, Any]]:
    if protocol == RESPONSES:
        return "/v1/responses", {"model": "test-model", "input": "hi", "stream": stream}
    if protocol == "gemini_generate":
        verb = "streamGenerateContent" if stream else "generateContent"
        return f"/v1beta/models/test-model:{verb}", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    return PATHS[protocol], request(protocol, stream=stream)


async def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("protocol", [CHAT, MESSAGES, RESPONSES, "gemini_generate"])
async def test_the_first_answer_is_served_again(tmp_path: Path, protocol: str, stream: bool) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        path, body = asked(protocol, stream=stream)
        first = await gateway.post(path, body, named(gateway, "one"))
        again = await gateway.post(path, body, named(gateway, "one"))
        other = await gateway.post(path, body, named(gateway, "two"))
        rows = await rows_left(gateway)
    assert (first.status, again.status, other.status) == (200, 200, 200)
    assert again.body == first.body
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert again.headers["x-anykey-request-id"] == first.headers["x-anykey-request-id"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (len(server.calls), len(rows)) == (2, 2)


async def test_a_stored_response_is_made_once(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, _):
        body: dict[str, Any] = {"model": "test-model", "input": "hi", "store": True}
        first = (await gateway.post("/v1/responses", body, named(gateway, "one"))).json()
        follow = {**body, "previous_response_id": first["id"]}
        second = (await gateway.post("/v1/responses", follow, named(gateway, "two"))).json()
        assert (await gateway.post("/v1/responses", follow, named(gateway, "two"))).json()["id"] == second["id"]
        assert (await gateway.get(f"/v1/responses/{second['id']}")).json()["previous_response_id"] == first["id"]


async def test_many_retries_at_once_are_one_call(tmp_path: Path) -> None:
    async def slow(call: RecordedCall, connection: WireConnection) -> None:
        await asyncio.sleep(0.3)
        await answering(CHAT)(call, connection)

    async with wired(tmp_path, CHAT, slow) as (gateway, server):
        call: Call = lambda: gateway.post(PATHS[CHAT], request(CHAT), named(gateway, "one"))  # noqa: E731
        replies = await asyncio.gather(*(call() for _ in range(40)))
        refused = [reply for reply in replies if reply.status == 409]
        assert [reply.status for reply in replies].count(200) == 1
        assert len(refused) == 39
        assert {reply.headers["retry-after"] for reply in refused} == {"1"}
        assert {reply.json()["error"]["code"] for reply in refused} == {"idempotency_key_in_use"}
        assert (await call()).headers[REPLAYED] == "true"
    assert len(server.calls) == 1


async def test_ten_thousand_retries_are_one_call(tmp_path: Path) -> None:
    """The short form: 500 by HTTP on one connection each, the same bytes for all."""
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        headers, body = named(gateway, "one"), request(CHAT)
        first = await gateway.post(PATHS[CHAT], body, headers)
        for _ in range(10):
            replies = await asyncio.gather(*(gateway.post(PATHS[CHAT], body, headers) for _ in range(50)))
            assert {(reply.status, reply.body, reply.headers[REPLAYED]) for reply in replies} == {
                (200, first.body, "true")
            }
        rows = await rows_left(gateway)
    assert (len(server.calls), len(rows)) == (1, 1)


async def test_another_body_or_path_under_the_name_is_refused(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        await gateway.post(PATHS[CHAT], request(CHAT), named(gateway, "one"))
        other = await gateway.post(PATHS[CHAT], request(CHAT, temperature=1), named(gateway, "one"))
        assert (other.status, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
        assert other.headers["x-should-retry"] == "false"
        path = await gateway.post(PATHS[MESSAGES], request(CHAT), named(gateway, "one"))
        assert (path.status, path.json()["error"]["type"]) == (422, "invalid_request_error")
        assert (await gateway.post("/chat/completions", request(CHAT), named(gateway, "one"))).headers[REPLAYED]
        someone = create_key(gateway.home, "someone else")
        theirs = {**named(gateway, "one"), "authorization": f"Bearer {someone.text}"}
        assert REPLAYED not in (await gateway.post(PATHS[CHAT], request(CHAT), theirs)).headers
    assert len(server.calls) == 2


@pytest.mark.parametrize("name", ["", "x" * 256])
async def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        reply = await gateway.post(PATHS[CHAT], request(CHAT), named(gateway, name))
        assert (reply.status, reply.json()["error"]["code"]) == (400, "invalid_idempotency_key")
        assert (await gateway.post(PATHS[CHAT], request(CHAT), named(gateway, "x" * 255))).status == 200
        stranger = {**named(gateway, "one"), "authorization": "Bearer no"}
        assert (await gateway.post(PATHS[CHAT], request(CHAT), stranger)).status == 401
    assert len(server.calls) == 1


async def test_what_failed_for_now_may_be_tried_again(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, failing(500, {"error": {"message": "no"}})) as (gateway, server):
        call: Call = lambda: gateway.post(PATHS[CHAT], request(CHAT), named(gateway, "one"))  # noqa: E731
        assert (await call()).status == 502
        server.script = failing(429, {"error": {"message": "no"}})
        assert (await call()).status == 429
        server.script = _broken_stream
        streamed = await gateway.post(PATHS[CHAT], request(CHAT, stream=True), named(gateway, "two"))
        assert b'"error"' in streamed.body
        server.script = answering(CHAT)
        gateway_again = await gateway.post(PATHS[CHAT], request(CHAT, stream=True), named(gateway, "two"))
        assert (gateway_again.status, REPLAYED in gateway_again.headers) == (200, False)
        await wait_well(call)
        assert (await call()).headers[REPLAYED] == "true"


async def wait_well(call: Call) -> None:
    """A 429 rests its deployment for a moment."""
    deadline = time.monotonic() + 10
    while (await call()).status != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def _broken_stream(_: RecordedCall, connection: WireConnection) -> None:
    await connection.sse_start()
    await connection.sse(chat_chunk([{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]))
    connection.reset()


async def test_what_the_upstream_refused_of_the_request_is_an_answer(tmp_path: Path) -> None:
    refusal = {"error": {"message": "temperature is too high", "type": "invalid_request_error"}}
    async with wired(tmp_path, CHAT, failing(400, refusal)) as (gateway, server):
        replies = [await gateway.post(PATHS[CHAT], request(CHAT), named(gateway, "one")) for _ in range(2)]
        wrong = [await gateway.post(PATHS[CHAT], {"messages": []}, named(gateway, "x")) for _ in range(2)]
    assert [reply.status for reply in replies] == [400, 400]
    assert (replies[1].headers[REPLAYED], replies[1].body, len(server.calls)) == ("true", replies[0].body, 1)
    assert not [reply for reply in wrong if REPLAYED in reply.headers]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_left_finds_its_answer(tmp_path: Path, stream: bool) -> None:
    go_on = asyncio.Event()

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        await go_on.wait()
        await answering(CHAT)(call, connection)

    async with wired(tmp_path, CHAT, script) as (gateway, server):
        body, headers = request(CHAT, stream=stream), named(gateway, "one")
        async with gateway.sent("POST", PATHS[CHAT], body, headers):
            await wait_for(lambda: len(server.calls) == 1)
        await asyncio.sleep(0.1)
        assert (await gateway.post(PATHS[CHAT], body, headers)).status == 409
        go_on.set()
        deadline = time.monotonic() + 5
        while (reply := await gateway.post(PATHS[CHAT], body, headers)).status == 409:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        (row,) = await rows_left(gateway)
    assert (reply.status, reply.headers[REPLAYED], reply.complete) == (200, "true", True)
    assert b"world" in reply.body
    assert (len(server.calls), row.status, row.output_tokens) == (1, 200, 3)


async def test_a_stop_tells_the_client_and_forgets_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_S", 1)
    arrived = asyncio.Event()

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        arrived.set()
        await connection.client_gone(20)

    async with wired(tmp_path, CHAT, script) as (gateway, _), asyncio.TaskGroup() as group:
        headers = named(gateway, "one")
        call = group.create_task(gateway.post(PATHS[CHAT], request(CHAT), headers))
        await arrived.wait()
        await gateway.stop()
        assert (await call).status == 503
        shelf = Shelf(gateway.home.database)
        left = await shelf.read(lambda connection: connection.execute("SELECT state FROM idempotency").fetchall())
        await shelf.aclose()
    assert left == []


async def test_an_answer_that_is_too_large_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MOST_BYTES", 100)
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        for stream in (False, True):
            body, headers = request(CHAT, stream=stream), named(gateway, f"stream {stream}")
            assert (await gateway.post(PATHS[CHAT], body, headers)).status == 200
            reply = await gateway.post(PATHS[CHAT], body, headers)
            assert (reply.status, reply.json()["error"]["code"]) == (409, "idempotent_answer_too_large")
            assert reply.headers["x-should-retry"] == "false"
    assert len(server.calls) == 2


async def test_the_call_of_a_process_that_died_is_not_made_again(tmp_path: Path) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        shelf = Shelf(gateway.home.database)
        key_id = gateway.key.split("-")[1]
        body = json.dumps(request(CHAT)).encode()
        digest = idempotency.digest_of(PATHS[CHAT], body)
        died_at = int(time.time() * 1000) - SILENT_MS - 1000
        for name, request_id in (("billed", "req_1"), ("void", "req_2")):
            await shelf.change(claim, Claim(Name(key_id, name), digest, "another", request_id), died_at)
        await shelf.change(lambda connection: connection.execute(_VOID, ("req_2", died_at, key_id)))
        lost = [await gateway.post(PATHS[CHAT], body, named(gateway, "billed")) for _ in range(2)]
        made = await gateway.post(PATHS[CHAT], body, named(gateway, "void"))
        await shelf.aclose()
    assert [(reply.status, reply.json()["error"]["code"]) for reply in lost] == [(409, "outcome_unknown")] * 2
    assert lost[0].headers["x-should-retry"] == "false"
    assert (made.status, len(server.calls)) == (200, 1)


_VOID = """INSERT INTO charges (id, at, state, process, key_id, organisation, account, budgets, client, client_protocol, model,
reserved_nano) VALUES (?, ?, 'void', 'another', ?, 'default', 'postpaid:default', '[]', 'curl', 'openai_chat', 'm', 0)"""


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_named_call_is_charged_once(tmp_path: Path, leaves: bool) -> None:
    price_everything(tmp_path)
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        allow(gateway)
        headers = named(gateway, "one")
        if leaves:
            async with gateway.sent("POST", PATHS[CHAT], request(CHAT), headers):
                await wait_for(lambda: len(server.calls) == 1)
        while (first := await gateway.post(PATHS[CHAT], request(CHAT), headers)).status == 409:
            await asyncio.sleep(0.02)
        replies = await asyncio.gather(*(gateway.post(PATHS[CHAT], request(CHAT), headers) for _ in range(20)))
        (charge,) = await settled(gateway.home, first.headers["x-anykey-request-id"])
        assert list(charges(gateway.home)) == [charge.id]
    assert {(reply.status, reply.body, reply.headers["x-anykey-cost"]) for reply in replies} == {
        (200, first.body, first.headers["x-anykey-cost"])
    }
    assert (charge.state, charge.cost_nano, len(server.calls)) == ("settled", ANSWER_NANO, 1)


async def test_a_database_that_fails_refuses_names_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        from anykey.storage.errors import DatabaseError  # noqa: PLC0415 - only this test fakes a fault of the disk

        async def fail(*_: object) -> None:
            raise DatabaseError("disk full")

        monkeypatch.setattr(NamedCalls, "begin", fail)
        reply = await gateway.post(PATHS[CHAT], request(CHAT), named(gateway, "one"))
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert (await gateway.post(PATHS[CHAT], request(CHAT))).status == 200
    assert len(server.calls) == 1


async def test_a_retrying_sdk_gets_the_answer_of_its_first_try(tmp_path: Path) -> None:
    """The answer is lost on its way: the SDK sends the call again by itself, with the header it was given."""
    async with wired(tmp_path, CHAT, answering(CHAT)) as (gateway, server):
        async with (
            _Lossy(gateway) as relay,
            AsyncOpenAI(base_url=relay.url + "/v1", api_key=gateway.key, max_retries=3) as client,
        ):
            messages: Any = [{"role": "user", "content": "hi"}]
            sdk, headers = client.chat.completions, {"Idempotency-Key": "stainless-python-retry-1"}
            told = await sdk.create(model="test-model", messages=messages, extra_headers=headers)
            with pytest.raises(UnprocessableEntityError) as reused:
                await sdk.create(model="test-model", messages=[], extra_headers=headers)
        assert told.choices[0].message.content == "Hello world"
        assert reused.value.code == "idempotency_key_reused"
    assert (relay.lost, len(server.calls)) == (1, 1)


class _Lossy(WireServer):
    """Passes calls on to a gateway, and loses the first answer."""

    def __init__(self, gateway: RunningGateway) -> None:
        super().__init__(self._pass)
        self._gateway = gateway
        self.lost = 0

    async def _pass(self, call: RecordedCall, connection: WireConnection) -> None:
        kept = {
            name: value for name, value in call.headers if name.lower() not in {"host", "content-length", "connection"}
        }
        reply = await self._gateway.request(call.method, call.target, call.body, kept)
        if not self.lost:
            self.lost += 1
            connection.reset()
            return
        told = [pair for pair in reply.headers.items() if pair[0] not in {"transfer-encoding", "content-length"}]
        await connection.head(reply.status, [*told, ("content-length", str(len(reply.body)))])
        await connection.write(reply.body)
