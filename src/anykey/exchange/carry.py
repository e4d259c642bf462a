"""What a crossing carries of the model's reasoning from turn to turn: its state (``state``), and its text for upstreams that want
that back (``reasoning_memory``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from anykey.conversation import events as ev
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.exchange.exchange import Exchange
from anykey.exchange.reasoning_memory import (
    ReasoningListener,
    ReasoningMemory,
    Recollection,
    demands_echo,
    refill_request,
)
from anykey.exchange.state import Opened, Sealer, open_states
from anykey.exchange.unthought import go_on_without
from anykey.protocols.envelope import Maker
from anykey.routing.plan import PlanStep

_TEXT: frozenset[type] = frozenset({ev.TextDelta, ev.ArgumentsDelta, ev.RefusalDelta})
_ALL_TEXT = _TEXT | {ev.ReasoningDelta}


class Carry(NamedTuple):
    """``secret`` seals envelopes. ``strip``: why this attempt sends no state at all; ``""`` where it may."""

    secret: bytes
    memory: ReasoningMemory
    strip: str = ""

    def request(self, exchange: Exchange, step: PlanStep, request: GenerateRequest, dialect: Any) -> Opened:
        """``request`` with the state its upstream can read and the reasoning text it demands."""
        opened = open_states(request, exchange.codec.name, _maker(step), self.secret, strip=self.strip)
        if self.strip or exchange.codec.name != step.endpoint.protocol:
            opened = go_on_without(opened, dialect)
        if demands_echo(dialect) and exchange.key is not None:
            # Nobody is the maker of what is sealed where no state may go.
            provider = "" if self.strip else step.endpoint.provider
            own = Recollection(self.memory, exchange.key.id, provider)
            refilled = refill_request(opened.request, dialect, own)
            sealed = refilled is not opened.request and dialect.encrypted_content and not self.strip
            return opened._replace(request=refilled, carries=opened.carries or sealed)
        return opened

    def answer(self, exchange: Exchange, step: PlanStep, dialect: Any) -> AnswerState:
        """For the answer of one attempt."""
        client = exchange.codec.name
        sealer = Sealer(client, _maker(step), self.secret) if client != step.endpoint.protocol else None
        return AnswerState(sealer, self.listener(exchange, step, dialect))

    def listener(self, exchange: Exchange, step: PlanStep, dialect: Any) -> ReasoningListener | None:
        """Who remembers what the answer thinks; None where nobody will want it back, or the client keeps it itself."""
        if not demands_echo(dialect) or exchange.key is None:
            return None
        body = exchange.body
        kept = b'"encrypted_content"' if dialect.encrypted_content else b'"reasoning_content"'
        if b'"tools"' not in body or kept in body:
            return None
        return ReasoningListener(Recollection(self.memory, exchange.key.id, step.endpoint.provider))


class AnswerState:
    """Seals and remembers while an answer passes. Events of the types in ``passing`` need not be shown."""

    __slots__ = ("_listener", "_sealer", "passing")

    def __init__(self, sealer: Sealer | None, listener: ReasoningListener | None) -> None:
        self._sealer = sealer
        self._listener = listener
        reads = listener is not None or (sealer is not None and sealer.reads_text)
        self.passing = _TEXT if reads else _ALL_TEXT

    def event(self, event: ev.StreamEvent) -> ev.StreamEvent:
        """``event`` as the client may see it."""
        if self._listener is not None:
            self._listener.event(event)
        return event if self._sealer is None else self._sealer.event(event)

    def response(self, answer: GenerateResponse) -> GenerateResponse:
        """The same for a whole answer."""
        if self._listener is not None:
            self._listener.response(answer)
        return answer if self._sealer is None else self._sealer.response(answer)


def _maker(step: PlanStep) -> Maker:
    return Maker(step.endpoint.protocol, step.endpoint.provider, step.deployment.id)
