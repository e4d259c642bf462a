"""What a well-behaved upstream says in each protocol, and how to read what a client was told.

`whole` and `pieces` are one answer, "Hello world", in its two forms, with the same model, finish and usage, so that a test can
be written once for both protocols and for both directions.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from anykey.administration.usage import recent, usage_filter
from anykey.storage.records import ExchangeRow
from tests.fakes.gateway import RunningGateway, WireReply
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer

CHAT = "openai_chat"
MESSAGES = "anthropic_messages"
PROTOCOLS = (CHAT, MESSAGES)
PAIRS = [(client, upstream) for client in PROTOCOLS for upstream in PROTOCOLS]
PATHS = {CHAT: "/v1/chat/completions", MESSAGES: "/v1/messages"}
TEXT = "Hello world"
MODEL = "upstream-model"


class SseRecord(NamedTuple):
    """One event a client read. `data` is parsed JSON, or the text where it is none (`[DONE]`)."""

    name: str
    data: Any

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object, empty for a mark that is none."""
        return {} if self.data == "[DONE]" else self.data


def request(protocol: str, **more: Any) -> dict[str, Any]:
    """The smallest request for `test-model`, with these fields added."""
    limit = {"max_tokens": 64} if protocol == MESSAGES else {}
    return {"model": "test-model", "messages": [{"role": "user", "content": "hi"}], **limit, **more}


def whole(protocol: str) -> dict[str, Any]:
    """The answer as one document: 7 tokens in, 3 out."""
    if protocol == CHAT:
        message = {"role": "assistant", "content": TEXT}
        return {
            "id": "chatcmpl-7",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        }
    return {
        "id": "msg_7",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }


class Pieces(NamedTuple):
    """A stream in its parts: frames without content, content, and the end with usage."""

    lifecycle: list[str]
    content: list[str]
    end: list[str]

    def all(self) -> list[str]:
        return [*self.lifecycle, *self.content, *self.end]


def pieces(protocol: str) -> Pieces:
    """The answer as a stream."""
    return _chat_pieces() if protocol == CHAT else _messages_pieces()


def chat_chunk(choices: list[dict[str, Any]], **more: Any) -> str:
    """One event of a Chat stream."""
    body = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": MODEL}
    return f"data: {json.dumps({**body, 'choices': choices, **more})}\n\n"


def messages_event(kind: str, **fields: Any) -> str:
    """One event of a Messages stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


def _chat_pieces() -> Pieces:
    def delta(change: dict[str, Any], finish: str | None = None) -> str:
        return chat_chunk([{"index": 0, "delta": change, "finish_reason": finish}])

    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return Pieces(
        [delta({"role": "assistant", "content": ""})],
        [delta({"content": "Hello"}), delta({"content": " world"})],
        [delta({}, "stop"), chat_chunk([], usage=usage), "data: [DONE]\n\n"],
    )


def _messages_pieces() -> Pieces:
    def delta(text: str) -> str:
        return messages_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    start: dict[str, Any] = {
        **whole(MESSAGES),
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 7, "output_tokens": 1},
    }
    return Pieces(
        [
            messages_event("message_start", message=start),
            messages_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            messages_event("ping"),
        ],
        [delta("Hello"), delta(" world")],
        [
            messages_event("content_block_stop", index=0),
            messages_event(
                "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 3}
            ),
            messages_event("message_stop"),
        ],
    )


def failure_event(protocol: str, message: str) -> str:
    """The error an upstream tells inside a stream."""
    if protocol == CHAT:
        error = {"message": message, "type": "server_error", "param": None, "code": None}
        return f"data: {json.dumps({'error': error})}\n\n"
    return messages_event("error", error={"type": "api_error", "message": message})


def answering(protocol: str) -> Script:
    """A script that answers a call whole or as a stream, as the call asks; a Chat stream has usage only if it was asked for."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        asked = call.json()
        if not asked.get("stream"):
            await connection.json(200, whole(protocol))
            return
        told = pieces(protocol).all()
        if protocol == CHAT and not asked.get("stream_options", {}).get("include_usage"):
            del told[-2]
        await connection.sse_start()
        await connection.sse(*told)
        await connection.sse_end()

    return script


def failing(status: int, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> Script:
    """A script that refuses every call."""

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(status, body, headers)

    return script


async def rows_left(gateway: RunningGateway) -> list[ExchangeRow]:
    """Every usage row, newest first, after the gateway has stopped and written them all."""
    await gateway.stop()
    return recent(gateway.home, 1000, usage_filter(gateway.home, "all"))


async def ask(gateway: RunningGateway, protocol: str, **more: Any) -> WireReply:
    """One call in this protocol."""
    return await gateway.post(PATHS[protocol], request(protocol, **more))


def records(body: bytes) -> list[SseRecord]:
    """The events in a stream; comments are left out."""
    found: list[SseRecord] = []
    for block in body.decode().replace("\r\n", "\n").split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            name = next((value for field, _, value in lines if field == "event"), "")
            data = "\n".join(value for field, _, value in lines if field == "data")
            found.append(SseRecord(name, data if data == "[DONE]" else json.loads(data)))
    return found


def told_text(protocol: str, reply: WireReply) -> str:
    """The text a client got, from either form."""
    if "event-stream" not in reply.headers["content-type"]:
        body = reply.json()
        return body["choices"][0]["message"]["content"] if protocol == CHAT else body["content"][0]["text"]
    said = [record.fields for record in records(reply.body)]
    if protocol == CHAT:
        deltas = [choice["delta"] for data in said for choice in data.get("choices", [])]
        return "".join(delta.get("content") or "" for delta in deltas)
    return "".join(data["delta"].get("text", "") for data in said if data.get("type") == "content_block_delta")


def ended_normally(protocol: str, body: bytes) -> bool:
    """A client would take this stream for a complete answer: it has a finish or a terminal event."""
    for name, data in records(body):
        if data == "[DONE]" or name == "message_stop":
            return True
        if protocol == CHAT and any(choice.get("finish_reason") for choice in data.get("choices", [])):
            return True
        if name == "message_delta" and data["delta"].get("stop_reason"):
            return True
    return False


def error_told(protocol: str, body: bytes) -> dict[str, Any] | None:
    """The error object if the stream's last event is the in-band error of this protocol, else None."""
    last = records(body)[-1]
    shaped = last.name == last.fields.get("type") == "error" if protocol == MESSAGES else last.name == ""
    return last.fields.get("error") if shaped else None


def config(*doors: tuple[str, str], keepalive_s: float = 15.0, **timeouts: float) -> str:
    """Providers `lab0`, `lab1` … at these (protocol, url), and `test-model` on `upstream-model` of each, in this order."""
    lines = ["[server]", f"keepalive_s = {keepalive_s}", "environment_providers = false"]
    limits = ", ".join(f"{name} = {seconds}" for name, seconds in timeouts.items())
    for number, (protocol, url) in enumerate(doors):
        base = url + ("/v1" if protocol == CHAT else "")
        lines += [f"[providers.lab{number}]", 'kind = "custom"', f'protocol = "{protocol}"', f'base_url = "{base}"']
        lines += ['api_key = { env = "LAB_KEY" }', f"timeouts = {{ {limits} }}"]
    names = ", ".join(f'"lab{number}/{MODEL}"' for number in range(len(doors)))
    return "\n".join([*lines, '[models."test-model"]', f"deployments = [{names}]", ""])


@asynccontextmanager
async def wired(
    directory: Path, protocol: str, script: Script, **settings: float
) -> AsyncGenerator[tuple[RunningGateway, WireServer]]:
    """A gateway with one deployment behind `test-model`, and the upstream it leads to."""
    async with (
        WireServer(script) as server,
        RunningGateway(directory, config((protocol, server.url), **settings)) as gateway,
    ):
        yield gateway, server
