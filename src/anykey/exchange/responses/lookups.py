"""Stored responses by their ids: read, read again as a stream, listed, cancelled, deleted."""

from __future__ import annotations

from anykey.conversation.failures import invalid
from anykey.exchange.responses.answers import EVENTS, Asking, Query, answer_headers, answered, not_found
from anykey.exchange.responses.background import BackgroundRun, replayed, running
from anykey.exchange.responses.expansion import input_of, output_of
from anykey.exchange.responses.frames import event
from anykey.exchange.responses.items import identified, list_page
from anykey.exchange.responses.native import forward
from anykey.storage.conversations import StoredItem
from anykey.storage.responses import BrokenChain, StoredResponse, delete_response, find_chain, find_response

RESPONSE = "Response"


@answered
async def retrieve(asking: Asking) -> bytes | None:
    """``GET /v1/responses/{id}``; with ``stream=true`` the events of a background response after ``starting_after``, live ones
    too. ``include`` is not needed: everything is there."""
    query = Query(asking.target.query)
    after, stream = query.number("starting_after"), query.flag("stream")
    after = -1 if after is None else max(after, -1)
    run = _run(asking)
    if run is not None:
        if not stream:
            return run.response
        await run.follow(asking.exchange, asking.reply, after, asking.gateway.keepalive_s)
        return None
    stored = await _stored(asking)
    if stored.deployment is not None:
        await forward(asking, stored, "GET")
        return None
    if not stream:
        return stored.response
    if not stored.background:
        raise invalid("only a response that was made with background can be streamed again", "stream")
    # A restart loses the events of a call under way; that it failed is still told.
    events = replayed(stored.events, after) if stored.events else event(b"response.failed", after + 1, stored.response)
    await asking.reply.start(200, answer_headers(asking.exchange, EVENTS))
    await asking.reply.write(events)
    await asking.reply.end()
    return None


@answered
async def cancel(asking: Asking) -> bytes | None:
    """``POST /v1/responses/{id}/cancel``: end a background call. One that has ended is told as it is."""
    run = _run(asking)
    if run is not None:
        await run.cancel()
        return run.response
    stored = await _stored(asking)
    if stored.deployment is not None:
        await forward(asking, stored, "POST", "/cancel")
        return None
    if not stored.background:
        raise invalid("only a response that was made with background can be cancelled", "id")
    return stored.response


@answered
async def delete(asking: Asking) -> bytes | None:
    """``DELETE /v1/responses/{id}``; a call under way is cancelled first."""
    run = _run(asking)
    if run is not None:
        await run.cancel()
    stored, memory = await _stored(asking), asking.memory
    told = stored.deployment is not None and await forward(asking, stored, "DELETE")
    await memory.shelf.change(delete_response, asking.key.id, stored.id, memory.now())
    if told:
        return None
    return b'{"id":"%b","object":"response","deleted":true}' % stored.id.encode()


@answered
async def input_items(asking: Asking) -> bytes | None:
    """``GET /v1/responses/{id}/input_items``: what the response was made from, earlier turns of its chain included."""
    page = Query(asking.target.query).page()
    stored = await _stored(asking)
    if stored.deployment is not None:
        await forward(asking, stored, "GET", "/input_items")
        return None
    memory = asking.memory
    chain = await memory.shelf.read(find_chain, asking.key.id, stored.id, memory.now())
    before = [] if isinstance(chain, BrokenChain) else chain[:-1]
    items = [item for earlier in before for item in (*_input(earlier), *_output(earlier))]
    return list_page(items + _input(stored), page)


def _input(stored: StoredResponse) -> list[StoredItem]:
    return identified(input_of(stored), f"{stored.id}:in")


def _output(stored: StoredResponse) -> list[StoredItem]:
    return identified(output_of(stored.response), f"{stored.id}:out")


def _run(asking: Asking) -> BackgroundRun | None:
    return running(asking.memory, asking.key.id, asking.target.id)


async def _stored(asking: Asking) -> StoredResponse:
    memory, response_id = asking.memory, asking.target.id
    stored = await memory.shelf.read(find_response, asking.key.id, response_id, memory.now())
    if stored is None:
        raise not_found(RESPONSE, response_id)
    return stored
