"""Where a call would go and why, asked of a running gateway or of its stored state. Nothing is sent.

A call that is only supposed has what routing looks at: a model, headers, a body, a key. `POST /admin/v1/routes/explain` asks it
of the gateway that serves, which alone knows load and latency; only admin keys may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from anykey.accounts.keys import ApiKey
from anykey.clients.recognise import recognise
from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.conversation.parts import ProtocolName
from anykey.exchange.choosing import asked, failure_of
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Reply
from anykey.exchange.steps import authenticate, heed, refuse
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Headers, RequestPath, header
from anykey.routing.ask import Ask
from anykey.routing.explain import explain
from anykey.routing.groups import standing_of
from anykey.routing.plan import Unroutable, plan
from anykey.routing.snapshot import Snapshot

PROTOCOLS: Mapping[str, ProtocolName] = {
    "messages": "anthropic_messages",
    "chat": "openai_chat",
    "responses": "openai_responses",
    "gemini": "gemini_generate",
}
"""What a caller may speak, by short names."""
NOBODY = ApiKey(id="", name="", digest=b"", last4="", created_at=0)
"""A key of the default group that says nothing itself: who is asked for where no key is named."""
JSON_HEADER = (b"content-type", b"application/json")


class Supposed(msgspec.Struct, frozen=True):
    """A call that is not made. `model` None: the body's. `roll` in [0, 1) decides what is left to chance."""

    protocol: ProtocolName = "anthropic_messages"
    model: str | None = None
    headers: Headers = ()
    body: bytes = b""
    roll: float = 0.0


def supposed_ask(call: Supposed, key: ApiKey, snapshot: Snapshot) -> Ask:
    """What the planner would be asked. FailureError: the call would be refused before it is planned."""
    return asked(_exchange(call, key), standing_of(key, snapshot).grant, snapshot)


def _exchange(call: Supposed, key: ApiKey) -> Exchange:
    """The call as the gateway would see it: its body for what it says of itself, its headers for what they direct."""
    codec = CODECS[call.protocol]
    client = recognise(header(call.headers, b"user-agent"), header(call.headers, b"x-app"))
    path = RequestPath(call.model) if call.model is not None else RequestPath()
    exchange = Exchange("explain", Inbound(codec, call.headers, call.body or b"{}", client, path), 0.0, 0)
    exchange.key, exchange.roll = key, call.roll
    said = msgspec.Raw()
    if call.body:
        peek = codec.peek(call.body, path)
        exchange.model, exchange.stream, said = peek.model, bool(peek.stream), peek.metadata
    heed(exchange, said)
    exchange.model = call.model or exchange.model
    if not exchange.model:
        raise invalid("name the model here or in the body", "model")
    return exchange


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of the HTTP call; `key` is an id or a name, `body` the supposed call's own."""

    model: str | None = None
    key: str | None = None
    protocol: str = "messages"
    headers: dict[str, str] = {}
    body: dict[str, Any] | None = None
    roll: float = 0.0


_decoder = msgspec.json.Decoder(_Asked)


async def answer_explain(exchange: Exchange, reply: Reply, gateway: Gateway) -> None:
    """Answer `POST /admin/v1/routes/explain`: `{"plan": …}`, or `{"plan": null, "refusal": {code, message}}`."""
    try:
        _admit(authenticate(exchange.headers, gateway, exchange.peer))
        told = msgspec.json.encode(_told(_read(exchange.body), gateway))
    except FailureError as error:
        await refuse(exchange, error.failure, reply)
    else:
        await reply.whole(200, (JSON_HEADER, (b"x-anykey-request-id", exchange.request_id.encode())), told)


def _admit(key: ApiKey) -> None:
    if not key.operator:
        raise FailureError(Failure("permission", "Only admin keys may ask where the calls of others would go."))


def _read(body: bytes) -> _Asked:
    try:
        asked_for = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"the body cannot be read: {error}") from None
    if asked_for.protocol not in PROTOCOLS:
        raise invalid(f"must be one of {', '.join(PROTOCOLS)}", "protocol")
    if not 0 <= asked_for.roll < 1:
        raise invalid("must be a number from 0 up to, but not including, 1", "roll")
    return asked_for


def _told(said: _Asked, gateway: Gateway) -> dict[str, Any]:
    headers = tuple((name.lower().encode(), value.encode()) for name, value in said.headers.items())
    body = b"" if said.body is None else msgspec.json.encode(said.body)
    call = Supposed(PROTOCOLS[said.protocol], said.model, headers, body, said.roll)
    key = NOBODY if said.key is None else _key_of(said.key, gateway.keys.keys.values())
    found = plan(gateway.snapshot, supposed_ask(call, key, gateway.snapshot), gateway.wellbeing)
    if isinstance(found, Unroutable):
        failure = failure_of(found)
        return {"plan": None, "refusal": {"code": failure.code, "message": failure.message}}
    return {"plan": explain(found)}


def _key_of(reference: str, keys: Iterable[ApiKey]) -> ApiKey:
    for key in keys:
        if reference == key.id or (reference == key.name and key.revoked_at is None):
            return key
    raise invalid("no key has this id or name", "key")
