"""Which deployment a conversation belongs to: the one that made the reasoning state it carries.

State is bound to the account, and often to the model, that made it. So where a plan has a choice, a call that carries state goes
first to its maker. An envelope names the maker itself; for raw state the maker is remembered by a mark of the conversation, for
as many conversations as fit. A plan with a single step is not looked at.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from anykey.exchange.exchange import Exchange
from anykey.exchange.state import may_carry_state
from anykey.protocols.codec import Headers, header
from anykey.protocols.envelope import holds_envelope, newest_maker
from anykey.routing.plan import Plan, PlanStep

MOST_CONVERSATIONS = 4096
SESSION_HEADERS = (b"x-claude-code-session-id", b"session-id", b"x-session-id", b"session_id", b"thread-id")
"""Where client programs name the conversation (clients-cli.md, "Cross-client rules")."""
_LONGEST_MARK = 512
_MOST_PIECES = 1_000_000
"""Commas of a conversation; one with more is not looked into, for its pieces may be so many that they hold the gateway up."""


class Turn(NamedTuple):
    """A step of a plan, at its turn. ``foreign_state``: another provider than the step's made the state that the call carries."""

    step: PlanStep
    foreign_state: bool = False


class Affinity:
    """(key id, mark of the conversation) → id of the deployment that answered last, the least recently used forgotten."""

    __slots__ = ("_homes", "_secret")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._homes: OrderedDict[tuple[str, str], str] = OrderedDict()

    def order(self, exchange: Exchange, plan: Plan) -> Iterator[Turn]:
        """The plan's steps, the conversation's home first: the maker of the call's state, or where the plan is sticky whoever
        answered last. They are looked at one by one, but for a home that comes late."""
        carries = False if plan.single else _carries_state(exchange)
        home = self._home(exchange) if carries or (plan.sticky and not plan.single) else None
        if home is None:
            for step in plan.steps:
                yield Turn(step)
            return
        provider = home.partition("/")[0]
        for step in plan.steps:
            if step.deployment.id == home:
                yield Turn(step)
        for step in plan.steps:
            if step.deployment.id != home:
                yield Turn(step, carries and step.endpoint.provider != provider)

    def remember(self, exchange: Exchange, plan: Plan, step: PlanStep) -> None:
        """``step`` has answered. Raw state must be remembered, and what a sticky plan wants, and only where there is a choice."""
        if plan.single or exchange.key is None or not (plan.sticky or step.endpoint.protocol == exchange.codec.name):
            return
        mark = conversation_mark(exchange.headers, exchange.body)
        if mark is not None:
            place = (exchange.key.id, mark)
            self._homes[place] = step.deployment.id
            self._homes.move_to_end(place)
            if len(self._homes) > MOST_CONVERSATIONS:
                self._homes.popitem(last=False)

    def roll(self, exchange: Exchange, plan: Plan) -> float | None:
        """A number in [0, 1) that is the same for every turn of a conversation: its prompt cache and its state belong to one of
        a provider's accounts. None where neither state nor a sticky plan asks for that, or nothing marks the conversation."""
        if exchange.key is None or not (plan.sticky or _carries_state(exchange)):
            return None
        mark = conversation_mark(exchange.headers, exchange.body)
        if mark is None:
            return None
        digest = hashlib.sha256(f"{exchange.key.id}\0{mark}".encode(errors="replace")).digest()
        return int.from_bytes(digest[:6]) / 2**48

    def _home(self, exchange: Exchange) -> str | None:
        """The id of the deployment that made the state of this call, or that answered the conversation last."""
        if holds_envelope(exchange.body):
            maker = newest_maker(exchange.body, self._secret)
            return maker.deployment if maker else None
        if exchange.key is None:
            return None
        mark = conversation_mark(exchange.headers, exchange.body)
        return None if mark is None else self._homes.get((exchange.key.id, mark))


def _carries_state(exchange: Exchange) -> bool:
    return holds_envelope(exchange.body) or may_carry_state(exchange.body, exchange.codec.name)


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Head(msgspec.Struct):
    """What marks a conversation, in whichever protocol."""

    prompt_cache_key: str | None = None
    metadata: _Metadata | None = None
    messages: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    contents: msgspec.Raw = msgspec.Raw()


class _Piece(msgspec.Struct):
    text: str | None = None


class _Said(msgspec.Struct):
    role: str | None = None
    content: list[_Piece] | str | None = None
    parts: list[_Piece] | None = None


_head_decoder = msgspec.json.Decoder(_Head)
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw] | str | None)
_said_decoder = msgspec.json.Decoder(_Said)


def conversation_mark(headers: Headers, body: bytes) -> str | None:
    """The same text at every turn of a conversation: its session's id, else its cache key or user id, else a hash of what the
    user said first. None where nothing tells."""
    for name in SESSION_HEADERS:
        value = header(headers, name)
        if value:
            return value.decode("latin-1")[:_LONGEST_MARK]
    try:
        head = _head_decoder.decode(body)
        named = head.prompt_cache_key or (head.metadata.user_id if head.metadata else None)
        if named:
            return named[:_LONGEST_MARK]
        said = _first_words(head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return hashlib.sha256(said.encode(errors="replace")).hexdigest() if said else None


def _first_words(head: _Head) -> str:
    """The texts of the first message of the user. Marks for a prompt cache, which move from turn to turn, are left out."""
    items = next(filter(None, map(_items_of, (head.messages, head.contents, head.input))), ())
    if isinstance(items, str):
        return items
    for raw in items:
        said = _said_decoder.decode(raw)
        if said.role == "user":
            content = said.content or said.parts or ""
            return content if isinstance(content, str) else "\n".join(piece.text or "" for piece in content)
    return ""


def _items_of(raw: msgspec.Raw) -> list[msgspec.Raw] | str | None:
    if len(memoryview(raw)) > _MOST_PIECES and bytes(raw).count(b",") > _MOST_PIECES:
        return None
    return _items_decoder.decode(raw) if raw else None
