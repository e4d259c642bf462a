"""The answer to one message, as frames."""

import json
from typing import Any

from anykey.exchange.transcript import Transcript
from anykey.server.socket_reply import SocketReply


def replying(stream_id: str | None = None) -> tuple[SocketReply, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []

    async def send(event: bytes) -> None:
        told.append(json.loads(event))

    return SocketReply(send, lambda: False, stream_id), told


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


ITEM: dict[str, Any] = {"type": "message", "content": []}
DONE: dict[str, Any] = {"type": "response.output_item.done", "item": ITEM}


async def test_each_event_is_a_frame() -> None:
    reply, told = replying()
    await reply.start(200, ())
    stream = sse({"type": "response.created", "response": {"id": "resp_1"}}, DONE) + b": beat\n\ndata: [DONE]\n\n"
    for start in range(0, len(stream), 11):
        await reply.write(stream[start : start + 11])
    await reply.end()
    assert [event["type"] for event in told] == ["response.created", "response.output_item.done"]
    assert (reply.started, reply.gone, reply.completed) == (True, False, None)


async def test_it_hears_the_id_and_the_items() -> None:
    reply, _ = replying()
    await reply.write(sse(DONE, {"type": "response.completed", "response": {"id": "resp_1", "output": [{"other": 1}]}}))
    assert (reply.completed, [json.loads(item) for item in reply.items]) == ("resp_1", [ITEM])


async def test_the_items_may_come_at_the_end_only() -> None:
    reply, _ = replying()
    await reply.write(sse({"type": "response.incomplete", "response": {"id": "resp_1", "output": [ITEM]}}))
    assert (reply.completed, [json.loads(item) for item in reply.items]) == ("resp_1", [ITEM])


async def test_an_event_of_another_shape_passes() -> None:
    reply, told = replying()
    await reply.write(b'data: {"type": 5}\n\ndata: {"type": "response.failed", "response": {"id": "resp_1"}}\n\n')
    assert [event["type"] for event in told] == [5, "response.failed"]
    assert reply.completed is None


async def test_the_lane_is_repeated() -> None:
    reply, told = replying('l"1')
    await reply.write(b'data: {"type": "a", "x": {}} \n\n')
    assert told == [{"type": "a", "x": {}, "stream_id": 'l"1'}]


async def test_a_refusal_is_an_error_frame() -> None:
    reply, told = replying()
    headers = ((b"content-type", b"application/json"), (b"x-request-id", b"req_1"), (b"retry-after", b"3"))
    headers += ((b"x-ratelimit-limit-requests", b"1"), (b"x-anykey-provider", b"lab"))
    await reply.whole(429, headers, b'{"error": {"message": "slow", "code": null}}')
    assert told == [
        {
            "type": "error",
            "status": 429,
            "error": {"message": "slow", "code": None},
            "headers": {"x-request-id": "req_1", "retry-after": "3", "x-ratelimit-limit-requests": "1"},
        }
    ]
    assert reply.started


async def test_a_transcript_hears_a_line_for_each_frame() -> None:
    reply, told = replying("lane")
    heard = Transcript(b"", 10_000)
    reply.overhear(heard)
    await reply.start(200, ())
    await reply.write(sse(DONE, {"type": "response.completed", "response": {"id": "resp_1"}}))
    assert [json.loads(line) for line in heard.answer.splitlines()] == told
    assert (heard.status, heard.content_type) == (200, "application/x-ndjson")
    refused, told = replying()
    heard = Transcript(b"", 10_000)
    refused.overhear(heard)
    await refused.whole(429, (), b'{"error": {"message": "slow"}}')
    assert (heard.status, [json.loads(heard.answer)]) == (429, told)
