"""State that an upstream refuses is left out once; a conversation goes back to the deployment that made its state."""

import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, failing, request, rows_left
from tests.fakes.gateway import RunningGateway
from tests.fakes.thinking import (
    SIGNATURE,
    TOOLS,
    converse,
    doors,
    messages_turn,
    thinking_chat,
    thinking_messages,
    tool_result,
)
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

ENVELOPE = "QUsx"
BAD_SIGNATURE = "messages.1.content.0: Invalid `signature` in `thinking` block"
DETAILS = 'reasoning_details = true\necho_reasoning = "always"\nreasoning_field = "reasoning"'


def refusing_state(message: str, status: int = 400) -> Script:
    """A Messages upstream that takes no signature but its own."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if b'"signature"' in call.body:
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
            await connection.json(status, error)
        else:
            await answering(MESSAGES)(call, connection)

    return script


def own_history() -> list[dict[str, Any]]:
    """A Messages conversation with raw state in it."""
    said: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "why", "signature": SIGNATURE},
        {"type": "tool_use", "id": "call_0", "name": "read", "input": {}},
    ]
    return [{"role": "user", "content": "hi"}, {"role": "assistant", "content": said}, tool_result(MESSAGES, "call_0")]


def own_request(**more: Any) -> dict[str, Any]:
    return {**request(MESSAGES, tools=TOOLS[MESSAGES]), "messages": own_history(), **more}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "message",
    [
        BAD_SIGNATURE,
        "The thinking block is bound to another organization.",
        "Could not decrypt the provided encrypted_content.",
    ],
)
async def test_a_refused_state_is_left_out_once(tmp_path: Path, message: str, stream: bool) -> None:
    async with (
        WireServer(refusing_state(message)) as server,
        RunningGateway(tmp_path, doors((MESSAGES, server))) as gateway,
    ):
        body = json.dumps(own_request(stream=stream)).encode()
        reply = await gateway.post(PATHS[MESSAGES], body.replace(b"test-model", b"lab0/upstream-model"))
        row = (await gateway.rows())[0]
    assert reply.status == 200
    assert len(server.calls) == 2
    assert server.calls[0].json()["messages"] == own_history()
    assert "dropped:messages.content.state" in row.losses
    assert (row.attempts, row.failure) == (2, None)
    blocks = server.calls[1].json()["messages"][1]["content"]
    assert [block["type"] for block in blocks] == ["tool_use"]


async def test_a_refused_state_is_not_tried_a_third_time(tmp_path: Path) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": BAD_SIGNATURE}}
    async with (
        WireServer(failing(400, error)) as server,
        RunningGateway(tmp_path, doors((MESSAGES, server))) as gateway,
    ):
        reply = await gateway.post(PATHS[MESSAGES], own_request())
        assert (reply.status, len(server.calls)) == (400, 2)
        assert BAD_SIGNATURE in reply.json()["error"]["message"]
        plain = await gateway.post(PATHS[MESSAGES], request(MESSAGES))
    assert (plain.status, len(server.calls)) == (400, 3)


async def test_a_400_about_something_else_is_not_repeated(tmp_path: Path) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too large"}}
    async with (
        WireServer(failing(400, error)) as server,
        RunningGateway(tmp_path, doors((MESSAGES, server))) as gateway,
    ):
        await gateway.post(PATHS[MESSAGES], own_request())
    assert len(server.calls) == 1


async def test_a_translated_state_that_is_refused_is_left_out_once(tmp_path: Path) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, doors((CHAT, server), chat=DETAILS)) as gateway,
    ):
        history = await converse(gateway, server, MESSAGES, CHAT, stream=False, turns=1)
        good = thinking_chat("again", 1)

        async def script(call: RecordedCall, connection: WireConnection) -> None:
            if b'"signature"' in call.body:
                await connection.json(400, {"error": {"message": "Invalid signature", "type": "invalid_request_error"}})
            else:
                await good(call, connection)

        server.script = script
        reply = await gateway.post(PATHS[MESSAGES], {**request(MESSAGES, tools=TOOLS[MESSAGES]), "messages": history})
    assert (reply.status, len(server.calls)) == (200, 3)
    assert reply.json()["content"][0]["signature"].startswith(ENVELOPE)


async def overloaded(call: RecordedCall, connection: WireConnection) -> None:
    await connection.json(529, {"type": "error", "error": {"type": "overloaded_error", "message": "later"}})


async def test_a_conversation_with_state_goes_back_to_its_maker(tmp_path: Path) -> None:
    async with (
        WireServer(overloaded) as first,
        WireServer(thinking_messages("why", 0)) as second,
        RunningGateway(tmp_path, doors((MESSAGES, first), (MESSAGES, second))) as gateway,
    ):
        session = {**gateway.headers(), "x-claude-code-session-id": "s1"}

        def post(more: dict[str, Any], headers: dict[str, str] = session) -> Awaitable[Any]:
            return gateway.post(PATHS[MESSAGES], {**request(MESSAGES, tools=TOOLS[MESSAGES]), **more}, headers)

        began = await post({})
        first.script = second.script = answering(MESSAGES)
        history = [{"role": "user", "content": "hi"}, messages_turn(began.body, stream=False)]
        history.append(tool_result(MESSAGES, "call_0"))
        kept = await post({"messages": history})
        stateless = await post({})
        stranger = await post({"messages": history}, {**session, "x-claude-code-session-id": "s2"})
        again = await post({})
        rows = await rows_left(gateway)
    told = [reply.headers["x-anykey-deployment"] for reply in (began, kept, stateless, stranger, again)]
    assert told == [f"lab{number}/upstream-model" for number in (1, 1, 0, 0, 0)]
    assert [row.attempts for row in reversed(rows)] == [2, 1, 1, 1, 1]
    assert second.calls[1].json()["messages"] == history


async def test_a_maker_that_is_down_gives_way_and_the_next_gets_no_foreign_state(tmp_path: Path) -> None:
    async with (
        WireServer(overloaded) as first,
        WireServer(thinking_messages("why", 0)) as second,
        RunningGateway(tmp_path, doors((MESSAGES, first), (MESSAGES, second))) as gateway,
    ):
        body = request(MESSAGES, tools=TOOLS[MESSAGES])
        began = await gateway.post(PATHS[MESSAGES], body)
        first.script, second.script = answering(MESSAGES), overloaded
        said = messages_turn(began.body, stream=False)
        history = [*body["messages"], said, tool_result(MESSAGES, "call_0")]
        reply = await gateway.post(PATHS[MESSAGES], {**body, "messages": history})
        row = (await gateway.rows(2))[0]
    assert reply.status == 200
    assert (row.attempts, row.provider) == (2, "lab0")
    assert "dropped:messages.content.state" in row.losses
    assert b"signature" in second.calls[1].body
    assert b"signature" not in first.calls[1].body
    assert b"redacted_thinking" not in first.calls[1].body
