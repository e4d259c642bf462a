"""How a verb of this folder answers: who asks, what the query says, and every failure in OpenAI's shape."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.responses.expansion import switched_on
from anykey.exchange.responses.frames import Fields, read_fields
from anykey.exchange.responses.items import PAGE_DEFAULT, PAGE_MOST, Page
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.steps import authenticate, refuse
from anykey.storage.errors import DatabaseError

log = logging.getLogger(__name__)

JSON = (b"content-type", b"application/json")
EVENTS: Headers = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class Target(NamedTuple):
    """What a URL names: ids from its path, the raw query string."""

    id: str = ""
    item_id: str = ""
    query: bytes = b""


NOWHERE = Target()
Verb = Callable[[Exchange, Reply, Gateway, Target], Awaitable[None]]
"""Never raises but CancelledError."""


class Asking(NamedTuple):
    """One call that is answered from memory."""

    exchange: Exchange
    reply: Reply
    gateway: Gateway
    memory: ResponseMemory
    key: ApiKey
    target: Target


def answered(work: Callable[[Asking], Awaitable[bytes | None]]) -> Verb:
    """The verb that does ``work`` for a known key and writes the JSON it returns; None: ``work`` has written its answer."""

    @functools.wraps(work)
    async def verb(exchange: Exchange, reply: Reply, gateway: Gateway, target: Target = NOWHERE) -> None:
        try:
            key = authenticate(exchange.headers, gateway, exchange.peer)
            body = await work(Asking(exchange, reply, gateway, switched_on(gateway), key, target))
            if body is not None:
                await reply.whole(200, answer_headers(exchange, (JSON,)), body)
        except FailureError as error:
            await refuse(exchange, error.failure, reply)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - told to the client, logged there
            await refuse(exchange, broken(exchange, error), reply)

    return verb


def broken(exchange: Exchange, error: Exception) -> Failure:
    """What a client is told of a fault of ours; the log has it all."""
    if isinstance(error, DatabaseError):
        log.error("request %s: the database fails: %s", exchange.request_id, error)
        return Failure("unavailable", "The gateway cannot read what it keeps. Try again.", retry_after_s=1)
    if isinstance(error, RecursionError):
        return Failure("invalid_request", "What was sent nests too deeply.")
    log.error("request %s failed inside the gateway", exchange.request_id, exc_info=error)
    return Failure("internal", "The gateway failed; its log has the details.")


def answer_headers(exchange: Exchange, first: Headers) -> Headers:
    """``first`` and the request's id."""
    request_id = exchange.request_id.encode()
    return (*first, (exchange.codec.request_id_header, request_id), (b"x-anykey-request-id", request_id))


def not_found(what: str, found_by: str) -> FailureError:
    """The one 404: for what is not there and for what is another key's."""
    return FailureError(Failure("not_found", f"{what} with id '{found_by}' not found.", param="id"))


def read_body(exchange: Exchange) -> Fields:
    """The fields of a JSON body; an empty body has none. FailureError 400: it is no object."""
    fields = read_fields(exchange.body or b"{}")
    if fields is None:
        raise invalid("The body must be a JSON object.")
    return fields


class Query:
    """The parameters of a URL. FailureError 400 names one that cannot be read."""

    def __init__(self, query: bytes) -> None:
        self._values = parse_qs(query.decode("latin-1"))

    def text(self, name: str) -> str | None:
        return self._values.get(name, [None])[-1]

    def flag(self, name: str) -> bool:
        return (self.text(name) or "").lower() in {"true", "1"}

    def number(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return msgspec.convert(text, int, strict=False)
        except msgspec.ValidationError:
            raise invalid("must be a whole number", name) from None

    def page(self) -> Page:
        """Which part of a list is asked for."""
        order, limit = self.text("order") or "desc", self.number("limit")
        if order not in {"asc", "desc"}:
            raise invalid("must be 'asc' or 'desc'", "order")
        if limit is not None and not 1 <= limit <= PAGE_MOST:
            raise invalid(f"must be between 1 and {PAGE_MOST}", "limit")
        return Page(order, limit or PAGE_DEFAULT, self.text("after"))
