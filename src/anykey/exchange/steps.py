"""The journey of one call, as the table of contents of the system:

    authenticate → admit → plan → attempt → relay (verbatim | translated) → settle

Every step either goes on or raises ``FailureError``; whatever happens, the exchange is settled once.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import msgspec

from anykey.accounts import keys as api_keys
from anykey.accounts.keys import ApiKey, KeyRefusal
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.addresses import check_address
from anykey.exchange.answer_headers import refusal_headers
from anykey.exchange.attempt import attempt_in_order
from anykey.exchange.choosing import choose
from anykey.exchange.costing import reckon
from anykey.exchange.directions import directions_of
from anykey.exchange.entry import enter, leave, look
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.metadata import body_metadata, merged
from anykey.exchange.mishaps import EVENT_END
from anykey.exchange.paying import hold_of
from anykey.exchange.ports import Reply
from anykey.exchange.transcript import FULL, listen
from anykey.protocols.codec import Headers

log = logging.getLogger(__name__)

_OURS = api_keys.PREFIX.encode()
_WHY_NOT = {
    KeyRefusal.UNKNOWN: "is not known here",
    KeyRefusal.REVOKED: "was revoked",
    KeyRefusal.EXPIRED: "has expired",
}
FAREWELL_S = 1.0
"""How long a gateway that stops tries to tell a client so."""


async def generate(exchange: Exchange, reply: Reply, gateway: Gateway) -> None:
    """Answer one generate call. Never raises, except CancelledError when the client is gone or the server stops."""
    try:
        key = exchange.key = authenticate(exchange.headers, gateway, exchange.peer)
        if key.logging == FULL:
            listen(exchange, gateway)
        admit(exchange)
        if key.purse is not None:
            await enter(exchange, gateway)
        if key.purse is not None or gateway.every_call:
            exchange.hold = hold_of(exchange, gateway)
        route = choose(exchange, gateway)
        await attempt_in_order(exchange, route, reply, gateway)
    except FailureError as error:
        look(exchange, gateway)
        await refuse(exchange, error.failure, reply)
    except asyncio.CancelledError:
        await _stop_early(exchange, reply)
        raise
    except Exception:
        log.exception("request %s failed inside the gateway", exchange.request_id)
        await refuse(exchange, Failure("internal", "The gateway failed; its log has the details."), reply)
    finally:
        settle(exchange, gateway)


def authenticate(headers: Headers, gateway: Gateway, peer: str | None = None) -> ApiKey:
    """Who calls: the key of ``Authorization: Bearer``, or of ``x-api-key`` or ``x-goog-api-key``, which their vendors' own APIs
    prefer too, or of ``x-portkey-api-key``. The server makes a ``?key=`` the latter of the vendors' two.

    A key that was found in force is remembered by its header value for as long as no key changes. ``peer`` is the address of the
    connection: without it, a key that may only be used from some places may not be used.
    """
    credential = _credential(headers)
    if credential is None:
        raise _unauthenticated(
            "No API key was sent. Send it as 'Authorization: Bearer ak-…', 'x-api-key: …' or 'x-goog-api-key: …'."
        )
    gateway.keys.refresh_if_changed()
    key = gateway.verified.get(credential, gateway.keys.keys) or _verify(credential, gateway)
    if key.ip_allow is not None or key.ip_deny is not None:
        check_address(key, peer, headers, gateway.trusted_proxies)
    return key


def _verify(credential: bytes, gateway: Gateway) -> ApiKey:
    """Check a key that is not remembered, in constant time."""
    text = credential.decode("latin-1")
    parsed = api_keys.parse((text[7:] if text[:7].lower() == "bearer " else text).strip())
    if parsed is None:
        raise _unauthenticated(
            "This is not a key of this gateway: it is mistyped or cut, or another service's. "
            "Keys here begin with 'ak-'; 'anykey keys create --name NAME' makes one."
        )
    keys, now_s = gateway.keys.keys, gateway.wall_clock()
    found = api_keys.verify(parsed, keys, gateway.pepper, now_s)
    if not isinstance(found, ApiKey):
        gateway.keys.refresh_if_changed(even_if_busy=True)
        if gateway.keys.keys is not keys:
            keys = gateway.keys.keys
            found = api_keys.verify(parsed, keys, gateway.pepper, now_s)
    if isinstance(found, ApiKey):
        if not api_keys.may_lapse(found, now_s):
            gateway.verified.remember(credential, found, keys)
        return found
    why = _WHY_NOT[found]
    raise _unauthenticated(f"The API key {why}. Make a new one with 'anykey keys create --name NAME'.")


def admit(exchange: Exchange) -> None:
    """Read what routing needs of the body and the headers; what is not a request ends here with a 400 that says where."""
    peek = exchange.peek = exchange.peek or exchange.codec.peek(exchange.body, exchange.path)
    exchange.model = peek.model
    exchange.stream = bool(peek.stream)
    heed(exchange, peek.metadata)


def heed(exchange: Exchange, said: msgspec.Raw) -> None:
    """Take what the call says of itself: its directions, its trace, its metadata, of which ``said`` is the body's part."""
    key = exchange.key
    directions = exchange.directions = directions_of(exchange.headers, admin=key is not None and key.operator)
    if directions.trace_id is not None:
        exchange.trace_id = directions.trace_id
    brought = key.metadata if key is not None else None
    if brought or directions.metadata or said:
        exchange.metadata = merged(directions.metadata, body_metadata(said), brought)


async def refuse(exchange: Exchange, failure: Failure, reply: Reply) -> None:
    """Tell the client what failed: as an HTTP error while nothing was sent, else as its protocol's in-band error."""
    exchange.failure = failure
    if reply.started:
        await reply.write(EVENT_END + exchange.codec.encode_stream_failure(failure, exchange.request_id))
        await reply.end()
        return
    status, headers, body = exchange.codec.encode_failure(failure, exchange.request_id)
    exchange.status = status
    await reply.whole(status, (*headers, *refusal_headers(exchange)), body)


async def _stop_early(exchange: Exchange, reply: Reply) -> None:
    """The call was cancelled: the client is gone, or the gateway stops and the client must hear of it."""
    if reply.gone:
        exchange.failure = Failure("client_gone", "The client closed the connection before the answer was complete.")
        exchange.status = exchange.status or 499
    else:
        stopping = Failure("unavailable", "The gateway is stopping. Try again.", retry_after_s=1)
        with suppress(TimeoutError):  # a client that does not read must not hold up the end
            async with asyncio.timeout(FAREWELL_S):
                await refuse(exchange, stopping, reply)


def settle(exchange: Exchange, gateway: Gateway) -> None:
    """Say what the call cost, give back what was held for it, and leave one usage row for every exchange of a known key. Learn
    from its usage how good the estimates are."""
    reckon(exchange, gateway)
    if exchange.entry is not None:
        leave(exchange, gateway)
    if exchange.estimated_input is not None:
        _learn(exchange, exchange.estimated_input, gateway)
    if exchange.key is None:
        return
    now = gateway.monotonic()
    hold = exchange.hold
    if hold is not None or exchange.foreseen is not None:
        exchange.hold = exchange.foreseen = None  # they know the exchange: no circle stays behind
    if hold is None or not hold.close(int(gateway.wall_clock() * 1000), now):
        gateway.recorder.record(exchange.row(now))


def _learn(exchange: Exchange, estimated: int, gateway: Gateway) -> None:
    step, usage = exchange.step, exchange.usage
    if step is not None and usage is not None and exchange.usage_source == "upstream":
        gateway.calibration.learn(step.deployment.id, estimated, usage.total_input())


def _credential(headers: Headers) -> bytes | None:
    """The header value that holds the key, scheme word included. Portkey's SDK puts it where only it looks, beside whatever the
    provider's own SDK sends; so what has our form there goes before all, and anything else there comes last."""
    bearer = vendor = portkey = None
    for name, value in headers:
        if (name == b"x-api-key" or name == b"x-goog-api-key") and value:  # noqa: PLR1714 - a tenth faster than a set
            vendor = vendor or value
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value
        elif name == b"x-portkey-api-key":
            portkey = value or None
    if portkey is not None and portkey.startswith(_OURS):
        return portkey
    return vendor or bearer or portkey


def _unauthenticated(message: str) -> FailureError:
    return FailureError(Failure("authentication", message, code="invalid_api_key", should_retry=False))
