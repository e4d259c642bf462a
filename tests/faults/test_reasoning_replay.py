"""Reasoning text that a Chat upstream demands back, whatever its client keeps of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, chat_chunk, pieces, request, whole
from tests.fakes.gateway import RunningGateway
from tests.fakes.thinking import TOOLS, doors, tool_result
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

ECHO = 'echo_reasoning = "always"'


def demanding(turn: int, thought: str) -> Script:
    """A Chat upstream as DeepSeek is: no assistant message with calls may lack its reasoning."""

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        for message in asked.json()["messages"]:
            if message.get("tool_calls") and "reasoning_content" not in message:
                error = {"message": "reasoning_content must be passed back", "type": "invalid_request_error"}
                await connection.json(400, {"error": error})
                return
        call = {"index": 0, "id": f"call_{turn}", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        if not asked.json().get("stream"):
            message = {"role": "assistant", "content": None, "reasoning_content": thought, "tool_calls": [call]}
            choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            await connection.json(200, {**whole(CHAT), "choices": [choice]})
            return
        deltas: list[dict[str, Any]] = [*({"reasoning_content": letter} for letter in thought), {"tool_calls": [call]}]
        chunks = [chat_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        end = pieces(CHAT).end
        await connection.sse_start()
        await connection.sse(*pieces(CHAT).lifecycle, *chunks, end[0].replace('"stop"', '"tool_calls"'), *end[1:])
        await connection.sse_end()

    return script


def forgetful(client: str, turn: int) -> dict[str, Any]:
    """The assistant's message as a client sends it that drops reasoning."""
    if client == CHAT:
        call = {"id": f"call_{turn}", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"role": "assistant", "content": [{"type": "tool_use", "id": f"call_{turn}", "name": "read", "input": {}}]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", [CHAT, MESSAGES])
async def test_reasoning_that_the_client_drops_is_put_back(tmp_path: Path, client: str, stream: bool) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, doors((CHAT, server), chat=ECHO)) as gateway,
    ):
        history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
        for turn in range(3):
            server.script = demanding(turn, f"thought {turn}")
            body = {**request(client, tools=TOOLS[client], stream=stream), "messages": history}
            assert (await gateway.post(PATHS[client], body)).status == 200
            history += [forgetful(client, turn), tool_result(client, f"call_{turn}")]
    sent = [message for message in server.calls[2].json()["messages"] if message["role"] == "assistant"]
    assert [message["reasoning_content"] for message in sent] == ["thought 0", "thought 1"]


@pytest.mark.parametrize("client", [CHAT, MESSAGES])
async def test_reasoning_that_nobody_knows_goes_back_empty(tmp_path: Path, client: str) -> None:
    async with (
        WireServer(demanding(1, "new")) as server,
        RunningGateway(tmp_path, doors((CHAT, server), chat=ECHO)) as gateway,
    ):
        history = [{"role": "user", "content": "hi"}, forgetful(client, 0), tool_result(client, "call_0")]
        reply = await gateway.post(PATHS[client], {**request(client, tools=TOOLS[client]), "messages": history})
    assert reply.status == 200
    assert server.calls[0].json()["messages"][1]["reasoning_content"] == ""


async def test_another_upstream_gets_the_clients_own_bytes(tmp_path: Path) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, doors((CHAT, server), chat="developer_role = true")) as gateway,
    ):
        history = [{"role": "user", "content": "hi"}, forgetful(CHAT, 0), tool_result(CHAT, "call_0")]
        body = {**request(CHAT, tools=TOOLS[CHAT]), "messages": history, "model": "lab0/upstream-model"}
        await gateway.post(PATHS[CHAT], body)
    assert server.calls[0].json()["messages"] == history
