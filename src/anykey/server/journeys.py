"""Which journey an operation is: its protocol, and the steps that answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from anykey.conversation.parts import ProtocolName
from anykey.exchange.counting import count_tokens
from anykey.exchange.exchange import Exchange
from anykey.exchange.explaining import answer_explain
from anykey.exchange.gateway import Gateway
from anykey.exchange.ports import Reply
from anykey.exchange.responses.answers import NOWHERE, Target, Verb
from anykey.exchange.responses.verbs import VERBS
from anykey.exchange.steps import generate
from anykey.server.paths import Operation, Route

Run = Callable[[Exchange, Reply, Gateway], Awaitable[None]]


class Journey(NamedTuple):
    """Whose client it is, and what answers it: never raises but CancelledError."""

    protocol: ProtocolName
    run: Verb


def _stateless(run: Run) -> Verb:
    """A journey that needs nothing of the URL but what the exchange says."""
    return lambda exchange, reply, gateway, _: run(exchange, reply, gateway)


STATEFUL: dict[tuple[Operation, str], str] = {
    ("responses", "POST"): "responses.create",
    ("compact", "POST"): "responses.compact",
    ("response", "GET"): "responses.retrieve",
    ("response", "DELETE"): "responses.delete",
    ("response_cancel", "POST"): "responses.cancel",
    ("response_items", "GET"): "responses.input_items",
    ("conversations", "POST"): "conversations.create",
    ("conversation", "GET"): "conversations.retrieve",
    ("conversation", "POST"): "conversations.update",
    ("conversation", "DELETE"): "conversations.delete",
    ("conversation_items", "POST"): "conversations.items.create",
    ("conversation_items", "GET"): "conversations.items.list",
    ("conversation_item", "GET"): "conversations.items.retrieve",
    ("conversation_item", "DELETE"): "conversations.items.delete",
}
"""(operation, method) → the verb of the stateful Responses."""

STATELESS: dict[tuple[Operation, str], Journey] = {
    ("chat", "POST"): Journey("openai_chat", _stateless(generate)),
    ("messages", "POST"): Journey("anthropic_messages", _stateless(generate)),
    ("count_tokens", "POST"): Journey("anthropic_messages", _stateless(count_tokens)),
    ("gemini", "POST"): Journey("gemini_generate", _stateless(generate)),
    ("gemini_count", "POST"): Journey("gemini_generate", _stateless(count_tokens)),
    ("explain", "POST"): Journey("openai_chat", _stateless(answer_explain)),
    ("input_tokens", "POST"): Journey("openai_responses", _stateless(count_tokens)),
}
GENERATING: frozenset[Operation] = frozenset({"chat", "messages", "gemini", "responses", "compact"})
"""What a model is asked by, and an ``Idempotency-Key`` counts for."""
JOURNEYS = STATELESS | {call: Journey("openai_responses", VERBS[verb]) for call, verb in STATEFUL.items()}
"""(operation, method) → what answers it."""


def target_of(route: Route, query: bytes) -> Target:
    """What the URL names of what is kept."""
    return Target(*route.ids, query=query) if route.ids or query else NOWHERE
