"""What a Responses client can ask for, by the name of the operation."""

from __future__ import annotations

from collections.abc import Mapping

from anykey.exchange.responses.answers import Verb
from anykey.exchange.responses.compaction import compact
from anykey.exchange.responses.conversations import (
    create_conversation,
    create_items,
    list_items,
    remove_conversation,
    remove_item,
    retrieve_conversation,
    retrieve_item,
    update_conversation,
)
from anykey.exchange.responses.create import create
from anykey.exchange.responses.lookups import cancel, delete, input_items, retrieve

VERBS: Mapping[str, Verb] = {
    "responses.create": create,
    "responses.retrieve": retrieve,
    "responses.delete": delete,
    "responses.cancel": cancel,
    "responses.input_items": input_items,
    "responses.compact": compact,
    "conversations.create": create_conversation,
    "conversations.retrieve": retrieve_conversation,
    "conversations.update": update_conversation,
    "conversations.delete": remove_conversation,
    "conversations.items.create": create_items,
    "conversations.items.list": list_items,
    "conversations.items.retrieve": retrieve_item,
    "conversations.items.delete": remove_item,
}
