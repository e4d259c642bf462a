"""Puts what was said earlier into the input: chains of responses, conversations, items named by their ids.

``instructions``, tools and all other options are not inherited, as at OpenAI: they belong to one request.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.exchange.gateway import Gateway
from anykey.exchange.responses.asked import Asked, read_asked
from anykey.exchange.responses.frames import Fields
from anykey.exchange.responses.items import identified, items_of, json_list, reference_of
from anykey.exchange.responses.memory import ResponseMemory
from anykey.storage.conversations import find_conversation, find_items
from anykey.storage.responses import UNFINISHED, BrokenChain, StoredResponse, find_chain, find_item_home

LARGEST_INPUT = 64 * 1024 * 1024
"""Bytes of input that are put together; it must also be sent."""
STATE_FIELDS = ("previous_response_id", "conversation", "background")


class Prepared(NamedTuple):
    """``fields`` are the request's with everything said before in ``input`` and nothing left to look up. ``added`` are the
    items that this request adds, references replaced by what they refer to."""

    fields: Fields
    added: list[bytes]


class _Output(msgspec.Struct):
    output: list[msgspec.Raw] = []


async def expand(body: bytes, key: ApiKey, gateway: Gateway) -> bytes:
    """``body`` with everything it refers to in its input; the same object where it refers to nothing.

    FailureError: what it refers to is not there for ``key``.
    """
    asked = read_asked(body)
    if asked is None or not asked.continues:
        return body
    return msgspec.json.encode((await prepare(body, asked, key, gateway)).fields)


async def prepare(body: bytes, asked: Asked, key: ApiKey, gateway: Gateway) -> Prepared:
    """Look up what the request continues. FailureError as in ``expand``."""
    fields = msgspec.json.decode(body, type=Fields)
    added = items_of(fields.get("input"))
    history: list[bytes] = []
    if asked.continues:
        memory = switched_on(gateway)
        if asked.references:
            added = await _dereferenced(added, key, memory)
        if asked.previous_response_id is not None:
            history = _told(await _chain(asked.previous_response_id, key, memory))
        elif asked.conversation is not None:
            history = await _conversation(asked.conversation, key, memory)
    for name in STATE_FIELDS:
        fields.pop(name, None)
    if asked.continues:
        if sum(map(len, history)) > LARGEST_INPUT:
            raise FailureError(Failure("too_large", f"What came before is larger than {LARGEST_INPUT} bytes."))
        fields["input"] = msgspec.Raw(json_list([*map(_without_dead_id, history), *added]))
    return Prepared(fields, added)


def switched_on(gateway: Gateway) -> ResponseMemory:
    """The memory. FailureError 400: the operator does not want it."""
    if gateway.memory is None or not gateway.memory.enabled:
        message = "This gateway keeps no responses: its setting [responses] store is false. Send the whole conversation as input."
        raise FailureError(Failure("invalid_request", message, code="state_disabled"))
    return gateway.memory


def output_of(response: bytes) -> list[bytes]:
    """The output items of a response object."""
    try:
        return [bytes(item) for item in msgspec.json.decode(response, type=_Output).output]
    except msgspec.DecodeError:
        return []


def input_of(stored: StoredResponse) -> list[bytes]:
    """The items that the request of a response added."""
    return items_of(msgspec.Raw(stored.input)) if stored.input else []


def _told(chain: list[StoredResponse]) -> list[bytes]:
    return [item for stored in chain for item in (*input_of(stored), *output_of(stored.response))]


async def _chain(response_id: str, key: ApiKey, memory: ResponseMemory) -> list[StoredResponse]:
    chain = await memory.shelf.read(find_chain, key.id, response_id, memory.now())
    if isinstance(chain, BrokenChain):
        message = f"Previous response with id '{chain.missing}' not found."
        failure = Failure("invalid_request", message, param="previous_response_id", code="previous_response_not_found")
        raise FailureError(failure)
    last = chain[-1]
    outside = next((stored for stored in chain if stored.deployment is not None), None)
    if outside is not None:
        place = f"kept by '{outside.deployment}' itself and can only be continued there"
        raise invalid(f"the response '{outside.id}' is {place}", "previous_response_id")
    if last.status in UNFINISHED:
        raise invalid(f"the response '{response_id}' is still {last.status}", "previous_response_id")
    if last.conversation_id is not None:
        place = f"the conversation '{last.conversation_id}'; continue it with conversation"
        raise invalid(f"the response '{response_id}' belongs to {place}", "previous_response_id")
    return chain


async def _conversation(conversation_id: str, key: ApiKey, memory: ResponseMemory) -> list[bytes]:
    if await memory.shelf.read(find_conversation, key.id, conversation_id, memory.now()) is None:
        message = f"Conversation with id '{conversation_id}' not found."
        raise FailureError(Failure("not_found", message, param="conversation"))
    return [item.item for item in await memory.shelf.read(find_items, key.id, conversation_id)]


async def _dereferenced(items: list[bytes], key: ApiKey, memory: ResponseMemory) -> list[bytes]:
    """The items with references replaced by what they refer to."""
    homes: dict[str, bytes] = {}
    found: list[bytes] = []
    for item in items:
        item_id = reference_of(item)
        if item_id is None:
            found.append(item)
            continue
        if item_id not in homes:
            home = await memory.shelf.read(find_item_home, key.id, item_id, memory.now())
            homes |= items_by_id(home) if home is not None else {}
        if item_id not in homes:
            raise FailureError(Failure("not_found", f"Item with id '{item_id}' not found.", param="input"))
        found.append(homes[item_id])
    return found


def items_by_id(stored: StoredResponse) -> dict[str, bytes]:
    """All items of a response, its request's first."""
    listed = identified(input_of(stored), f"{stored.id}:in") + identified(
        output_of(stored.response), f"{stored.id}:out"
    )
    return {item.id: item.item for item in listed}


class _Reasoning(msgspec.Struct):
    type: str | None = None
    encrypted_content: str | None = None


def _without_dead_id(item: bytes) -> bytes:
    """A reasoning item without its state loses its id: an upstream would look for it in a store of its own, in vain."""
    if b'"reasoning"' not in item:
        return item
    known = msgspec.json.decode(item, type=_Reasoning)
    if known.type != "reasoning" or known.encrypted_content:
        return item
    fields = msgspec.json.decode(item, type=Fields)
    fields.pop("id", None)
    return msgspec.json.encode(fields)
