"""What is remembered of an answer while it is told (the journeys are in tests/faults/test_idempotency.py)."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from anykey.conversation.failures import Failure
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.idempotency import RememberedReply, digest_of
from anykey.exchange.named_calls import NamedCalls
from anykey.exchange.ports import Headers
from anykey.protocols.catalog import CODECS
from anykey.storage.idempotency import Claim, Kept, Name
from anykey.storage.migrate import open_database

NAME = Name("key1", "one")
HEADERS = ((b"content-type", b"text/plain"),)


class Client:
    """A reply that remembers what it was told, and when it was kept by then."""

    def __init__(self) -> None:
        self.started = self.gone = False
        self.told: list[object] = []

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        self.told.append((status, headers))

    async def write(self, data: bytes) -> None:
        self.told.append(data)

    async def end(self) -> None:
        self.told.append("end")

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.told.append((status, headers, body))


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncGenerator[NamedCalls]:
    made = NamedCalls(open_database(tmp_path))
    yield made
    await made.aclose()


async def remembered(calls: NamedCalls, client: Client) -> tuple[RememberedReply, Exchange]:
    claimed = await calls.begin(NAME, b"d", "req_1")
    assert isinstance(claimed, Claim)
    exchange = Exchange("req_1", Inbound(CODECS["openai_chat"], (), b"{}", "curl"), 0.0, 0)
    return RememberedReply(client, exchange, calls, claimed), exchange


async def found(calls: NamedCalls) -> Claim | Kept:
    return await calls.begin(NAME, b"d", "req_9")


async def test_a_stream_is_kept_as_it_was_told(calls: NamedCalls) -> None:
    client = Client()
    reply, _ = await remembered(calls, client)
    await reply.start(200, HEADERS)
    await reply.write(b"a")
    await reply.write(b"b")
    await reply.end()
    await reply.settle()
    assert client.told == [(200, HEADERS), b"a", b"b", "end"]
    assert await found(calls) == Kept("stream", b"d", 200, HEADERS, b"ab")


async def test_who_is_gone_is_told_nothing_and_all_is_kept(calls: NamedCalls) -> None:
    client = Client()
    reply, _ = await remembered(calls, client)
    await reply.start(200, HEADERS)
    client.gone = True
    assert reply.gone
    reply.alone = True
    assert not reply.gone
    await reply.write(b"a")
    await reply.end()
    assert client.told == [(200, HEADERS)]
    assert await found(calls) == Kept("stream", b"d", 200, HEADERS, b"a")


@pytest.mark.parametrize(
    ("status", "attempts", "kept"), [(500, 1, False), (429, 1, False), (400, 0, False), (400, 1, True)]
)
async def test_which_errors_are_answers(calls: NamedCalls, status: int, attempts: int, kept: bool) -> None:
    reply, exchange = await remembered(calls, Client())
    exchange.attempts = attempts
    exchange.failure = Failure("internal", "no")
    await reply.whole(status, HEADERS, b"no")
    assert isinstance(await found(calls), Kept) is kept


@pytest.mark.parametrize(("alone", "attempts", "known"), [(True, 1, "unknown"), (True, 0, None), (False, 1, None)])
async def test_what_was_broken_off(calls: NamedCalls, alone: bool, attempts: int, known: str | None) -> None:
    reply, exchange = await remembered(calls, Client())
    reply.alone, exchange.attempts = alone, attempts
    await reply.settle()
    left = await found(calls)
    assert (left.state if isinstance(left, Kept) else None) == known


def test_path_and_body_make_the_request() -> None:
    assert digest_of("/a", b"b") == digest_of("/a", b"b")
    assert len({digest_of("/a", b"b"), digest_of("/b", b"b"), digest_of("/a", b"c"), digest_of("/ab", b"")}) == 4
