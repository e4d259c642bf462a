"""Try the plan's deployments in order until one answers.

As long as no byte of an answer was relayed, a failure that another deployment may not share leads to the next one. The first
relayed byte fixes the target.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Coroutine
from typing import Any

import msgspec

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import summarize
from anykey.exchange.affinity import Try
from anykey.exchange.crossing import Crossing
from anykey.exchange.exchange import Exchange
from anykey.exchange.fanned import Fan, send_all
from anykey.exchange.gateway import LARGEST_ANSWER, Gateway, WayOut
from anykey.exchange.heartbeat import Heartbeats
from anykey.exchange.mishaps import AttemptFailed, may_go_elsewhere, network_failure, refuses_state
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.relay import StreamRelay
from anykey.exchange.translated import TranslatedCrossing
from anykey.exchange.verbatim import VerbatimCrossing
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import HttpReply
from anykey.protocols.envelope import holds_envelope
from anykey.protocols.openai_responses.compaction import holds_summary
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
Sending = Coroutine[Any, Any, UpstreamReply] | Coroutine[Any, Any, Fan]
REPEATABLE_ERRORS = frozenset({400, 404, 413, 422})
"""Statuses whose body a client of the same protocol gets word for word: they are about its own request."""


async def attempt_in_order(exchange: Exchange, plan: Plan, reply: Reply, gateway: Gateway) -> None:
    """Relay the first answer that a deployment of ``plan`` gives. FailureError: the last deployment's failure."""
    last: AttemptFailed | None = None
    several = len(plan.steps) > 1
    for attempt in gateway.affinity.order(exchange, plan) if several else (Try(plan.steps[0]),):
        step = attempt.step
        try:
            await _try_deployment(exchange, attempt, reply, gateway)
        except AttemptFailed as error:
            if last is None or not error.unsendable:  # what an upstream said tells more than what could not be asked
                last = error
            log.info("%s: %s failed: %s", exchange.request_id, step.deployment.id, error.failure.message)
            if not (error.unsendable or may_go_elsewhere(error.failure)):
                break
        else:
            if several:
                gateway.affinity.remember(exchange, plan, step)
            return
    if last is None:
        raise AssertionError("a plan has at least one step")
    if last.spoken is not None and not reply.started:
        exchange.failure = last.failure
        exchange.status = last.spoken.status
        await reply.whole(*last.spoken)
    else:
        raise FailureError(last.failure)


async def _try_deployment(exchange: Exchange, attempt: Try, reply: Reply, gateway: Gateway) -> None:
    """One deployment, asked once more without the reasoning state if that is what it refused. AttemptFailed as ``_attempt``."""
    strip = "another provider made this state, and only that can read it" if attempt.foreign_state else ""
    exchange.begin_attempt(attempt.step)
    try:
        await _attempt(exchange, attempt.step, reply, gateway, strip)
    except AttemptFailed as error:
        if not error.state_refused or strip:
            raise
        log.info("%s: %s refused the reasoning state: %s", exchange.request_id, attempt.step.deployment.id, error)
        exchange.begin_attempt(attempt.step)
        await _attempt(exchange, attempt.step, reply, gateway, "the upstream refused the state it was sent")


async def _attempt(exchange: Exchange, step: PlanStep, reply: Reply, gateway: Gateway, strip: str) -> None:
    """One call of one deployment, without reasoning state if ``strip`` says why. AttemptFailed: no answer was relayed."""
    try:
        crossing = _cross(exchange, step, gateway, strip)
    except FailureError as error:
        raise AttemptFailed(error.failure, unsendable=True) from None
    try:
        await _call(exchange, step, crossing, reply, gateway)
    except AttemptFailed as error:
        error.state_refused = refuses_state(error.failure) and crossing.carries_state
        raise


def _cross(exchange: Exchange, step: PlanStep, gateway: Gateway, strip: str) -> Crossing:
    """Verbatim where the endpoint speaks the client's protocol, unless it speaks a part of it only, or the body holds what
    must not go there as it is."""
    dialect, carry = gateway.way_out(step).dialect, gateway.carry
    same = step.endpoint.protocol == exchange.codec.name and not strip and not _holds_ours(exchange)
    if same and (exchange.untouched or exchange.codec.fits_verbatim(exchange.body, dialect)):
        return VerbatimCrossing(exchange, step, dialect, carry)
    exchange.to_be_estimated = gateway.calibration.wants(step.deployment.id)
    return TranslatedCrossing(exchange, step, dialect, carry._replace(strip=strip) if strip else carry)


def _holds_ours(exchange: Exchange) -> bool:
    """The body holds what only this gateway can read: sealed state, or a summary that stands for a conversation."""
    body = exchange.body
    return holds_envelope(body) or (exchange.codec.name == "openai_responses" and holds_summary(body))


async def _call(exchange: Exchange, step: PlanStep, crossing: Crossing, reply: Reply, gateway: Gateway) -> None:
    """Send what the crossing made, relay what comes."""
    endpoint = step.endpoint
    way = gateway.way_out(step)
    call = Call(
        method="POST",
        url=way.stream_url if exchange.stream else way.url,
        headers=way.headers + crossing.headers,
        body=crossing.body,
        timeouts=way.timeouts,
        decode=crossing.decoded,
    )
    headers = answer_headers(exchange, way)
    sending = gateway.upstream.send(call) if crossing.copies == 1 else send_all(gateway.upstream, call, crossing.copies)
    upstream = await _send(exchange, sending, step, reply, headers, gateway)
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
    exchange: Exchange, sending: Sending, step: PlanStep, reply: Reply, headers: Headers, gateway: Gateway
) -> UpstreamReply | Fan:
    """The upstream's reply up to its headers, keep-alives for a streaming client meanwhile."""
    beats = Heartbeats(reply, headers, exchange.codec.heartbeat(), gateway.keepalive_s) if exchange.stream else None
    try:
        return await sending
    except UpstreamError as error:
        raise AttemptFailed(network_failure(error, step.endpoint.provider)) from None
    finally:
        if beats is not None:
            await beats.stop()
            exchange.status = 200 if reply.started else 0


async def _relay_whole(
    exchange: Exchange, crossing: Crossing, upstream: UpstreamReply | Fan, reply: Reply, headers: Headers
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


async def _read_error(
    exchange: Exchange, step: PlanStep, upstream: UpstreamReply | Fan, headers: Headers
) -> AttemptFailed:
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


async def _read(exchange: Exchange, upstream: UpstreamReply | Fan, limit: int) -> bytes:
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


def _is_document(upstream: UpstreamReply | Fan) -> bool:
    """The reply is one document, although a stream was asked for."""
    content_type = upstream.header(b"content-type") or b""
    return b"json" in content_type or b"html" in content_type
