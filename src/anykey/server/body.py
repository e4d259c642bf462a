"""Reads a request body within its limits: so many bytes, and progress all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from anykey.conversation.failures import Failure, FailureError
from anykey.server.decompression import decompress

Receive = Callable[[], Awaitable[dict[str, Any]]]
PROGRESS_S = 30.0
"""A body that stands still for this long is given up."""


DRAIN_S = 3.0
DRAIN_PAUSE_S = 0.3


class ClientGone(Exception):
    """The client closed before its request was complete: there is nobody to answer."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int, *, arrived: bool = False) -> bytes:
    """The whole body, at most ``limit`` bytes. ``arrived``: it is here already, so no clock is needed.

    FailureError: too large (413), stalled (408), or not to be decompressed (400). ClientGone: there is nobody to answer.
    """
    declared = headers.get(b"content-length")
    if declared is not None and int(declared) > limit:
        raise _too_large(limit)
    body = await _read(receive, limit, arrived=arrived)
    encoding = headers.get(b"content-encoding")
    return body if encoding is None else await decompress(body, encoding, limit)


async def _read(receive: Receive, limit: int, *, arrived: bool) -> bytes:
    """The body as it was sent."""
    message = await receive() if arrived else await _next(receive)
    if message["type"] == "http.disconnect":
        raise ClientGone
    if not message["more_body"]:
        return _within(message["body"], limit)
    chunks = [message["body"]]
    size = len(chunks[0])
    while message["more_body"]:
        message = await _next(receive)
        chunks.append(message["body"])
        size += len(message["body"])
        if size > limit:
            raise _too_large(limit)
    return b"".join(chunks)


async def drain(receive: Receive) -> bool:
    """Read and forget what a refused client still sends, until it pauses: closing on unread bytes resets the connection,
    and the client would never see why it was refused. True when that was all of it."""
    try:
        async with asyncio.timeout(DRAIN_S) as whole:
            until = whole.when() or 0.0
            more = True
            while more:
                whole.reschedule(min(until, asyncio.get_running_loop().time() + DRAIN_PAUSE_S))
                message = await receive()
                more = message.get("more_body", False)
    except TimeoutError:
        return False
    return True


async def _next(receive: Receive) -> dict[str, Any]:
    try:
        async with asyncio.timeout(PROGRESS_S):
            message = await receive()
    except TimeoutError:
        text = f"The request body made no progress for {PROGRESS_S:.0f} seconds."
        raise FailureError(Failure("request_timeout", text)) from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> FailureError:
    return FailureError(
        Failure("too_large", f"The request body is larger than {limit} bytes, the limit of this gateway.")
    )
