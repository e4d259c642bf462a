"""The headers of an answer: its type, its ids, who made it, and what was lost on the way."""

from __future__ import annotations

import re

from anykey.accounts.keys import ApiKey
from anykey.conversation.losses import summarize
from anykey.conversation.parts import ProtocolName
from anykey.exchange.entry import look
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.limit_headers import limit_headers
from anykey.exchange.ports import Headers
from anykey.exchange.ways import WayOut, maker_headers
from anykey.protocols.catalog import CODECS

LOSSES_LIMIT = 2000
LOSSES_HEADER = b"x-anykey-losses"
UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")
"""Losses name fields as callers wrote them, line breaks included."""
JSON_HEADER = (b"content-type", b"application/json")
STREAM_HEADER = (b"content-type", b"text/event-stream; charset=utf-8")
STREAM_EXTRA = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
ATTEMPTS_HEADER = b"x-anykey-attempts"
FIRST_ATTEMPT = (ATTEMPTS_HEADER, b"1")


def answer_headers(exchange: Exchange, way: WayOut) -> Headers:
    """The headers of an answer that came on ``way``, content type first."""
    request_id = exchange.request_id.encode()
    attempts = exchange.attempts
    trace_id = request_id if exchange.trace_id is exchange.request_id else exchange.trace_id.encode("ascii", "replace")
    headers: Headers = (
        STREAM_HEADER if exchange.stream else JSON_HEADER,
        (exchange.codec.request_id_header, request_id),
        (b"x-anykey-request-id", request_id),
        (b"x-anykey-trace-id", trace_id),
        *way.told,
        FIRST_ATTEMPT if attempts == 1 else (ATTEMPTS_HEADER, b"%d" % attempts),
    )
    if exchange.stream:
        headers += STREAM_EXTRA
    if exchange.rates or exchange.hold is not None:
        headers += limit_headers(exchange)
    return with_losses(exchange, headers) if exchange.request_losses else headers


def refusal_headers(exchange: Exchange) -> Headers:
    """What the answer to a call that failed is given besides its protocol's own headers: the trace, and whose failure it is."""
    trace = ((b"x-anykey-trace-id", exchange.trace_id.encode("ascii", "replace")), *limit_headers(exchange))
    if exchange.step is None:
        return trace
    return (*trace, *maker_headers(exchange.step), (ATTEMPTS_HEADER, b"%d" % exchange.attempts))


def lookup_headers(key: ApiKey, protocol: ProtocolName, gateway: Gateway) -> Headers:
    """How a key's rates stand, for an answer that is no call of a model: a list of models."""
    if key.purse is None or not key.purse.rates:
        return ()
    exchange = Exchange("", Inbound(CODECS[protocol], (), b"", ""), 0.0, int(gateway.wall_clock() * 1000))
    exchange.key = key
    look(exchange, gateway)
    return limit_headers(exchange)


def with_attempts(headers: Headers, attempts: int) -> Headers:
    """``headers`` of an earlier attempt, with how many there were in all."""
    return tuple((name, b"%d" % attempts if name == ATTEMPTS_HEADER else value) for name, value in headers)


def with_losses(exchange: Exchange, headers: Headers) -> Headers:
    """``headers`` with the losses known by now: a stream's own are known only at its end and are in the usage row."""
    losses = (*exchange.request_losses, *exchange.response_losses)
    if not losses:
        return headers
    kept = tuple(pair for pair in headers if pair[0] != LOSSES_HEADER)
    told = UNPRINTABLE.sub(b"?", summarize(losses).encode("ascii", "replace")[:LOSSES_LIMIT])
    return (*kept, (LOSSES_HEADER, told))
