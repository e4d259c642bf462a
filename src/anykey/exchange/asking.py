"""Ask one deployment with one credential, and relay its answer. Which one, and what happens when it fails, is ``attempt``'s."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from anykey.conversation.failures import FailureError
from anykey.exchange.answer_headers import JSON_HEADER, answer_headers, with_losses
from anykey.exchange.costing import COST_HEADER, cost_comment, cost_text
from anykey.exchange.crossing import Crossing
from anykey.exchange.directions import NO_DIRECTIONS
from anykey.exchange.exchange import Exchange
from anykey.exchange.fanned import Fan, send_all
from anykey.exchange.gateway import LARGEST_ANSWER, Gateway
from anykey.exchange.heartbeat import Heartbeats
from anykey.exchange.mishaps import NOT_SENT, AttemptFailed, is_cut, network_failure, no_token, refuses_state
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.relay import StreamRelay
from anykey.exchange.secrecy import conceal
from anykey.exchange.translated import TranslatedCrossing
from anykey.exchange.verbatim import VerbatimCrossing
from anykey.exchange.ways import WayOut
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.protocols.codec import HttpReply
from anykey.protocols.envelope import holds_envelope
from anykey.protocols.openai_responses.compaction import holds_summary
from anykey.upstream.client import Reply as UpstreamReply
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenRefused

log = logging.getLogger(__name__)

ERROR_BODY_LIMIT = 1024 * 1024
REPEATABLE_ERRORS = frozenset({400, 404, 413, 422})
"""Statuses whose body a client of the same protocol gets word for word: they are about its own request."""


async def ask(exchange: Exchange, way: WayOut, strip: str, reply: Reply, gateway: Gateway) -> None:
    """One call, without reasoning state if ``strip`` says why. AttemptFailed: no answer was relayed."""
    try:
        crossing = _cross(exchange, way, gateway, strip)
    except FailureError as error:
        raise AttemptFailed(error.failure, unsendable=True) from None
    headers = answer_headers(exchange, way)
    call = _call(exchange, way, crossing)
    if crossing.copies != exchange.copies:
        exchange.copies = crossing.copies
    try:
        if exchange.stream or crossing.copies > 1 or not way.authorised:
            upstream = await _send(exchange, way, call, crossing.copies, Beats(reply, headers, gateway))
        else:
            upstream = await gateway.upstream.send(call, exchange)
        try:
            if upstream.retried:
                exchange.reconnected = True
            if not 200 <= upstream.status < 300:
                exchange.asking = False  # it said no, whatever becomes of its words
                raise await _read_error(exchange, way, upstream, headers)
            if not exchange.stream:
                told = _cross_back(crossing.whole, await upstream.read(LARGEST_ANSWER))
                exchange.status, exchange.complete = 200, True
                await reply.whole(200, _costing(exchange, _losing(exchange, headers), gateway), told)
            elif _is_document(upstream):
                body = _cross_back(crossing.whole_as_stream, await upstream.read(LARGEST_ANSWER))
                await _relay_document(exchange, body, reply, headers, gateway)
            else:
                relay = StreamRelay(exchange, crossing.pipe(), reply, headers, gateway)
                await relay.run(upstream, way.step.endpoint.provider)
        finally:
            upstream.abort()
    except UpstreamError as error:
        exchange.reconnected |= error.retried
        failed = AttemptFailed(network_failure(error, way.step.endpoint.provider))
        failed.unknown = exchange.asking and not isinstance(error, NOT_SENT)
        raise failed from None
    except AttemptFailed as error:
        error.state_refused = refuses_state(error.failure) and crossing.carries_state
        conceal(error, way.step, exchange.directions.upstream_key)
        raise


def _cross(exchange: Exchange, way: WayOut, gateway: Gateway, strip: str) -> Crossing:
    """Verbatim where the endpoint speaks the client's protocol, unless it speaks a part of it only, or the body holds what
    must not go there as it is."""
    step, carry = way.step, gateway.carry
    same = step.endpoint.protocol == exchange.codec.name and not strip and not _holds_ours(exchange)
    if same and (exchange.untouched or exchange.codec.fits_verbatim(exchange.body, way.dialect)):
        return VerbatimCrossing(exchange, way, carry)
    exchange.to_be_estimated = gateway.calibration.wants(step.deployment.id)
    return TranslatedCrossing(exchange, step, way.dialect, carry._replace(strip=strip) if strip else carry)


def _holds_ours(exchange: Exchange) -> bool:
    """The body holds what only this gateway can read: sealed state, or a summary that stands for a conversation."""
    body = exchange.body
    return holds_envelope(body) or (exchange.codec.name == "openai_responses" and holds_summary(body))


def _call(exchange: Exchange, way: WayOut, crossing: Crossing) -> Call:
    call = Call(
        "POST",
        way.stream_url if exchange.stream else way.url,
        way.headers + crossing.headers,
        crossing.body,
        way.timeouts,
        crossing.decoded,
    )
    return call if exchange.directions is NO_DIRECTIONS else _directed(call, exchange, way)


class Beats(NamedTuple):
    """To whom keep-alives go."""

    reply: Reply
    headers: Headers
    gateway: Gateway

    def begin(self, exchange: Exchange) -> Heartbeats:
        """Keep the client of a stream company."""
        return Heartbeats(self.reply, self.headers, exchange.codec.heartbeat(), self.gateway.keepalive_s)


async def _send(exchange: Exchange, way: WayOut, call: Call, copies: int, to: Beats) -> UpstreamReply | Fan:
    """The upstream's reply up to its headers, keep-alives for a streaming client meanwhile. UpstreamError."""
    beats = to.begin(exchange) if exchange.stream else None
    gateway = to.gateway
    try:
        if not way.authorised:
            call = await gateway.authorised(call, way)
        if copies == 1:
            return await gateway.upstream.send(call, exchange)
        return await send_all(gateway.upstream, call, copies, exchange)
    except TokenRefused as error:
        log.warning("%s: no access token for %s: %s", exchange.request_id, way.step.deployment.id, error)
        raise AttemptFailed(no_token(error.status)) from None
    finally:
        if beats is not None:
            await beats.stop()
            exchange.status = 200 if to.reply.started else 0


def _directed(call: Call, exchange: Exchange, way: WayOut) -> Call:
    """``call`` as its own headers direct: within their time, and to a host of the caller's own with the caller's credential."""
    said = exchange.directions
    timeouts = call.timeouts
    if said.timeout_s is not None:
        limit_s = said.timeout_s
        timeouts = msgspec.structs.replace(
            timeouts, first_byte_s=min(timeouts.first_byte_s, limit_s), total_s=min(timeouts.total_s, limit_s)
        )
    headers, public_only = call.headers, False
    if way.step.custom is not None:
        public_only = said.names_hosts
        if said.upstream_key is not None:
            headers = way.shown(said.upstream_key) + headers
    return msgspec.structs.replace(call, headers=headers, timeouts=timeouts, public_only=public_only)


def _cross_back(cross: Callable[[bytes], bytes], body: bytes) -> bytes:
    """The client's answer of the upstream's ``body``. AttemptFailed: it is none."""
    try:
        return cross(body)
    except AttemptFailed as error:
        error.unknown = is_cut(body)
        raise


async def _relay_document(exchange: Exchange, told: bytes, reply: Reply, headers: Headers, gateway: Gateway) -> None:
    """An answer that came in one piece although a stream was asked for; it goes out as a stream."""
    exchange.status, exchange.complete = 200, True
    if not reply.started:
        await reply.start(200, _losing(exchange, headers))
    await reply.write(told + cost_comment(exchange, gateway))
    await reply.end()


def _costing(exchange: Exchange, headers: Headers, gateway: Gateway) -> Headers:
    """``headers`` with what the answer cost, if that is known."""
    told = cost_text(exchange, gateway)
    return headers if told is None else (*headers, (COST_HEADER, told))


def _losing(exchange: Exchange, headers: Headers) -> Headers:
    """``headers`` with the losses, of which most calls have none."""
    return with_losses(exchange, headers) if exchange.request_losses or exchange.response_losses else headers


async def _read_error(
    exchange: Exchange, way: WayOut, upstream: UpstreamReply | Fan, headers: Headers
) -> AttemptFailed:
    """What the upstream's error reply means, and its own words for a client of the same protocol."""
    endpoint = way.step.endpoint
    body = await upstream.read(ERROR_BODY_LIMIT)
    failure = UPSTREAM_CODECS[endpoint.protocol].decode_failure(upstream.status, upstream.headers, body)
    about_the_request = upstream.status in REPEATABLE_ERRORS and failure.fault == "caller"
    if endpoint.protocol != exchange.codec.name or not about_the_request or not _tells_an_error(body):
        failed = AttemptFailed(failure)
        failed.token_refused = upstream.status == 401 and way.by_token
        return failed
    return AttemptFailed(failure, HttpReply(upstream.status, (JSON_HEADER, *headers[1:]), body))


def _tells_an_error(body: bytes) -> bool:
    """The body is an object with an ``error`` object: a shape that a client of its protocol understands."""
    try:
        return isinstance(msgspec.json.decode(body, type=dict[str, Any]).get("error"), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _is_document(upstream: UpstreamReply | Fan) -> bool:
    """The reply is one document, although a stream was asked for."""
    content_type = upstream.header(b"content-type") or b""
    return b"json" in content_type or b"html" in content_type
