"""Request bodies within their limits."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.server import body as module
from anykey.server.body import ClientGone, read_body


def messages(*bodies: bytes | None) -> Callable[[], Awaitable[dict[str, Any]]]:
    """An ASGI receive that gives these pieces; None is a disconnect."""
    waiting = list(bodies)

    async def receive() -> dict[str, Any]:
        piece = waiting.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    return receive


async def test_pieces_are_joined() -> None:
    assert await read_body(messages(b"a", b"b", b"c"), {}, 3) == b"abc"
    assert await read_body(messages(b"abc"), {}, 3) == b"abc"


@pytest.mark.parametrize("pieces", [(b"abcd",), (b"ab", b"cd"), (b"ab", b"cd", b"ef")])
async def test_over_the_limit_is_413_whatever_was_declared(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(FailureError) as caught:
        await read_body(messages(*pieces), {}, 3)
    assert caught.value.failure.kind == "too_large"


async def test_a_declared_length_is_believed_before_reading() -> None:
    with pytest.raises(FailureError, match="larger than 3 bytes"):
        await read_body(messages(), {b"content-length": b"4"}, 3)


async def test_a_client_that_leaves_is_told_nothing() -> None:
    with pytest.raises(ClientGone):
        await read_body(messages(b"a", None), {}, 3)


async def test_a_compressed_body_is_opened_within_the_limit() -> None:
    packed = gzip.compress(b"a" * 100)
    headers = {b"content-encoding": b"gzip"}
    assert await read_body(messages(packed[:10], packed[10:]), headers, 100) == b"a" * 100
    with pytest.raises(FailureError, match="larger than 99 bytes when it is decompressed"):
        await read_body(messages(packed), headers, 99)


async def test_a_body_that_stands_still_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_S", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(5)
        return {}

    with pytest.raises(FailureError) as caught:
        await read_body(receive, {}, 3)
    assert caught.value.failure.kind == "request_timeout"
