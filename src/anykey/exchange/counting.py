"""``count_tokens``: the upstream's own count where it has one, else an estimate that is marked as such."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import msgspec

from anykey.conversation.estimate import estimate_input_tokens
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.steps import admit, authenticate, choose, refuse
from anykey.protocols.anthropic_messages.request import decode_count_request
from anykey.routing.plan import PlanStep
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call

log = logging.getLogger(__name__)

ANSWER_LIMIT = 64 * 1024
NOT_COUNTED_HERE = frozenset({404, 405, 501})
"""The upstream has no such endpoint: estimate. Any other refusal of the native endpoint estimates too, and is logged."""


async def count_tokens(exchange: Exchange, reply: Reply, gateway: Gateway) -> None:
    """Answer ``POST /v1/messages/count_tokens``. Leaves no usage row: nothing was generated."""
    try:
        exchange.key = authenticate(exchange.headers, gateway)
        admit(exchange)
        step = choose(exchange, gateway).steps[0]
        counted = await _count_upstream(exchange, step, gateway)
        if counted is None:
            counted = estimate_input_tokens(decode_count_request(exchange.body).value)
            await _answer(exchange, reply, counted, ((b"x-anykey-token-count", b"estimated"),))
        else:
            await _answer(exchange, reply, counted, ())
    except FailureError as error:
        await refuse(exchange, error.failure, reply)
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("request %s failed inside the gateway", exchange.request_id)
        await refuse(exchange, Failure("internal", "The gateway failed; its log has the details."), reply)


async def _count_upstream(exchange: Exchange, step: PlanStep, gateway: Gateway) -> int | None:
    """The provider's own count, None where it gives none."""
    endpoint = step.endpoint
    if endpoint.count_tokens_url is None or endpoint.protocol != exchange.codec.name:
        return None
    way = gateway.way_out(step)
    body, _ = exchange.codec.prepare_verbatim(exchange.body, step.deployment.model, way.dialect)
    headers = way.headers + exchange.codec.request_headers(exchange.headers, way.dialect, verbatim=True)
    call = Call("POST", endpoint.count_tokens_url, headers, body, way.timeouts, decode=True)
    try:
        upstream = await gateway.upstream.send(call)
        try:
            answer = await upstream.read(ANSWER_LIMIT)
        finally:
            upstream.abort()
        if upstream.status == 200:
            return msgspec.json.decode(answer, type=_Counted).input_tokens
    except (UpstreamError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.info("%s: %s did not count tokens: %s", exchange.request_id, step.deployment.id, error)
        return None
    if upstream.status == 400:
        raise FailureError(exchange.codec.decode_failure(upstream.status, upstream.headers, answer))
    if upstream.status not in NOT_COUNTED_HERE:
        log.info("%s: %s answered %d to count_tokens", exchange.request_id, step.deployment.id, upstream.status)
    return None


class _Counted(msgspec.Struct):
    input_tokens: Annotated[int, msgspec.Meta(ge=0)]


async def _answer(exchange: Exchange, reply: Reply, counted: int, extra: Headers) -> None:
    headers: Headers = (
        (b"content-type", b"application/json"),
        (exchange.codec.request_id_header, exchange.request_id.encode()),
        *extra,
    )
    exchange.status = 200
    await reply.whole(200, headers, msgspec.json.encode({"input_tokens": counted}))
