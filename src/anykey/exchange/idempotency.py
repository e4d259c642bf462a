"""``Idempotency-Key``: a call that is sent again under its name is not made again; it gets the first one's answer.

The rules are Stripe's: a name belongs to the API key, for a day; while its call runs, others get 409 and ask again; with another
path or body it is refused (422). What is kept is a final answer: a success, or what an upstream refused of the request itself.
What failed for now (5xx, 429, a stream that broke) is forgotten, and may be tried again.

Law: an answer is kept before its end is told, so whoever has it can have it again. A call with a name goes on when its client is
gone: the client that comes back for the answer is the reason to give names. What no process can know any more is said to be
unknown, and never sent a second time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable

from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.entry import look
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.named_calls import NamedCalls
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.steps import authenticate, refuse
from anykey.protocols.codec import header
from anykey.storage.errors import DatabaseError
from anykey.storage.idempotency import Claim, Kept, Name

log = logging.getLogger(__name__)

HEADER = b"idempotency-key"
REPLAYED = (b"x-anykey-idempotent-replayed", b"true")
LONGEST_NAME = 255
MOST_BYTES = 8 * 1024 * 1024
"""Of an answer that is kept."""
ABOUT_THE_REQUEST = frozenset({400, 413, 422})
Run = Callable[[Exchange, Reply, Gateway], Awaitable[None]]


async def once(exchange: Exchange, place: str, reply: Reply, gateway: Gateway, run: Run) -> None:
    """``run`` the call, unless one of its name was made before. ``place`` is its canonical path. Raises CancelledError only."""
    store = gateway.named_calls
    if store is None:
        await run(exchange, reply, gateway)
        return
    try:
        key = exchange.key = authenticate(exchange.headers, gateway, exchange.peer)
        name = Name(key.id, _name_of(header(exchange.headers, HEADER) or b""))
        digest = digest_of(place, exchange.body)
        found = await _begin(store, name, digest, exchange.request_id)
        if isinstance(found, Kept):
            _check(found, digest)
            await _serve_again(found, reply)
            return
    except FailureError as error:
        look(exchange, gateway)
        await refuse(exchange, error.failure, reply)
        return
    remembered = RememberedReply(reply, exchange, store, found)
    task = asyncio.get_running_loop().create_task(_travel(exchange, remembered, gateway, run))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if reply.gone and not task.done():
            remembered.alone = True
            store.alone.add(task)
            task.add_done_callback(store.alone.discard)
        else:
            task.cancel()
            await asyncio.wait((task,))
        raise


async def _begin(store: NamedCalls, name: Name, digest: bytes, request_id: str) -> Claim | Kept:
    try:
        return await store.begin(name, digest, request_id)
    except DatabaseError as error:
        log.error("request %s: the database fails: %s", request_id, error)  # noqa: TRY400 - the reason is all there is
        failure = Failure("unavailable", "The gateway cannot look up the Idempotency-Key. Try again.", retry_after_s=1)
        raise FailureError(failure) from None


async def _travel(exchange: Exchange, reply: RememberedReply, gateway: Gateway, run: Run) -> None:
    try:
        await run(exchange, reply, gateway)
    finally:
        await reply.settle()


class RememberedReply:
    """Stands before ``inner`` and keeps what the client is told, before its end is told. ``alone``: the client is gone, and
    nothing is told to it any more."""

    def __init__(self, inner: Reply, exchange: Exchange, store: NamedCalls, claimed: Claim) -> None:
        self._inner = inner
        self._exchange = exchange
        self._store = store
        self._claimed = claimed
        self._status = 0
        self._headers: Headers = ()
        self._body: list[bytes] = []
        self._size = 0
        self._settled = False
        self.started = False
        self.alone = False

    @property
    def gone(self) -> bool:
        """The client closed its connection, and the call ends with it."""
        return self._inner.gone and not self.alone

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        self._status, self._headers = status, headers
        if not self.alone:
            await self._inner.start(status, headers)

    async def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= MOST_BYTES:
            self._body.append(data)
        if not self.alone:
            await self._inner.write(data)

    async def end(self) -> None:
        await self._keep("stream")
        if not self.alone:
            await self._inner.end()

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """The complete answer: kept, then told."""
        self.started = True
        self._status, self._headers, self._body, self._size = status, headers, [body], len(body)
        await self._keep("whole")
        if not self.alone:
            await self._inner.whole(status, headers, body)

    async def settle(self) -> None:
        """The call is over. One that told nothing was broken off: free to be made again, unless the upstream may have answered it
        behind the back of a client that is gone."""
        if not self._settled:
            self._settled = True
            if self.alone and self._exchange.attempts:
                await self._store.finish(self._claimed, Kept("unknown", self._claimed.digest))
            else:
                await self._store.release(self._claimed)

    async def _keep(self, state: str) -> None:
        """Keep an answer that is final, and forget a failure."""
        self._settled = True
        if not self._is_final():
            await self._store.release(self._claimed)
        elif self._size > MOST_BYTES:
            await self._store.finish(self._claimed, Kept("too_large", self._claimed.digest))
        else:
            kept = Kept(state, self._claimed.digest, self._status, self._headers, b"".join(self._body))
            await self._store.finish(self._claimed, kept)

    def _is_final(self) -> bool:
        """A success, or what an upstream refused of the request itself."""
        if 200 <= self._status < 300:
            return self._exchange.failure is None
        return self._status in ABOUT_THE_REQUEST and self._exchange.attempts > 0


def digest_of(place: str, body: bytes) -> bytes:
    """What tells one request from another under the same name."""
    return hashlib.sha256(place.encode() + b"\n" + body).digest()


def _name_of(value: bytes) -> str:
    """The name in a header. FailureError 400: it is none."""
    if not value or len(value) > LONGEST_NAME:
        message = f"The Idempotency-Key must have 1 to {LONGEST_NAME} characters."
        raise FailureError(Failure("invalid_request", message, code="invalid_idempotency_key"))
    return value.decode("latin-1")


def _check(found: Kept, digest: bytes) -> None:
    """FailureError: the call of that name has no answer that could be served for this one."""
    if found.digest != digest:
        message = "This Idempotency-Key was used for another request: the path or the body differs. Send a new one."
        raise FailureError(Failure("unprocessable", message, code="idempotency_key_reused"))
    if found.state == "running":
        message = "The request with this Idempotency-Key is still being answered. Ask again in a moment."
        raise FailureError(Failure("conflict", message, code="idempotency_key_in_use", retry_after_s=1))
    why = {
        "too_large": ("idempotent_answer_too_large", "was answered, and the answer is too large to be kept"),
        "unknown": ("outcome_unknown", "was broken off, and nobody knows whether the provider answered it"),
    }.get(found.state)
    if why is not None:
        message = f"The request with this Idempotency-Key {why[1]}. It is not sent again; send a new key to do that."
        raise FailureError(Failure("conflict", message, code=why[0], should_retry=False))


async def _serve_again(found: Kept, reply: Reply) -> None:
    headers = (*found.headers, REPLAYED)
    if found.state == "whole":
        await reply.whole(found.status, headers, found.body)
        return
    await reply.start(found.status, headers)
    await reply.write(found.body)
    await reply.end()
