"""Which deployment a conversation belongs to: the one that made the reasoning state it carries.

State is bound to the account, and often to the model, that made it. So where a plan has a choice, a call that carries state goes
first to its maker. An envelope names the maker itself; for raw state the maker is remembered by a mark of the conversation, for
as many conversations as fit. A plan with a single step is not looked at.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
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


class Try(NamedTuple):
    """A step of a plan. ``foreign_state``: the state the call carries was made by another provider than the step's."""

    step: PlanStep
    foreign_state: bool = False


class Affinity:
    """(key id, mark of the conversation) → id of the deployment that answered last, the least recently used forgotten."""

    __slots__ = ("_homes", "_secret")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._homes: OrderedDict[tuple[str, str], str] = OrderedDict()

    def order(self, exchange: Exchange, plan: Plan) -> list[Try]:
        """The plan's steps, the maker of the call's state first."""
        home = self._home(exchange) if len(plan.steps) > 1 else None
        if home is None:
            return [Try(step) for step in plan.steps]
        provider = home.partition("/")[0]
        steps = sorted(plan.steps, key=lambda step: step.deployment.id != home)  # stable: the rest keep their order
        return [Try(step, step.endpoint.provider != provider) for step in steps]

    def remember(self, exchange: Exchange, plan: Plan, step: PlanStep) -> None:
        """``step`` has answered. Only raw state must be remembered, and only where there is a choice."""
        if len(plan.steps) == 1 or step.endpoint.protocol != exchange.codec.name or exchange.key is None:
            return
        mark = conversation_mark(exchange.headers, exchange.body)
        if mark is not None:
            place = (exchange.key.id, mark)
            self._homes[place] = step.deployment.id
            self._homes.move_to_end(place)
            if len(self._homes) > MOST_CONVERSATIONS:
                self._homes.popitem(last=False)

    def _home(self, exchange: Exchange) -> str | None:
        """The id of the deployment that made the state of this call."""
        if holds_envelope(exchange.body):
            maker = newest_maker(exchange.body, self._secret)
            return maker.deployment if maker else None
        if exchange.key is None or not may_carry_state(exchange.body, exchange.codec.name):
            return None
        mark = conversation_mark(exchange.headers, exchange.body)
        return None if mark is None else self._homes.get((exchange.key.id, mark))


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Head(msgspec.Struct):
    """What marks a conversation, in whichever protocol."""

    prompt_cache_key: str | None = None
    metadata: _Metadata | None = None
    messages: list[msgspec.Raw] | None = None
    input: list[msgspec.Raw] | str | None = None
    contents: list[msgspec.Raw] | None = None


class _Piece(msgspec.Struct):
    text: str | None = None


class _Said(msgspec.Struct):
    role: str | None = None
    content: list[_Piece] | str | None = None
    parts: list[_Piece] | None = None


_head_decoder = msgspec.json.Decoder(_Head)
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
        said = head.input if isinstance(head.input, str) else _first_words(head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return hashlib.sha256(said.encode(errors="replace")).hexdigest() if said else None


def _first_words(head: _Head) -> str:
    """The texts of the first message of the user. Marks for a prompt cache, which move from turn to turn, are left out."""
    items = head.input if isinstance(head.input, list) else None
    for raw in head.messages or head.contents or items or ():
        said = _said_decoder.decode(raw)
        if said.role == "user":
            content = said.content or said.parts or ""
            return content if isinstance(content, str) else "\n".join(piece.text or "" for piece in content)
    return ""
