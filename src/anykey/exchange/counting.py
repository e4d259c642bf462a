"""How many tokens a request has, in each protocol that asks it: the upstream's own count where it has one, whatever its protocol,
else an estimate that is marked as such.

The estimate (``conversation.estimate``) is multiplied by what was learnt of the deployment (``calibration``). A count leaves no
usage row: nothing was generated.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from anykey.conversation.estimate import estimate_input_tokens
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.choosing import choose
from anykey.exchange.entry import look
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.limit_headers import limit_headers
from anykey.exchange.ports import Headers, Reply
from anykey.exchange.responses.expansion import expand
from anykey.exchange.steps import admit, authenticate, refuse
from anykey.protocols.catalog import COUNTERS, UPSTREAM_CODECS
from anykey.protocols.envelope import holds_envelope
from anykey.protocols.openai_responses.compaction import holds_summary
from anykey.routing.plan import PlanStep
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenRefused

log = logging.getLogger(__name__)

ANSWER_LIMIT = 64 * 1024
LONGEST_WAIT_S = 10.0
"""Then the estimate is told: clients ask in the middle of their work."""
NOT_COUNTED_HERE = frozenset({404, 405, 501})
"""The upstream has no such endpoint: estimate. Any other refusal of the native endpoint estimates too, and is logged."""
ESTIMATE_HEADER = b"x-anykey-token-count"
ID_HEADER = b"x-anykey-request-id"


async def count_tokens(exchange: Exchange, reply: Reply, gateway: Gateway) -> None:
    """Answer ``count_tokens``, ``input_tokens`` or ``:countTokens``, by the exchange's protocol."""
    try:
        exchange.key = authenticate(exchange.headers, gateway, exchange.peer)
        look(exchange, gateway)
        if exchange.codec.name == "openai_responses":
            exchange.body = await expand(exchange.body, exchange.key, gateway)
        admit(exchange)
        step = counting_step(choose(exchange, gateway).first, exchange.codec.name)
        counted, mark = await _count_upstream(exchange, step, gateway), b""
        if counted is None:
            counted, mark = _estimate(exchange, step, gateway)
        await _answer(exchange, reply, counted, mark)
    except FailureError as error:
        await refuse(exchange, error.failure, reply)
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("request %s failed inside the gateway", exchange.request_id)
        await refuse(exchange, Failure("internal", "The gateway failed; its log has the details."), reply)


def counting_step(step: PlanStep, client_protocol: str) -> PlanStep:
    """The same deployment by a door that counts: one of the client's protocol, else any, else the step as it is."""
    doors = [door for door in step.deployment.endpoints.values() if door.counts_tokens and door.protocol in COUNTERS]
    doors.sort(key=lambda door: door.protocol != client_protocol)
    return msgspec.structs.replace(step, endpoint=doors[0]) if doors else step


def _estimate(exchange: Exchange, step: PlanStep, gateway: Gateway) -> tuple[int, bytes]:
    """The estimate, and what the answer's header says of it."""
    request = COUNTERS[exchange.codec.name].decode_count_request(exchange.body, exchange.path).value
    estimated = estimate_input_tokens(request)
    factor = gateway.calibration.factor(step.deployment.id)
    if factor is None:
        return estimated, b"estimated"
    return max(round(estimated * factor), 1), b"estimated; calibrated"


async def _count_upstream(exchange: Exchange, step: PlanStep, gateway: Gateway) -> int | None:
    """The provider's own count, None where it gives none."""
    endpoint = step.endpoint
    if not endpoint.counts_tokens or endpoint.protocol not in COUNTERS:
        return None
    call = _question(exchange, step, gateway)
    try:
        async with asyncio.timeout(LONGEST_WAIT_S):
            upstream = await gateway.upstream.send(await gateway.authorised(call, gateway.way_out(step)))
            try:
                answer = await upstream.read(ANSWER_LIMIT)
            finally:
                upstream.abort()
    except (UpstreamError, TokenRefused, TimeoutError) as error:
        log.info("%s: %s did not count tokens: %s", exchange.request_id, step.deployment.id, error)
        return None
    if upstream.status == 200:
        return COUNTERS[endpoint.protocol].decode_count(answer)
    if upstream.status == 400 and endpoint.protocol == exchange.codec.name:
        raise FailureError(exchange.codec.decode_failure(upstream.status, upstream.headers, answer))
    if upstream.status not in NOT_COUNTED_HERE:
        log.info("%s: %s answered %d to a count of tokens", exchange.request_id, step.deployment.id, upstream.status)
    return None


def _question(exchange: Exchange, step: PlanStep, gateway: Gateway) -> Call:
    """The call that asks: the client's own bytes where the upstream speaks his protocol, else what they say in the upstream's."""
    endpoint, model = step.endpoint, step.deployment.model
    codec, counter = UPSTREAM_CODECS[endpoint.protocol], COUNTERS[endpoint.protocol]
    way = gateway.way_out(step)
    ours = holds_envelope(exchange.body) or holds_summary(exchange.body)
    verbatim = endpoint.protocol == exchange.codec.name and not ours
    if verbatim:
        body = counter.prepare_count(exchange.body, model)
    else:
        asked = COUNTERS[exchange.codec.name].decode_count_request(exchange.body, exchange.path).value
        carried = gateway.carry.request(exchange, step, asked, way.dialect).request
        body = counter.encode_count_request(msgspec.structs.replace(carried, model=model), way.dialect).body
    headers = way.headers + codec.request_headers(exchange.headers, way.dialect, verbatim=verbatim)
    return Call("POST", counter.count_url(way.door, model), headers, body, way.timeouts, decode=True)


async def _answer(exchange: Exchange, reply: Reply, counted: int, mark: bytes) -> None:
    request_id = exchange.request_id.encode()
    headers: Headers = (
        (b"content-type", b"application/json"),
        (exchange.codec.request_id_header, request_id),
        (ID_HEADER, request_id),
        *limit_headers(exchange),
    )
    exchange.status = 200
    body = COUNTERS[exchange.codec.name].encode_count(counted)
    await reply.whole(200, (*headers, (ESTIMATE_HEADER, mark)) if mark else headers, body)
