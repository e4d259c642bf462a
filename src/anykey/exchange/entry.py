"""A call of a key with rates is let in before it is routed, and leaves when it is settled, however it ends.

Tokens are reserved as for money (``foreseen``): the prompt as the body's length tells it, and the longest answer that the caller
allows, if he says. The usage puts that right. A call that had no answer used none.
"""

from __future__ import annotations

import math

from anykey.accounts.purse import Rate
from anykey.accounts.rates import Exceeded
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.exchange import Exchange
from anykey.exchange.foreseen import Foreseen, foresee
from anykey.exchange.gateway import Gateway

UNITS = {"requests": "requests per minute", "tokens": "tokens per minute", "concurrency": "calls at the same time"}
CODES = {"requests": "requests_per_minute", "tokens": "tokens_per_minute", "concurrency": "concurrency"}


async def enter(exchange: Exchange, gateway: Gateway) -> None:
    """Let the call in. FailureError 429: a rate of its key has no room for it now."""
    rates = exchange.key.purse.rates if exchange.key is not None and exchange.key.purse is not None else ()
    if not rates:
        return
    foreseen = exchange.foreseen = foresee(exchange) if _counts_tokens(rates) else None
    found = await gateway.limiter.take(rates, _tokens(foreseen))
    if (
        isinstance(found, Exceeded)
        and foreseen is not None
        and found.rate.unit == "tokens"
        and foreseen.count_exactly()
    ):
        found = await gateway.limiter.take(rates, _tokens(foreseen))
    exchange.rates = found.states
    if isinstance(found, Exceeded):
        raise FailureError(_too_fast(found))
    exchange.entry = found


def look(exchange: Exchange, gateway: Gateway) -> None:
    """How its key's rates stand, for a call that takes nothing of them: one that is refused before, or that generates nothing."""
    purse = exchange.key.purse if exchange.key is not None else None
    if purse is not None and purse.rates and not exchange.rates:
        exchange.rates = gateway.limiter.look(purse.rates)


def leave(exchange: Exchange, gateway: Gateway) -> None:
    """The call is over: what it held of its rates is free, and its tokens are those it used."""
    entry, exchange.entry = exchange.entry, None
    if entry is None:
        return
    reserved = entry.tokens if exchange.status == 200 else 0
    usage = exchange.usage
    gateway.limiter.leave(entry, usage.total_input() + usage.total_output() if usage is not None else reserved)


def _counts_tokens(rates: tuple[Rate, ...]) -> bool:
    for rate in rates:  # noqa: SIM110 - a generator costs more than what it looks at
        if rate.unit == "tokens":
            return True
    return False


def _tokens(foreseen: Foreseen | None) -> int:
    return 0 if foreseen is None else (foreseen.prompt + (foreseen.output or 0)) * foreseen.copies


def _too_fast(found: Exceeded) -> Failure:
    rate = found.rate
    wait_s = found.wait_ms / 1000
    message = (
        f"The {rate.owner_kind} {rate.owner!r} has reached its limit of {rate.limit} {UNITS[rate.unit]} "
        f"({found.used} in use). There is room again in {math.ceil(wait_s)} s."
    )
    code = f"{rate.owner_kind}_{CODES[rate.unit]}"
    return Failure("rate_limited", message, code=code, retry_after_s=wait_s)
