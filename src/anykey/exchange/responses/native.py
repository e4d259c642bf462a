"""Providers that keep the state themselves, because the operator said so (``native_state``).

Their requests go out untouched. We only remember which key a response belongs to and which deployment has it: an account at a
provider is shared by all keys of this gateway, and the provider would show any of them anything.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlencode

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.exchange.choosing import choose
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import LARGEST_ANSWER, Gateway, WayOut
from anykey.exchange.mishaps import network_failure, no_token
from anykey.exchange.responses.answers import EVENTS, JSON, Asking, answer_headers
from anykey.exchange.responses.asked import Asked
from anykey.exchange.responses.frames import Fields, read_fields
from anykey.exchange.responses.items import identified, items_of, reference_of
from anykey.exchange.responses.memory import ResponseMemory
from anykey.exchange.responses.recording import Final
from anykey.exchange.secrecy import concealed_failure
from anykey.protocols.catalog import CODECS
from anykey.routing.configured import split_path
from anykey.routing.plan import PlanStep, step_at
from anykey.storage.responses import StoredResponse, find_item_home, find_response
from anykey.upstream.client import Reply as UpstreamReply
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenRefused

log = logging.getLogger(__name__)

RESPONSES = "openai_responses"
ELSEWHERE = "native"
"""The status of a row whose response is at its provider."""
PARAMETERS = frozenset({"include", "include_obfuscation", "stream", "starting_after", "order", "limit", "after"})


class NativeKeeper:
    """Remembers where a response is."""

    def __init__(self, memory: ResponseMemory, key_id: str, asked: Asked, exchange: Exchange) -> None:
        self._memory = memory
        self._key_id = key_id
        self._asked = asked
        self._exchange = exchange

    async def keep(self, final: Final) -> bool:
        """False: the database fails."""
        step = self._exchange.step
        if step is None or not self._asked.store:
            return True
        items = identified(final.output, final.id)
        stored = StoredResponse(
            id=final.id,
            key_id=self._key_id,
            created_at=final.created_at,
            expires_at=self._memory.expiry(),
            status=ELSEWHERE,
            previous_id=self._asked.previous_response_id,
            deployment=step.deployment.id,
            background=self._asked.background,
            item_ids=tuple(item.id for item in items),
        )
        return await self._memory.keep(stored)


async def goes_native(exchange: Exchange, asked: Asked, key: ApiKey, gateway: Gateway) -> bool:
    """The call may go out as it is: every deployment it may reach keeps its own state, and all it refers to is this key's and is
    there. A call that continues a response is bound to the provider that has it, for the model that it asks for. FailureError: it
    is not this key's, or that provider does not serve the model."""
    memory = gateway.memory
    steps = choose(exchange, gateway).steps
    if memory is None or asked.conversation is not None or not all(_keeps_state(step, gateway) for step in steps):
        return False
    fields = read_fields(exchange.body) or {}
    homes = await _homes(fields, asked, key, memory)
    deployments = {home.deployment for home in homes}
    if None in deployments:
        return False
    if len(deployments) > 1:
        raise invalid("what the request refers to is kept by different deployments", "input")
    if homes:
        exchange.bound_to = _bound(steps, deployments.pop() or "", exchange.model)
    return True


def _bound(steps: Iterable[PlanStep], home: str, model: str) -> str:
    """The deployment of the call's own plan that can go on with what ``home`` keeps: itself, else one at its provider."""
    found = [step.deployment for step in steps]
    at_home = [one.id for one in found if one.provider == split_path(home)[0]]
    if not at_home:
        raise invalid(f"is kept by '{home}', where the model '{model}' is not asked", "previous_response_id")
    return home if home in at_home else at_home[0]


async def forward(asking: Asking, stored: StoredResponse, method: str, suffix: str = "") -> bool:
    """Ask the provider that has the response, and tell what it says. True: it did what it was asked."""
    gateway, exchange = asking.gateway, asking.exchange
    step = step_at(gateway.snapshot, stored.deployment or "", RESPONSES)
    if step is None or not _keeps_state(step, gateway):
        raise FailureError(
            Failure("not_found", "The provider that keeps this response is no longer configured.", param="id")
        )
    way = gateway.way_out(step)
    url = f"{way.door}/{quote(stored.id, safe='')}{suffix}{_query(asking.target.query)}"
    try:
        call = await gateway.authorised(Call(method, url, way.headers, b"", way.timeouts), way)
        upstream = await gateway.upstream.send(call)
        try:
            return await _tell(asking, upstream, way)
        finally:
            upstream.abort()
    except TokenRefused as error:
        log.warning("%s: no access token for %s: %s", exchange.request_id, step.deployment.id, error)
        raise FailureError(no_token(error.status)) from None
    except UpstreamError as error:
        if asking.reply.started:
            await asking.reply.end()
            return False
        raise FailureError(network_failure(error, step.endpoint.provider)) from None
    finally:
        exchange.step = step


async def _tell(asking: Asking, upstream: UpstreamReply, way: WayOut) -> bool:
    reply, exchange = asking.reply, asking.exchange
    deployment = (b"x-anykey-deployment", way.name)
    if upstream.status == 200 and b"event-stream" in (upstream.header(b"content-type") or b""):
        await reply.start(200, (*answer_headers(exchange, EVENTS), deployment))
        while chunk := await upstream.next_chunk():
            await reply.write(chunk)
        await reply.end()
        return True
    body = await upstream.read(LARGEST_ANSWER)
    if not 200 <= upstream.status < 300:
        failure = CODECS[RESPONSES].decode_failure(upstream.status, upstream.headers, body)
        raise FailureError(concealed_failure(failure, way.step))
    await reply.whole(upstream.status, (*answer_headers(exchange, (JSON,)), deployment), body)
    return True


def _query(query: bytes) -> str:
    """The parameters that the provider knows: a query may hold a key of this gateway, which must not leave it."""
    known = [pair for pair in parse_qsl(query.decode("latin-1")) if pair[0].removesuffix("[]") in PARAMETERS]
    return f"?{urlencode(known)}" if known else ""


async def _homes(fields: Fields, asked: Asked, key: ApiKey, memory: ResponseMemory) -> list[StoredResponse]:
    """The responses that the request refers to, if they are this key's."""
    homes: list[StoredResponse] = []
    if asked.previous_response_id is not None:
        home = await memory.shelf.read(find_response, key.id, asked.previous_response_id, memory.now())
        if home is None:
            message = f"Previous response with id '{asked.previous_response_id}' not found."
            code = "previous_response_not_found"
            raise FailureError(Failure("invalid_request", message, param="previous_response_id", code=code))
        homes.append(home)
    if asked.references:
        for item_id in filter(None, map(reference_of, items_of(fields.get("input")))):
            home = await memory.shelf.read(find_item_home, key.id, item_id, memory.now())
            if home is None:
                raise FailureError(Failure("not_found", f"Item with id '{item_id}' not found.", param="input"))
            homes.append(home)
    return homes


def _keeps_state(step: PlanStep, gateway: Gateway) -> bool:
    provider = gateway.snapshot.by_name.get(step.endpoint.provider)
    return provider is not None and provider.settings.native_state and step.endpoint.protocol == RESPONSES
