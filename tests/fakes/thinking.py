"""Upstreams that think, and clients that keep or drop what they thought: for tests of what must survive a crossing."""

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.answers import (
    CHAT,
    MESSAGES,
    PATHS,
    chat_chunk,
    config,
    messages_event,
    pieces,
    records,
    request,
    whole,
)
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

SIGNATURE = "EqQBCkYIBxgCKkD+/thisIsTheMakers0Q=="
REDACTED = "EmwKAhgBredacted=="
TOOLS = {
    CHAT: [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}],
    MESSAGES: [{"name": "read", "input_schema": {"type": "object"}}],
}


def doors(*upstreams: tuple[str, WireServer], chat: str = "") -> str:
    """A configuration with these providers; ``chat`` is the dialect of those that speak Chat."""
    tables = [f"[providers.lab{n}.dialect.{CHAT}]\n{chat}\n" for n, (name, _) in enumerate(upstreams) if name == CHAT]
    return config(*((name, server.url) for name, server in upstreams)) + "".join(tables)


def thinking_chat(text: str, turn: int) -> Script:
    """A Chat upstream that thinks with a signature, then calls a tool; each turn thinks something else."""
    detail = {
        "type": "reasoning.text",
        "text": text,
        "signature": SIGNATURE,
        "format": "anthropic-claude-v1",
        "index": 0,
    }
    call = {"index": 0, "id": f"call_{turn}", "type": "function", "function": {"name": "read", "arguments": "{}"}}

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        message = {"role": "assistant", "content": None, "reasoning_details": [detail], "tool_calls": [call]}
        if not asked.json().get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            await connection.json(200, {**whole(CHAT), "choices": [choice]})
            return
        deltas = [
            {"reasoning_details": [{key: detail[key] for key in detail if key != "signature"}]},
            {"reasoning_details": [{key: detail[key] for key in detail if key != "text"}]},
            {"tool_calls": [call]},
        ]
        chunks = [chat_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        end = pieces(CHAT).end
        await connection.sse_start()
        await connection.sse(*pieces(CHAT).lifecycle, *chunks, end[0].replace('"stop"', '"tool_calls"'), *end[1:])
        await connection.sse_end()

    return script


def thinking_messages(text: str, turn: int) -> Script:
    """The same from a Messages upstream."""
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": text, "signature": SIGNATURE},
        {"type": "redacted_thinking", "data": REDACTED},
        {"type": "tool_use", "id": f"call_{turn}", "name": "read", "input": {}},
    ]

    async def script(asked: RecordedCall, connection: WireConnection) -> None:
        if not asked.json().get("stream"):
            await connection.json(200, {**whole(MESSAGES), "content": blocks, "stop_reason": "tool_use"})
            return
        start = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": text}, {"type": "signature_delta", "signature": SIGNATURE}]
        events = [pieces(MESSAGES).lifecycle[0], messages_event("content_block_start", index=0, content_block=start)]
        events += [messages_event("content_block_delta", index=0, delta=delta) for delta in deltas]
        events.append(messages_event("content_block_stop", index=0))
        for index in (1, 2):
            events.append(messages_event("content_block_start", index=index, content_block=blocks[index]))
            events.append(messages_event("content_block_stop", index=index))
        end = pieces(MESSAGES).end
        await connection.sse_start()
        await connection.sse(*events, end[1].replace("end_turn", "tool_use"), end[2])
        await connection.sse_end()

    return script


def messages_turn(body: bytes, *, stream: bool) -> dict[str, Any]:
    """The assistant's message as a Messages client puts it into its history."""
    if not stream:
        return {"role": "assistant", "content": json.loads(body)["content"]}
    blocks: dict[int, dict[str, Any]] = {}
    for _, data in records(body):
        if data["type"] == "content_block_start":
            blocks[data["index"]] = data["content_block"]
        elif data["type"] == "content_block_delta":
            delta = data["delta"]
            for key in ("thinking", "signature", "text"):
                if key in delta:
                    blocks[data["index"]][key] += delta[key]
    return {"role": "assistant", "content": [blocks[index] for index in sorted(blocks)]}


def chat_turn(body: bytes, *, stream: bool) -> dict[str, Any]:
    """The assistant's message as a Chat client does that keeps `reasoning_details`."""
    if not stream:
        return json.loads(body)["choices"][0]["message"]
    details: dict[int, dict[str, Any]] = {}
    calls: dict[int, dict[str, Any]] = {}
    for record in records(body):
        for choice in record.fields.get("choices", []):
            for entry in choice["delta"].get("reasoning_details", []):
                details[entry["index"]] = {**details.get(entry["index"], {}), **entry}
            for call in choice["delta"].get("tool_calls", []):
                known = calls.setdefault(call["index"], {**call, "function": {"name": "", "arguments": ""}})
                for key in ("name", "arguments"):
                    known["function"][key] += call["function"].get(key) or ""
            thought = choice["delta"].get("reasoning_content")
            if thought:
                details.setdefault(0, {"type": "reasoning.text", "text": ""})["text"] += thought
    kept = [details[index] for index in sorted(details)]
    return {"role": "assistant", "content": None, "reasoning_details": kept, "tool_calls": list(calls.values())}


def tool_result(client: str, call_id: str) -> dict[str, Any]:
    if client == CHAT:
        return {"role": "tool", "tool_call_id": call_id, "content": "done"}
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call_id, "content": "done"}]}


TURN: dict[str, Callable[..., dict[str, Any]]] = {MESSAGES: messages_turn, CHAT: chat_turn}
THINKING = {CHAT: thinking_chat, MESSAGES: thinking_messages}


async def converse(
    gateway: RunningGateway, server: WireServer, client: str, upstream: str, *, stream: bool, turns: int
) -> list[dict[str, Any]]:
    """Tool turns as a client has them; the history that it would send next."""
    history: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
    for turn in range(turns):
        server.script = THINKING[upstream](f"thought {turn}", turn)
        body = {**request(client, tools=TOOLS[client], stream=stream), "messages": history}
        reply = await gateway.post(PATHS[client], body)
        assert reply.status == 200, reply.body
        said = TURN[client](reply.body, stream=stream)
        history += [said, tool_result(client, f"call_{turn}")]
    return history
