"""Agents keep their reasoning state, whichever way they cross; state that cannot go is left out, and told."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import CHAT, MESSAGES, PATHS, answering, request, whole
from tests.fakes.gateway import RunningGateway
from tests.fakes.thinking import REDACTED, SIGNATURE, TOOLS, converse, doors
from tests.fakes.wire import WireServer

ENVELOPE = "QUsx"
DETAILS = 'reasoning_details = true\necho_reasoning = "always"\nreasoning_field = "reasoning"'


@pytest.mark.parametrize("stream", [False, True])
async def test_three_tool_turns_of_messages_keep_a_chat_upstreams_state(tmp_path: Path, stream: bool) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, doors((CHAT, server), chat=DETAILS)) as gateway,
    ):
        history = await converse(gateway, server, MESSAGES, CHAT, stream=stream, turns=4)
    thinking = [block for message in history[1::2] for block in message["content"] if block["type"] == "thinking"]
    assert [block["thinking"] for block in thinking] == [f"thought {turn}" for turn in range(4)]
    assert all(block["signature"].startswith(ENVELOPE) for block in thinking)
    sent = [message for message in server.calls[3].json()["messages"] if message["role"] == "assistant"]
    assert [message["reasoning_details"] for message in sent] == [
        [
            {
                "type": "reasoning.text",
                "text": f"thought {turn}",
                "signature": SIGNATURE,
                "format": "anthropic-claude-v1",
                "index": 0,
            }
        ]
        for turn in range(3)
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_three_tool_turns_of_chat_keep_a_messages_upstreams_state(tmp_path: Path, stream: bool) -> None:
    async with (
        WireServer(answering(MESSAGES)) as server,
        RunningGateway(tmp_path, doors((MESSAGES, server))) as gateway,
    ):
        history = await converse(gateway, server, CHAT, MESSAGES, stream=stream, turns=4)
    formats = [entry["format"] for message in history[1::2] for entry in message["reasoning_details"]]
    assert formats == ["anthropic-claude-v1"] * 8
    sent = [message for message in server.calls[3].json()["messages"] if message["role"] == "assistant"]
    assert [message["content"][:2] for message in sent] == [
        [
            {"type": "thinking", "thinking": f"thought {turn}", "signature": SIGNATURE},
            {"type": "redacted_thinking", "data": REDACTED},
        ]
        for turn in range(3)
    ]


async def test_state_goes_to_nobody_but_its_maker(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as maker, WireServer(answering(CHAT)) as other:
        both = doors((CHAT, maker), (CHAT, other), chat=DETAILS)
        async with RunningGateway(tmp_path, both) as gateway:
            history = await converse(gateway, maker, MESSAGES, CHAT, stream=False, turns=1)
            asked = {**request(MESSAGES, tools=TOOLS[MESSAGES]), "messages": history, "model": "lab1/upstream-model"}
            reply = await gateway.post(PATHS[MESSAGES], asked)
            row = (await gateway.rows(2))[0]
    assert reply.status == 200
    assert "dropped:messages.content.state" in reply.headers["x-anykey-losses"]
    assert "dropped:messages.content.state" in row.losses
    assert ENVELOPE.encode() not in other.calls[0].body
    assert SIGNATURE.encode() not in other.calls[0].body


def spoil(history: list[dict[str, Any]]) -> None:
    """Change one letter inside the envelope."""
    block = history[1]["content"][0]
    letters = list(block["signature"])
    letters[80] = "A" if letters[80] != "A" else "B"
    block["signature"] = "".join(letters)


async def test_a_forged_state_is_left_out(tmp_path: Path) -> None:
    async with (
        WireServer(answering(CHAT)) as server,
        RunningGateway(tmp_path, doors((CHAT, server), chat=DETAILS)) as gateway,
    ):
        history = await converse(gateway, server, MESSAGES, CHAT, stream=False, turns=1)
        spoil(history)
        reply = await gateway.post(PATHS[MESSAGES], {**request(MESSAGES, tools=TOOLS[MESSAGES]), "messages": history})
    assert "dropped:messages.content.state" in reply.headers["x-anykey-losses"]
    assert b"signature" not in server.calls[1].body


async def test_an_envelope_does_not_reach_an_upstream_of_the_clients_own_protocol(tmp_path: Path) -> None:
    async with WireServer(answering(CHAT)) as chat, WireServer(answering(MESSAGES)) as native:
        both = doors((CHAT, chat), (MESSAGES, native), chat=DETAILS)
        async with RunningGateway(tmp_path, both) as gateway:
            history = await converse(gateway, chat, MESSAGES, CHAT, stream=False, turns=1)
            history[1]["content"].insert(0, {"type": "thinking", "thinking": "own", "signature": SIGNATURE})
            asked = {**request(MESSAGES, tools=TOOLS[MESSAGES]), "messages": history, "model": "lab1/upstream-model"}
            headers = {**gateway.headers(), "anthropic-version": "2023-06-01", "anthropic-beta": "context-1m"}
            reply = await gateway.post(PATHS[MESSAGES], asked, headers)
    assert reply.json()["content"] == whole(MESSAGES)["content"]
    assert native.calls[0].header("anthropic-beta") == "context-1m"
    (said,) = [message for message in native.calls[0].json()["messages"] if message["role"] == "assistant"]
    assert [block["type"] for block in said["content"]] == ["thinking", "tool_use"]
    assert said["content"][0] == {"type": "thinking", "thinking": "own", "signature": SIGNATURE}
