"""Creating a response: what reaches the upstream, what is kept, and what a refusal leaves."""

from pathlib import Path
from typing import Any

from tests.fakes.answers import CHAT, answering
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.wire import WireServer

PATH = "/v1/responses"
ASKED: dict[str, Any] = {"model": "test-model", "input": "hi"}


async def test_what_asks_nothing_of_the_memory_leaves_nothing_in_it(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        made = (await gateway.post(PATH, {**ASKED, "store": False})).json()
        assert made["store"] is False
        assert (await gateway.get(f"{PATH}/{made['id']}")).status == 404


async def test_answers_of_an_upstream_that_repeats_its_ids_are_told_apart(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        first, second = [(await gateway.post(PATH, ASKED)).json() for _ in range(2)]
        assert first["id"] != second["id"]
        assert first["output"][0]["id"] != second["output"][0]["id"]
        for made in (first, second):
            assert (await gateway.get(f"{PATH}/{made['id']}")).json() == made


async def test_a_stream_is_kept_before_its_end_is_told(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        async with gateway.sent("POST", PATH, {**ASKED, "stream": True}) as (reader, _):
            told = await reader.readuntil(b"event: response.completed")
            name = told.partition(b'"id":"')[2].partition(b'"')[0].decode()
            found = await gateway.get(f"{PATH}/{name}")
        assert (found.status, found.json()["status"]) == (200, "completed")


async def test_a_refusal_leaves_one_row_and_calls_nobody(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        refused = await gateway.post(PATH, {**ASKED, "previous_response_id": "resp_0"})
        rows = await gateway.rows()
    assert (refused.status, refused.json()["error"]["code"]) == (400, "previous_response_not_found")
    assert [(row.id, row.status, row.failure) for row in rows] == [
        (refused.headers["x-anykey-request-id"], 400, "invalid_request")
    ]
    assert upstream.calls == []


async def test_a_background_request_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        for fields in ({"temperature": "hot"}, {"input": 5}, {"store": False}):
            refused = await gateway.post(PATH, {**ASKED, "background": True, **fields})
            assert 400 <= refused.status < 500, fields
    assert upstream.calls == []
