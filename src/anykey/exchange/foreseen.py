"""What a call may use at the most: its prompt, and the longest answer that its caller allows or its model can give.

The prompt is bounded by the length of the body, which costs nothing to know; only a purse that has no room for that is worth the
quarter of a millisecond in which the body is gone through, and pictures are counted as what they cost.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.estimate import BYTES_PER_TOKEN
from anykey.exchange.body_facts import read_body
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.routing.plan import PlanStep
from anykey.routing.snapshot import facts_of

MOST_TOKENS = 10_000_000
"""No answer is longer, whatever the caller allows."""
MOST_COPIES = 128
"""Answers of one call; who asks for more is refused by everybody."""
_SLACK_PERCENT = 110
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Configured(msgspec.Struct):
    """Gemini's ``generationConfig``, in both spellings that it takes."""

    maxOutputTokens: Any = None  # noqa: N815 - the wire's name, as below
    max_output_tokens: Any = None
    candidateCount: Any = None  # noqa: N815
    candidate_count: Any = None


class _Body(msgspec.Struct):
    generationConfig: _Configured | None = None  # noqa: N815
    generation_config: _Configured | None = None


_body = msgspec.json.Decoder(_Body)
_number = msgspec.json.Decoder()


class Foreseen(msgspec.Struct):
    """``prompt`` is its bound until ``count_exactly``. ``output``: what the caller allows for each answer, None if he does not
    say; ``copies``: how many answers, each with a prompt of its own at the worst."""

    exchange: Exchange
    prompt: int
    output: int | None
    copies: int
    exact: bool = False

    def count_exactly(self) -> bool:
        """Go through the body. False: that was done before, or makes it no less."""
        if self.exact:
            return False
        self.exact = True
        bound, self.prompt = self.prompt, min(self.prompt, read_body(self.exchange.body).tokens)
        return self.prompt < bound

    def tokens(self, step: PlanStep, gateway: Gateway, assumed: int) -> tuple[int, int]:
        """(input tokens, output tokens) at ``step``; ``assumed``: of a model whose limit nobody knows."""
        provider = gateway.snapshot.by_name.get(step.endpoint.provider)
        facts = None if provider is None else facts_of(gateway.snapshot, provider, step.deployment.model)
        known = None if facts is None else facts.max_output_tokens
        output = min(self.output or known or assumed, known or MOST_TOKENS)
        return self.prompt * self.copies, output * self.copies


def foresee(exchange: Exchange) -> Foreseen:
    """What is known of a call before its body is gone through."""
    bound = -(-len(exchange.body) * _SLACK_PERCENT // (BYTES_PER_TOKEN * 100))
    output, copies = _said(exchange)
    return Foreseen(exchange, bound, output, copies)


def _said(exchange: Exchange) -> tuple[int | None, int]:
    """(the most tokens of an answer, the number of answers) as the caller says; what is no such number is as if not said."""
    if exchange.codec.name == "gemini_generate":
        try:
            body = _body.decode(exchange.body)
        except _UNREADABLE:
            return None, 1
        said = body.generationConfig or body.generation_config or _Configured()
        output, copies = said.maxOutputTokens or said.max_output_tokens, said.candidateCount or said.candidate_count
        return _bounded(output, MOST_TOKENS), _bounded(copies, MOST_COPIES) or 1
    peek = exchange.peek
    if peek is None:
        return None, 1
    output = _read(peek.max_completion_tokens) or _read(peek.max_output_tokens) or _read(peek.max_tokens)
    return _bounded(output, MOST_TOKENS), _bounded(_read(peek.n), MOST_COPIES) or 1


def _read(said: msgspec.Raw) -> Any:
    if not said:
        return None
    try:
        return _number.decode(said)
    except _UNREADABLE:
        return None


def _bounded(value: Any, most: int) -> int | None:
    """A number that can be meant; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return min(value, most) if type(value) is int and value > 0 else None
