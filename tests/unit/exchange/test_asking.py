"""One call on one way: what is sent, and what an error reply becomes."""

from pathlib import Path

import pytest

from tests.fakes.answers import CHAT, MESSAGES, MODEL, TEXT, answering, ask, failing, told_text, whole, wired
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

CONFIG = """
[server]
environment_providers = false
[providers.lab0]
kind = "custom"
protocol = "openai_chat"
base_url = "{url}/v1"
auth = "{auth}"
api_key = {{ env = "KEY" }}
[models."test-model"]
deployments = ["lab0/{model}"]
"""


@pytest.mark.parametrize("stream", [False, True])
async def test_a_key_in_the_query_reaches_the_upstream_and_nobody_else(
    tmp_path: Path, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with WireServer(answering(CHAT)) as server:
        config = CONFIG.format(url=server.url, auth="query_key", model=MODEL)
        async with RunningGateway(tmp_path, config, environ={"KEY": "canary-1"}) as gateway:
            reply = await ask(gateway, CHAT, stream=stream)
            server.script = failing(500, {"error": {"message": "no"}})
            refused = await ask(gateway, CHAT, stream=stream)
    assert (reply.status, told_text(CHAT, reply)) == (200, TEXT)
    assert [call.target for call in server.calls] == ["/v1/chat/completions?key=canary-1"] * 2
    assert all(call.header("authorization") is None for call in server.calls)
    assert "canary-1" not in caplog.text
    assert b"canary-1" not in refused.body


@pytest.mark.parametrize("stream", [False, True])
async def test_a_limit_in_the_headers_bounds_the_call(tmp_path: Path, stream: bool) -> None:
    async def silent(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(3)

    async with wired(tmp_path, CHAT, silent) as (gateway, _):
        headers = {**gateway.headers(), "x-portkey-request-timeout": "150"}
        body = {"model": "test-model", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
        reply = await gateway.post("/v1/chat/completions", body, headers)
    assert reply.status == 504


async def test_an_answer_in_one_piece_where_a_stream_was_asked_for(tmp_path: Path) -> None:
    async def in_one_piece(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, whole(MESSAGES))

    async with wired(tmp_path, MESSAGES, in_one_piece) as (gateway, _):
        reply = await ask(gateway, CHAT, stream=True)
    assert (reply.status, told_text(CHAT, reply)) == (200, TEXT)
    assert reply.headers["content-type"].startswith("text/event-stream")
