"""Compaction: one call that asks for a summary, and what becomes of its answer."""

import base64
from pathlib import Path

from tests.fakes.answers import CHAT, TEXT, answering
from tests.fakes.gateway import RunningGateway, lab
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

PATH = "/v1/responses/compact"


async def test_a_conversation_becomes_the_users_messages_and_one_item(tmp_path: Path) -> None:
    spoken = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
    asked = {"role": "user", "content": "hi"}
    async with WireServer(answering(CHAT)) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        body = {"model": "test-model", "input": [asked, spoken], "stream": True, "prompt_cache_key": "x"}
        answer = (await gateway.post(PATH, body)).json()
        rows = await gateway.rows()
    assert (answer["object"], len(answer["output"])) == ("response.compaction", 2)
    kept = answer["output"][0]
    assert kept.pop("id").startswith("msg_")
    full = {"type": "message", "role": "user", "status": "completed", "content": [{"type": "input_text", "text": "hi"}]}
    assert kept == full, "SDKs know a message of an output in its full form only"
    item = answer["output"][1]
    assert item["type"] == "compaction"
    mark, _, text = item["encrypted_content"].partition(".")
    assert (mark, base64.b64decode(text).decode()) == ("akc1", TEXT)
    assert answer["usage"]["total_tokens"] == 10
    assert len(upstream.calls[0].json()["messages"]) == 3
    assert [(row.status, row.output_tokens) for row in rows] == [(200, 3)]


async def test_an_error_of_the_call_is_told_as_it_is(tmp_path: Path) -> None:
    async def refuse(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(429, {"error": {"message": "slow down"}}, [("retry-after", "3")])

    async with WireServer(refuse) as upstream, RunningGateway(tmp_path, lab(CHAT, upstream.url)) as gateway:
        told = await gateway.post(PATH, {"model": "test-model", "input": "hi"})
        empty = await gateway.post(PATH, {"model": "test-model"})
        broken = await gateway.post(PATH, b"[")
    assert (told.status, told.headers["retry-after"]) == (429, "3")
    assert (empty.status, empty.json()["error"]["param"]) == (400, "input")
    assert broken.status == 400
