"""Strict calls: a request that an upstream could only be sent with a loss is refused, and every such loss is named.

The header ``x-anykey-strict: true`` makes one call strict, the key's own setting all of its calls. ``dropped`` and
``approximated`` losses refuse; ``emulated`` ones pass, because what the caller asked for is what he gets, only by other means (a
stop sequence that the gateway keeps, a tool that has another name upstream). A verbatim call loses nothing. Losses of the answer
cannot refuse it: it was made and paid for.
"""

from __future__ import annotations

from collections.abc import Iterable

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.conversation.losses import Loss
from anykey.exchange.exchange import Exchange
from anykey.protocols.codec import header

STRICT_HEADER = b"x-anykey-strict"
_WORDS = {b"": False, b"false": False, b"0": False, b"true": True, b"1": True}


def is_strict(exchange: Exchange) -> bool:
    """The call must lose nothing. FailureError (400) for a header value that is neither true nor false."""
    value = header(exchange.headers, STRICT_HEADER)
    asked = _WORDS.get((value or b"").strip().lower())
    if asked is None:
        raise invalid("expected true or false", STRICT_HEADER.decode())
    return asked or (exchange.key is not None and exchange.key.strict)


def refuse_losses(exchange: Exchange, losses: Iterable[Loss]) -> None:
    """FailureError (400) if the call is strict and its request lost something."""
    if not is_strict(exchange):
        return
    lost = [loss for loss in losses if loss.kind != "emulated"]
    if lost:
        told = "; ".join(f"{loss.path} ({loss.kind}): {loss.reason}" for loss in lost)
        message = f"The call is strict, and its request would not reach the model whole: {told}."
        raise FailureError(Failure("invalid_request", message, param=lost[0].path, code="strict", should_retry=False))
