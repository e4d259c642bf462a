"""Try the plan's deployments in order until one answers.

As long as no byte of an answer was relayed, a failure that another deployment may not share leads to the next one. The first
relayed byte fixes the target.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import summarize
from anykey.exchange.crossing import Crossing
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import LARGEST_ANSWER, Gateway, WayOut
from anykey.exchange.heartbeat import Heartbeats
from anykey.exchange.mishaps import AttemptFailed, may_go_elsewhere, network_failure
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.relay import StreamRelay
from anykey.exchange.translated import TranslatedCrossing
from anykey.exchange.verbatim import VerbatimCrossing
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import HttpReply
from anykey.routing.plan import Plan, PlanStep
from anykey.upstream.client import Reply as UpstreamReply
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call

log = logging.getLogger(__name__)

ERROR_BODY_LIMIT = 1024 * 1024
LOSSES_LIMIT = 2000
LOSSES_HEADER = b"x-anykey-losses"
UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")
"""Losses name fields as callers wrote them, line breaks included."""
JSON_HEADER = (b"content-type", b"application/json")
STREAM_HEADER = (b"content-type", b"text/event-stream; charset=utf-8")
STREAM_EXTRA = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
REPEATABLE_ERRORS = frozenset({400, 404, 413, 422})
"""Statuses whose body a client of the same protocol gets word for word: they are about its own request."""


async def attempt_in_order(exchange: Exchange, plan: Plan, reply: Reply, gateway: Gateway) -> None:
    """Relay the first answer that a deployment of ``plan`` gives. FailureError: the last deployment's failure."""
    last: AttemptFailed | None = None
    for step in plan.steps:
        exchange.begin_attempt(step)
        try:
            await _attempt(exchange, step, reply, gateway)
        except AttemptFailed as error:
            last = error
            log.info("%s: %s failed: %s", exchange.request_id, step.deployment.id, error.failure.message)
            if not may_go_elsewhere(error.failure):
                break
        else:
            return
    if last is None:
        raise AssertionError("a plan has at least one step")
    if last.spoken is not None and not reply.started:
        exchange.failure = last.failure
        exchange.status = last.spoken.status
        await reply.whole(*last.spoken)
    else:
        raise FailureError(last.failure)


async def _attempt(exchange: Exchange, step: PlanStep, reply: Reply, gateway: Gateway) -> None:
    """One try at one deployment. AttemptFailed: nothing of an answer was relayed."""
    endpoint = step.endpoint
    way = gateway.way_out(step)
    same = endpoint.protocol == exchange.codec.name
    crossing: Crossing = (VerbatimCrossing if same else TranslatedCrossing)(exchange, step, way.dialect)
    call = Call(
        method="POST",
        url=way.stream_url if exchange.stream else way.url,
        headers=way.headers + crossing.headers,
        body=crossing.body,
        timeouts=way.timeouts,
        decode=crossing.decoded,
    )
    headers = answer_headers(exchange, way)
    upstream = await _send(exchange, call, step, reply, headers, gateway)
    try:
        if not 200 <= upstream.status < 300:
            raise await _read_error(exchange, step, upstream, headers)
        if exchange.stream and not _is_document(upstream):
            relay = StreamRelay(exchange, crossing.pipe(), reply, headers, gateway)
            await relay.run(upstream, endpoint.provider)
        else:
            await _relay_whole(exchange, crossing, upstream, reply, headers)
    finally:
        upstream.abort()


async def _send(
    exchange: Exchange, call: Call, step: PlanStep, reply: Reply, headers: Headers, gateway: Gateway
) -> UpstreamReply:
    """The upstream's reply up to its headers, keep-alives for a streaming client meanwhile."""
    beats = Heartbeats(reply, headers, exchange.codec.heartbeat(), gateway.keepalive_s) if exchange.stream else None
    try:
        return await gateway.upstream.send(call)
    except UpstreamError as error:
        raise AttemptFailed(network_failure(error, step.endpoint.provider)) from None
    finally:
        if beats is not None:
            await beats.stop()
            exchange.status = 200 if reply.started else 0


async def _relay_whole(
    exchange: Exchange, crossing: Crossing, upstream: UpstreamReply, reply: Reply, headers: Headers
) -> None:
    """An answer that came in one piece; it goes out in one piece, or as a stream if that was asked for."""
    body = await _read(exchange, upstream, LARGEST_ANSWER)
    told = crossing.whole_as_stream(body) if exchange.stream else crossing.whole(body)
    exchange.status = 200
    if not exchange.stream:
        await reply.whole(200, _with_losses(exchange, headers), told)
        return
    if not reply.started:
        await reply.start(200, _with_losses(exchange, headers))
    await reply.write(told)
    await reply.end()


async def _read_error(exchange: Exchange, step: PlanStep, upstream: UpstreamReply, headers: Headers) -> AttemptFailed:
    """What the upstream's error reply means, and its own words for a client of the same protocol."""
    endpoint = step.endpoint
    body = await _read(exchange, upstream, ERROR_BODY_LIMIT)
    failure = CODECS[endpoint.protocol].decode_failure(upstream.status, upstream.headers, body)
    about_the_request = upstream.status in REPEATABLE_ERRORS and failure.fault == "caller"
    if endpoint.protocol != exchange.codec.name or not about_the_request or not _tells_an_error(body):
        return AttemptFailed(failure)
    return AttemptFailed(failure, HttpReply(upstream.status, (JSON_HEADER, *headers[1:]), body))


def _tells_an_error(body: bytes) -> bool:
    """The body is an object with an ``error`` object: a shape that a client of its protocol understands."""
    try:
        return isinstance(msgspec.json.decode(body, type=dict[str, Any]).get("error"), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


async def _read(exchange: Exchange, upstream: UpstreamReply, limit: int) -> bytes:
    try:
        return await upstream.read(limit)
    except UpstreamError as error:
        provider = exchange.step.endpoint.provider if exchange.step else "upstream"
        raise AttemptFailed(network_failure(error, provider)) from None


def answer_headers(exchange: Exchange, way: WayOut) -> Headers:
    """The headers of an answer, content type first."""
    request_id = exchange.request_id.encode()
    headers: Headers = (
        STREAM_HEADER if exchange.stream else JSON_HEADER,
        (exchange.codec.request_id_header, request_id),
        (b"x-anykey-request-id", request_id),
        (b"x-anykey-deployment", way.name),
    )
    if exchange.stream:
        headers += STREAM_EXTRA
    return _with_losses(exchange, headers)


def _with_losses(exchange: Exchange, headers: Headers) -> Headers:
    """``headers`` with the losses known by now: a stream's own are known only at its end and are in the usage row."""
    losses = (*exchange.request_losses, *exchange.response_losses)
    if not losses:
        return headers
    kept = tuple(pair for pair in headers if pair[0] != LOSSES_HEADER)
    told = UNPRINTABLE.sub(b"?", summarize(losses).encode("ascii", "replace")[:LOSSES_LIMIT])
    return (*kept, (LOSSES_HEADER, told))


def _is_document(upstream: UpstreamReply) -> bool:
    """The reply is one document, although a stream was asked for."""
    content_type = upstream.header(b"content-type") or b""
    return b"json" in content_type or b"html" in content_type
