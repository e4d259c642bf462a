"""What is kept of calls that are logged in full, where they do not go as usual: refused, broken off, over a WebSocket, in the
background, as a JSON array, cut."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.administration.request_bodies import read_bodies
from anykey.storage.exchange_bodies import ExchangeBodies
from tests.fakes.answers import CHAT, PATHS, TEXT, answering, pieces, request
from tests.fakes.gateway import RunningGateway, WireReply, lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

RESPONSES = "/v1/responses"
GEMINI = "/v1beta/models/test-model"
ASKED_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def logged(gateway: RunningGateway, level: str = "full") -> dict[str, str]:
    """The headers of a key of this level."""
    key = create_key(gateway.home, level, fields=KeyFields(logging=level))
    return {"authorization": f"Bearer {key.text}", "content-type": "application/json"}


async def kept(gateway: RunningGateway, request_id: str) -> ExchangeBodies:
    """Once they are written."""
    for _ in range(200):
        try:
            return read_bodies(gateway.home, request_id)
        except AdministrationError:
            await asyncio.sleep(0.02)
    return pytest.fail("nothing was kept")


def count(gateway: RunningGateway) -> int:
    with closing(gateway.home.database.connect(read_only=True)) as connection:
        return connection.execute("SELECT count(*) FROM exchange_bodies").fetchone()[0]


def id_of(reply: WireReply) -> str:
    return reply.headers["x-anykey-request-id"]


async def refusing(_: RecordedCall, connection: WireConnection) -> None:
    await connection.json(400, {"error": {"message": "too hot", "type": "invalid_request_error", "code": "hot"}})


async def breaking(_: RecordedCall, connection: WireConnection) -> None:
    told = pieces(CHAT)
    await connection.sse_start()
    await connection.sse(*told.lifecycle, told.content[0])
    connection.reset()


async def silent(_: RecordedCall, connection: WireConnection) -> None:
    told = pieces(CHAT)
    await connection.sse_start()
    await connection.sse(*told.lifecycle, told.content[0])
    await connection.client_gone(5)


async def test_nothing_is_kept_of_other_keys(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        for headers in (None, logged(gateway, "off"), logged(gateway, "metadata")):
            assert (await gateway.post(PATHS[CHAT], request(CHAT), headers)).status == 200
        assert len(await gateway.rows(3)) == 3
        assert count(gateway) == 0


async def test_refusals_are_kept_as_they_were_told(tmp_path: Path) -> None:
    async with WireServer(refusing) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        headers = logged(gateway)
        bodies = [
            (PATHS[CHAT], json.dumps(request(CHAT)).encode()),
            (PATHS[CHAT], b'{"model": "no-such-model", "messages": []}'),
            (PATHS[CHAT], b"no JSON at all"),
            (RESPONSES, b'{"model": "test-model", "input": "hi", "previous_response_id": "resp_none"}'),
        ]
        for path, body in bodies:
            reply = await gateway.post(path, body, headers)
            found = await kept(gateway, id_of(reply))
            assert (found.request, found.answer, found.status) == (body, reply.body, reply.status)
            assert reply.status >= 400
        assert count(gateway) == len(bodies)


async def test_a_stream_that_breaks_is_kept_with_its_error(tmp_path: Path) -> None:
    async with WireServer(breaking) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        reply = await gateway.post(PATHS[CHAT], request(CHAT, stream=True), logged(gateway))
        found = await kept(gateway, id_of(reply))
    assert found.answer == reply.body
    assert b"error" in found.answer


async def test_of_a_client_that_leaves_what_it_got_is_kept(tmp_path: Path) -> None:
    async with WireServer(silent) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        body = json.dumps(request(CHAT, stream=True)).encode()
        async with gateway.sent("POST", PATHS[CHAT], body, logged(gateway)) as (reader, _):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readuntil(b"Hello")
        request_id = next(line.split(": ")[1] for line in head.split("\r\n") if line.startswith("x-anykey-request-id"))
        found = await kept(gateway, request_id)
    assert found.request == body
    assert b"Hello" in found.answer
    assert b"[DONE]" not in found.answer


async def test_a_stream_as_an_array_is_kept_as_one(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        reply = await gateway.post(f"{GEMINI}:streamGenerateContent", ASKED_GEMINI, logged(gateway))
        found = await kept(gateway, id_of(reply))
    assert found.answer == reply.body
    assert isinstance(json.loads(found.answer), list)
    assert found.content_type.startswith("application/json")


async def test_what_is_longer_than_the_setting_is_cut_and_says_so(tmp_path: Path) -> None:
    config = "[logging]\nmax_body_bytes = 1024\n"
    async with (
        WireServer(answering(CHAT)) as upstream,
        RunningGateway(tmp_path, config + lab(CHAT, upstream.url)) as gateway,
    ):
        body = json.dumps(request(CHAT, user="x" * 5000)).encode()
        reply = await gateway.post(PATHS[CHAT], body, logged(gateway))
        found = await kept(gateway, id_of(reply))
    assert (found.request, found.request_bytes) == (body[:1024], len(body))
    assert found.is_cut("request")
    assert not found.is_cut("answer")


async def test_a_named_call_is_kept_once_and_its_replay_not(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        headers = {**logged(gateway), "idempotency-key": "one"}
        first, again = [await gateway.post(PATHS[CHAT], request(CHAT), headers) for _ in range(2)]
        found = await kept(gateway, id_of(first))
        assert (found.answer, again.body) == (first.body, first.body)
        assert count(gateway) == 1


async def test_a_conversation_that_is_continued_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        headers = logged(gateway)
        first = await gateway.post(RESPONSES, {"model": "test-model", "input": "hi"}, headers)
        said: dict[str, Any] = {
            "model": "test-model",
            "input": "and now?",
            "previous_response_id": first.json()["id"],
        }
        body = json.dumps(said).encode()
        second = await gateway.post(RESPONSES, body, headers)
        compact = json.dumps({"model": "test-model", "input": [{"role": "user", "content": "hi"}]}).encode()
        compacted = await gateway.post(f"{RESPONSES}/compact", compact, headers)
        found = [await kept(gateway, id_of(reply)) for reply in (second, compacted)]
    assert [(one.request, one.answer) for one in found] == [(body, second.body), (compact, compacted.body)]
    assert compacted.json()["object"] == "response.compaction"


async def test_each_turn_of_a_websocket_is_kept(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        headers = {"authorization": logged(gateway)["authorization"]}
        url = gateway.url.replace("http", "ws") + RESPONSES
        turns: list[tuple[str, list[str]]] = []
        async with asyncio.timeout(10), connect(url, additional_headers=headers, proxy=None) as socket:
            previous: dict[str, str] = {}
            for text in ("hi", "and now?"):
                said = {"type": "response.create", "model": "test-model", "input": text, "store": False, **previous}
                turns.append((json.dumps(said), []))
                await socket.send(turns[-1][0])
                while not turns[-1][1] or '"response.completed"' not in turns[-1][1][-1]:
                    turns[-1][1].append(str(await socket.recv()))
                previous = {"previous_response_id": json.loads(turns[-1][1][-1])["response"]["id"]}
        rows = await gateway.rows(2)
        found = [await kept(gateway, row.id) for row in reversed(rows)]
    for bodies, (sent, got) in zip(found, turns, strict=True):
        assert (bodies.request.decode(), bodies.answer.decode().splitlines()) == (sent, got)
        assert (bodies.status, bodies.content_type) == (200, "application/x-ndjson")


@pytest.mark.parametrize("stream", [False, True])
async def test_of_a_background_response_its_events_are_kept(tmp_path: Path, stream: bool) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        body = json.dumps({"model": "test-model", "input": "hi", "background": True, "stream": stream}).encode()
        reply = await gateway.post(RESPONSES, body, logged(gateway))
        (row,) = await gateway.rows()
        found = await kept(gateway, row.id)
        assert count(gateway) == 1
    assert reply.status == 200
    assert found.request == body
    assert found.answer.count(b"event: response.completed") == 1
    assert TEXT.encode() in found.answer
