"""Copies of calls: sent, read, paid for by nobody, and never in anybody's way."""

import asyncio
from pathlib import Path

import pytest

from anykey.exchange import shadow as module
from anykey.storage.records import ExchangeRow
from tests.fakes.answers import CHAT, MESSAGES, MODEL, TEXT, answering, ask, failing, rows_left, told_text
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

CONFIG = """
[server]
environment_providers = false
[providers.lab0]
kind = "custom"
protocol = "openai_chat"
base_url = "{url}/v1"
api_key = {{ env = "LAB_KEY" }}
[providers.lab1]
kind = "custom"
protocol = "anthropic_messages"
base_url = "{other}"
api_key = {{ env = "LAB_KEY" }}
[models."test-model"]
deployments = ["lab0/{model}"]
shadow = {{ deployment = "lab1/{model}", percent = 100 }}
"""


def split(rows: list[ExchangeRow]) -> tuple[list[ExchangeRow], list[ExchangeRow]]:
    """The calls, and the copies."""
    copies = [row for row in rows if row.route == "shadow"]
    return [row for row in rows if row not in copies], copies


@pytest.mark.parametrize("stream", [False, True])
async def test_a_copy_is_sent_beside_and_leaves_a_row_of_nobodys(tmp_path: Path, stream: bool) -> None:
    async with WireServer(answering(CHAT)) as server, WireServer(answering("anthropic_messages")) as other:
        config = CONFIG.format(url=server.url, other=other.url, model=MODEL)
        async with RunningGateway(tmp_path, config) as gateway:
            reply = await ask(gateway, CHAT, stream=stream)
            rows = await gateway.rows(2)
    calls, copies = split(rows)
    assert (reply.status, told_text(CHAT, reply), reply.headers["x-anykey-provider"]) == (200, TEXT, "lab0")
    assert (len(server.calls), len(other.calls)) == (1, 1)
    assert [(row.provider, row.attempts, row.status) for row in calls] == [("lab0", 1, 200)]
    assert [(row.provider, row.key_id, row.status, row.output_tokens) for row in copies] == [("lab1", "shadow", 200, 3)]
    assert copies[0].id == f"{calls[0].id}-shadow1"


async def test_a_copy_that_fails_or_hangs_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SHADOWS", 2)

    async def hangs(call: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    async with WireServer(answering(CHAT)) as server, WireServer(failing(500, {"error": {"message": "no"}})) as other:
        config = CONFIG.format(url=server.url, other=other.url, model=MODEL)
        async with RunningGateway(tmp_path, config) as gateway:
            assert (await ask(gateway, CHAT)).status == 200
            await gateway.rows(2)
            other.script = hangs
            replies = await asyncio.gather(*(ask(gateway, CHAT) for _ in range(6)))
            await asyncio.sleep(0.1)
            calls, copies = split(await rows_left(gateway))
    assert {reply.status for reply in replies} == {200}
    assert (len(calls), len(copies), len(other.calls)) == (7, 3, 3)
    assert {row.failure for row in copies} == {"upstream_error", "unavailable"}


async def test_what_another_providers_model_thought_is_not_copied(tmp_path: Path) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}
    said = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "hello"}]},
        {"role": "user", "content": "on"},
    ]
    async with WireServer(answering(MESSAGES)) as server, WireServer(answering(MESSAGES)) as other:
        config = CONFIG.format(url=server.url, other=other.url, model=MODEL)
        config = config.replace(f'"{server.url}/v1"', f'"{server.url}"').replace(
            '"openai_chat"', '"anthropic_messages"'
        )
        async with RunningGateway(tmp_path, config) as gateway:
            asked = {"model": "test-model", "max_tokens": 64, "messages": said}
            assert (await gateway.post("/v1/messages", asked)).status == 200
            await gateway.rows(2)
    assert b"c2lnbmVk" in server.calls[0].body
    assert b"hello" in other.calls[0].body
    assert b"c2lnbmVk" not in other.calls[0].body
