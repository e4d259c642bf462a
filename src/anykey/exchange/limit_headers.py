"""What an answer tells of its key's limits: in the words of the client's own protocol, and in ours.

OpenAI's SDKs and programs read ``x-ratelimit-*``, whose reset is a duration (``1m30s``, ``250ms``); Anthropic's read
``anthropic-ratelimit-*``, whose reset is a time (RFC 3339). Ours are the same for everybody: resets in seconds, and of money a
time. We have one limit for tokens, whichever way they go, so Anthropic's input and output tokens are told the same numbers. Of
several limits of a kind the one that is nearest to its end is told. A rate is reset when all of it is free again.

All this is on every answer to such a key, so names are spelled once, and texts are kept while they repeat: calls of one moment
have the same resets, and those that were held together the same amounts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from anykey.accounts.amounts import usd_text
from anykey.accounts.rates import RateState
from anykey.exchange.exchange import Exchange
from anykey.exchange.paying import Hold
from anykey.exchange.ports import Headers
from anykey.storage.charges import BudgetState

TEXTS_KEPT = 512
_TOLD = ("limit", "remaining", "reset")
_UNITS = ("requests", "tokens", "concurrency")
_SPELLED = {"requests": ("requests",), "tokens": ("tokens", "input-tokens", "output-tokens")}

# The names of a rate's limit, what remains of it, and its reset.
_OURS = {unit: tuple(f"x-anykey-ratelimit-{what}-{unit}".encode() for what in _TOLD) for unit in _UNITS}
_OPENAI = {unit: tuple(f"x-ratelimit-{what}-{unit}".encode() for what in _TOLD) for unit in _UNITS}
_ANTHROPIC = {
    unit: [tuple(f"anthropic-ratelimit-{name}-{what}".encode() for what in _TOLD) for name in names]
    for unit, names in _SPELLED.items()
}


def limit_headers(exchange: Exchange) -> Headers:
    """The headers that tell of the rates, the tightest budget and the credit which the call was let in or refused by. None where
    its key has none."""
    told: Headers = ()
    if exchange.rates:
        told = _rate_headers(exchange)
    return told if exchange.hold is None else told + _money_headers(exchange.hold)


def _rate_headers(exchange: Exchange) -> Headers:
    told: list[tuple[bytes, bytes]] = []
    protocol = exchange.codec.name
    for state in _tightest(exchange.rates):
        rate, _, reset_ms = state
        limit, remaining = b"%d" % rate.limit, b"%d" % state.remaining
        of_limit, of_remaining, of_reset = _OURS[rate.unit]
        told += ((of_limit, limit), (of_remaining, remaining))
        if rate.unit == "concurrency":
            continue
        told.append((of_reset, _seconds(reset_ms)))
        if protocol == "anthropic_messages":
            when = rfc3339(exchange.at_ms + reset_ms)
            for of_limit, of_remaining, of_reset in _ANTHROPIC[rate.unit]:
                told += ((of_limit, limit), (of_remaining, remaining), (of_reset, when))
        elif protocol != "gemini_generate":
            of_limit, of_remaining, of_reset = _OPENAI[rate.unit]
            told += ((of_limit, limit), (of_remaining, remaining), (of_reset, duration(reset_ms)))
    return tuple(told)


def _money_headers(hold: Hold) -> Headers:
    """Amounts in USD, exact. A budget's reset is when some of it is free again; a lifetime quota has none."""
    refused, opened = hold.refused, hold.opened
    told: list[tuple[bytes, bytes]] = []
    state = refused.state if refused is not None else _scarcest(opened.budgets) if opened is not None else None
    if state is not None:
        budget = state.budget
        told = [
            (b"x-anykey-budget-name", f"{budget.owner_kind}:{budget.period}".encode()),
            (b"x-anykey-budget-limit", _usd(budget.limit_nano)),
            (b"x-anykey-budget-remaining", _usd(_left(state))),
        ]
        if state.resets_ms is not None:
            told.append((b"x-anykey-budget-reset", rfc3339(state.resets_ms)))
    credit_nano = opened.credit_nano if opened is not None else None
    if refused is not None and refused.credit:
        credit_nano = refused.available_nano
    if credit_nano is not None:
        told.append((b"x-anykey-credit-remaining", _usd(credit_nano)))
    return tuple(told)


def _tightest(states: Iterable[RateState]) -> list[RateState]:
    """Of each unit the state with the least room."""
    found: dict[str, RateState] = {}
    for state in states:
        known = found.get(state.rate.unit)
        if known is None or state.remaining < known.remaining:
            found[state.rate.unit] = state
    return list(found.values())


def _scarcest(states: Iterable[BudgetState]) -> BudgetState | None:
    return min(states, key=_left, default=None)


def _left(state: BudgetState) -> int:
    """Nano-USD that nobody spent and nothing holds."""
    return max(state.budget.limit_nano - state.spent_nano - state.held_nano, 0)


@lru_cache(TEXTS_KEPT)
def _usd(nano: int) -> bytes:
    return usd_text(nano).encode()


@lru_cache(TEXTS_KEPT)
def _seconds(ms: int) -> bytes:
    return b"%d" % math.ceil(ms / 1000)


@lru_cache(TEXTS_KEPT)
def duration(ms: int) -> bytes:
    """A duration as OpenAI writes it: ``250ms``, ``8.64s``, ``6m0s``."""
    if 0 < ms < 1000:
        return b"%dms" % ms
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    return (f"{minutes}m{seconds}s" if minutes else f"{seconds}s").encode()


def rfc3339(at_ms: int) -> bytes:
    """A moment as Anthropic writes it: whole seconds, UTC, never too early."""
    return _moment(math.ceil(at_ms / 1000))


@lru_cache(TEXTS_KEPT)
def _moment(at_s: int) -> bytes:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
