"""What a call may use at the most: its prompt, and the longest answer that its caller allows or its model can give.

The prompt is bounded by the length of the body, which costs nothing to know, unless a medium may be named in it, whose tokens
have nothing to do with the length of its name. Only for that, or a purse that has no room for the bound, is it worth the quarter
of a millisecond in which the body is gone through, and pictures are counted as what they cost.
"""

from __future__ import annotations

from collections.abc import Iterable
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
FILE_TOKENS = 100_000
"""Of a document, sound or film that a call names and does not bring: what sixty pages or so come to."""
LONGEST_SEARCHED = 1024 * 1024
"""Bytes; the bound of a longer body is more than what it can name comes to, and searching it would hold others up."""
_SLACK_PERCENT = 110
_MARKS, _GOOGLES_MARKS = (b'url"', b'file_id"'), (b'eUri"', b'_uri"')
"""Ends of the names of fields that name a medium."""
_ESCAPE = b"\\u00"
"""How a field's name may begin to be written another way."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Configured(msgspec.Struct):
    """Gemini's ``generationConfig``, in both spellings that it takes."""

    maxOutputTokens: Any = None  # noqa: N815 - the wire's name, as below
    max_output_tokens: Any = None
    candidateCount: Any = None  # noqa: N815 - the wire's name
    candidate_count: Any = None


class _Body(msgspec.Struct):
    generationConfig: _Configured | None = None  # noqa: N815 - the wire's name
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
        bound, self.prompt = self.prompt, min(self.prompt, _counted(self.exchange.body))
        return self.prompt < bound

    def tokens(self, step: PlanStep, gateway: Gateway, assumed: int) -> tuple[int, int]:
        """(input tokens, output tokens) at ``step``; ``assumed``: of a model whose limit nobody knows."""
        provider = gateway.snapshot.by_name.get(step.endpoint.provider)
        facts = None if provider is None else facts_of(gateway.snapshot, provider, step.deployment.model)
        known = None if facts is None else facts.max_output_tokens
        output = min(self.output or known or assumed, known or MOST_TOKENS)
        return self.prompt * self.copies, output * self.copies


def foresee(exchange: Exchange) -> Foreseen:
    """What is known of a call before its body is gone through; at once where that may name a picture or a file."""
    body = exchange.body
    output, copies = _said(exchange)
    if _may_name(body, _GOOGLES_MARKS if exchange.codec.name == "gemini_generate" else _MARKS):
        return Foreseen(exchange, _counted(body), output, copies, exact=True)
    bound = -(-len(body) * _SLACK_PERCENT // (BYTES_PER_TOKEN * 100))
    return Foreseen(exchange, bound, output, copies)


def _may_name(body: bytes, marks: tuple[bytes, bytes]) -> bool:
    if len(body) > LONGEST_SEARCHED:
        return False
    return marks[0] in body or marks[1] in body or (b"\\" in body and _ESCAPE in body)


def _counted(body: bytes) -> int:
    facts = read_body(body)
    return facts.tokens + FILE_TOKENS * facts.named


def _said(exchange: Exchange) -> tuple[int | None, int]:
    """(the most tokens of an answer, the number of answers) as the caller says; what is no such number is as if not said."""
    if exchange.codec.name == "gemini_generate":
        try:
            body = _body.decode(exchange.body)
        except _UNREADABLE:
            return None, 1
        said = [one for one in (body.generationConfig, body.generation_config) if one is not None]
        output = [value for one in said for value in (one.maxOutputTokens, one.max_output_tokens)]
        copies = [value for one in said for value in (one.candidateCount, one.candidate_count)]
        return _largest(output, MOST_TOKENS), _largest(copies, MOST_COPIES) or 1
    peek = exchange.peek
    if peek is None or not (peek.max_completion_tokens or peek.max_output_tokens or peek.max_tokens or peek.n):
        return None, 1
    allowed = (_read(peek.max_completion_tokens), _read(peek.max_output_tokens), _read(peek.max_tokens))
    return _largest(allowed, MOST_TOKENS), _largest((_read(peek.n),), MOST_COPIES) or 1


def _read(said: msgspec.Raw) -> Any:
    if not said:
        return None
    try:
        return _number.decode(said)
    except _UNREADABLE:
        return None


def _largest(values: Iterable[Any], most: int) -> int | None:
    """The largest of the numbers that can be meant, for which of a limit's names an upstream heeds is its own affair; None:
    there is none."""
    return max([found for value in values if (found := _bounded(value, most)) is not None], default=None)


def _bounded(value: Any, most: int) -> int | None:
    """A number that can be meant, written as a text too, as some upstreams take it; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return min(value, most) if type(value) is int and value > 0 else None
