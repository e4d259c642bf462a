"""``POST /v1/responses``: what came before is put into the input, the journey answers, what it says is kept.

A call that asks nothing of our memory goes straight to the journey.
"""

from __future__ import annotations

import asyncio

from anykey.conversation.failures import FailureError
from anykey.exchange.choosing import choose
from anykey.exchange.entry import look
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Reply
from anykey.exchange.responses.answers import NOWHERE, Target, broken
from anykey.exchange.responses.asked import Asked, read_asked
from anykey.exchange.responses.background import begin_background
from anykey.exchange.responses.expansion import prepare, switched_on
from anykey.exchange.responses.keeper import Keeper, outgoing
from anykey.exchange.responses.native import RESPONSES, NativeKeeper, goes_native
from anykey.exchange.responses.recording import RecordingReply
from anykey.exchange.steps import admit, authenticate, generate, refuse, settle
from anykey.exchange.transcript import FULL, listen
from anykey.protocols.codec import Peek


async def create(exchange: Exchange, reply: Reply, gateway: Gateway, target: Target = NOWHERE) -> None:  # noqa: ARG001 - a Verb
    """Answer one call. Never raises, except CancelledError as ``generate`` does."""
    exchange.answer_id = f"resp_{exchange.request_id.removeprefix('req_')}"
    try:
        asked = read_asked(exchange.body)
        if asked is not None and asked.model:
            exchange.peek = Peek(
                asked.model,
                asked.stream,
                asked.metadata,
                max_output_tokens=asked.max_output_tokens,
                service_tier=asked.service_tier,
            )
        keeper = None if asked is None or asked.stateless else await _prepare(exchange, asked, gateway)
        if asked is not None and asked.background and isinstance(keeper, Keeper):
            await begin_background(exchange, keeper, reply, gateway, stream=asked.stream)
            return
    except FailureError as error:
        look(exchange, gateway)
        await refuse(exchange, error.failure, reply)
        settle(exchange, gateway)
        return
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - told to the client, logged there
        await refuse(exchange, broken(exchange, error), reply)
        settle(exchange, gateway)
        return
    if isinstance(keeper, Keeper):
        reply = RecordingReply(reply, keeper.set_fields(), keeper.keep)
    elif keeper is not None:
        reply = RecordingReply(reply, {}, keeper.keep, early=True)
        exchange.answered_later = asked is not None and asked.background
    await generate(exchange, reply, gateway)


async def _prepare(exchange: Exchange, asked: Asked, gateway: Gateway) -> Keeper | NativeKeeper | None:
    """Make the exchange's body one that needs no memory, and say who keeps the answer; None: nobody, the operator does not want
    it. FailureError: the caller is not known, or what the request continues is not there."""
    key = exchange.key = authenticate(exchange.headers, gateway, exchange.peer)
    if key.logging == FULL:
        listen(exchange, gateway)  # while the body is still the client's own
    admit(exchange)
    if asked.continues or asked.background:
        switched_on(gateway)
    if gateway.memory is not None and await goes_native(exchange, asked, key, gateway):
        exchange.untouched = True
        return NativeKeeper(gateway.memory, key.id, asked, exchange)
    prepared = await prepare(exchange.body, asked, key, gateway)
    memory = gateway.memory if gateway.memory is not None and gateway.memory.enabled else None
    same = choose(exchange, gateway).first.endpoint.protocol == RESPONSES
    exchange.body = outgoing(prepared.fields, ask_for_state=same and memory is not None)
    return Keeper(memory, key.id, asked, prepared.added) if memory is not None else None
