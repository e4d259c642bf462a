"""A whole answer where a stream was asked for."""

from pathlib import Path

import pytest

from tests.fakes.answers import (
    CHAT,
    PAIRS,
    TEXT,
    answering,
    ask,
    config,
    ended_normally,
    error_told,
    failing,
    records,
    told_text,
    whole,
    wired,
)
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_it_is_told_as_a_stream(tmp_path: Path, client: str, upstream: str) -> None:
    async with wired(tmp_path, upstream, reply_json(whole(upstream))) as (gateway, _):
        options = {"stream_options": {"include_usage": True}} if client == CHAT else {}
        reply = await ask(gateway, client, stream=True, **options)
        row = (await gateway.rows())[0]
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert (reply.status, reply.complete, told_text(client, reply)) == (200, True, TEXT)
    assert ended_normally(client, reply.body)
    if client == CHAT:
        chunks = [record.data for record in records(reply.body)[:-1]]
        assert chunks[-1]["usage"]["total_tokens"] == 10
        assert all(chunk["created"] > 0 for chunk in chunks)
    assert (row.input_tokens, row.output_tokens, row.model_answered) == (7, 3, "upstream-model")
    assert row.finish in {"stop", "end_turn"}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_an_error_dressed_as_a_success_leads_to_the_next(tmp_path: Path, client: str, upstream: str) -> None:
    error = {"type": "error", "error": {"type": "server_error", "message": "no luck today"}}
    async with (
        WireServer(failing(200, error)) as bad,
        WireServer(answering(upstream)) as good,
        RunningGateway(tmp_path, config((upstream, bad.url), (upstream, good.url))) as gateway,
    ):
        for stream in (True, False):
            assert told_text(client, await ask(gateway, client, stream=stream)) == TEXT
        good.script = failing(200, error)
        for stream in (True, False):
            reply = await ask(gateway, client, stream=stream)
            assert reply.status >= 500
            assert "no luck today" in reply.json()["error"]["message"]


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
async def test_after_a_keep_alive_its_error_is_in_band(tmp_path: Path, client: str, upstream: str) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sleep(0.15)
        await connection.json(200, {"error": {"type": "server_error", "message": "no luck today"}})

    async with wired(tmp_path, upstream, script, keepalive_s=0.1) as (gateway, _):
        reply = await ask(gateway, client, stream=True)
    assert reply.status == 200
    assert "no luck today" in (error_told(client, reply.body) or {})["message"]
