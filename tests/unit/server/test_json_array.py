"""A stream as one JSON array."""

import json

import pytest

from anykey.exchange.ports import Headers
from anykey.protocols.gemini_generate.stream_encoding import HEARTBEAT
from anykey.server.json_array import JsonArrayReply

SSE: Headers = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"x-request-id", b"req_1"))
JSON_TYPE = (b"content-type", b"application/json; charset=UTF-8")


class Paper:
    """A reply that is only written down."""

    gone = False
    started = False

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.pieces: list[bytes] = []
        self.ended = False

    async def start(self, status: int, headers: Headers) -> None:
        self.status, self.headers, self.started = status, headers, True

    async def write(self, data: bytes) -> None:
        self.pieces.append(data)

    async def end(self) -> None:
        self.ended = True

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        await self.start(status, headers)
        await self.write(body)
        await self.end()

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


STREAM = b'data: {"n": 1}\r\n\r\ndata: {}\r\n\r\ndata: {"n": 2}\r\n\r\n: still here\n\ndata: {"n": 3}\n\n'


@pytest.mark.parametrize("size", [1, 5, 16, len(STREAM)])
async def test_events_become_elements_whatever_the_cut(size: int) -> None:
    paper = Paper()
    reply = JsonArrayReply(paper)
    await reply.start(200, SSE)
    for start in range(0, len(STREAM), size):
        await reply.write(STREAM[start : start + size])
    await reply.end()
    assert json.loads(paper.body) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert (paper.status, paper.headers, paper.ended) == (200, (JSON_TYPE, SSE[1]), True)
    assert reply.started


async def test_each_element_leaves_as_soon_as_it_is_there() -> None:
    paper = Paper()
    reply = JsonArrayReply(paper)
    await reply.start(200, SSE)
    await reply.write(b'data: {"n": 1}\r\n\r\n')
    await reply.write(b'data: {"n": 2}\r\n\r\n')
    await reply.end()
    assert paper.pieces == [b'[{"n": 1}\n', b',\r\n{"n": 2}\n', b"]"]


async def test_a_sign_of_life_is_a_line_break() -> None:
    paper = Paper()
    reply = JsonArrayReply(paper)
    await reply.start(200, SSE)
    for beat in (HEARTBEAT, b"data: {}\n\n", b": beat\n\n", b'data: {"usageMetadata":{}}\r\n\r\n'):
        await reply.write(beat)
    assert paper.body == b"\n\n\n\n"
    await reply.write(b'data: {"n": 1}\n\n')
    await reply.end()
    assert json.loads(paper.body) == [{"n": 1}]


async def test_nothing_is_an_empty_array() -> None:
    paper = Paper()
    reply = JsonArrayReply(paper)
    await reply.start(200, SSE)
    await reply.end()
    assert json.loads(paper.body) == []


async def test_an_answer_that_breaks_stays_an_array() -> None:
    paper = Paper()
    reply = JsonArrayReply(paper)
    await reply.start(200, SSE)
    await reply.write(b'data: {"n": 1}\n\ndata: {"tex')
    await reply.write(b'\n\ndata: {"error": {"code": 503}}\n\n')
    await reply.end()
    assert json.loads(paper.body) == [{"n": 1}, {"error": {"code": 503}}]


async def test_a_refusal_is_an_array_of_one_error() -> None:
    paper = Paper()
    reply = JsonArrayReply(paper)
    await reply.whole(400, ((b"content-type", b"application/json"),), b'{"error": {"code": 400}}')
    assert (paper.status, paper.headers, json.loads(paper.body)) == (400, (JSON_TYPE,), [{"error": {"code": 400}}])
    assert reply.started
    assert reply.gone is False
