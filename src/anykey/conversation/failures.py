"""A Failure says what went wrong, whose fault it is and whether trying again can help, before any protocol spells it."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import Json

Fault = Literal["caller", "upstream", "gateway"]
FailureKind = Literal[
    "invalid_request",
    "context_too_long",
    "content_blocked",
    "authentication",
    "payment_required",
    "permission",
    "not_found",
    "model_not_found",
    "method_not_allowed",
    "request_timeout",
    "conflict",
    "too_large",
    "unprocessable",
    "rate_limited",
    "quota_exhausted",
    "client_gone",
    "internal",
    "upstream_error",
    "upstream_refused_credential",
    "upstream_timeout",
    "unavailable",
    "overloaded",
]

_CALLER: frozenset[str] = frozenset(
    {
        "invalid_request",
        "context_too_long",
        "content_blocked",
        "authentication",
        "payment_required",
        "permission",
        "not_found",
        "model_not_found",
        "method_not_allowed",
        "request_timeout",
        "conflict",
        "too_large",
        "unprocessable",
        "client_gone",
    }
)
_RETRYABLE: frozenset[str] = frozenset(
    {
        "request_timeout",
        "conflict",
        "rate_limited",
        "upstream_error",
        "upstream_timeout",
        "unavailable",
        "overloaded",
    }
)


class Failure(msgspec.Struct, frozen=True):
    """``message`` is for the caller, in English. ``param`` names the field at fault. ``code`` is the upstream's own code
    when it helps the caller (``context_length_exceeded``). ``upstream_status`` is what the upstream answered, None when it
    answered nothing. ``should_retry`` False tells a client's SDK to give up at once, True to go on, None leaves it to it.
    ``detail`` is the upstream's error object for callers of the same protocol. ``of_model``: what is used up belongs to this
    one model or endpoint of the upstream, not to the whole account."""

    kind: FailureKind
    message: str
    param: str | None = None
    code: str | None = None
    retry_after_s: float | None = None
    upstream_status: int | None = None
    should_retry: bool | None = None
    detail: Json | None = None
    of_model: bool = False

    @property
    def fault(self) -> Fault:
        if self.kind in _CALLER:
            return "caller"
        return "gateway" if self.kind == "internal" else "upstream"

    @property
    def retryable(self) -> bool:
        """Another attempt, at this or another deployment, may succeed (as long as no byte was relayed)."""
        return self.kind in _RETRYABLE


class FailureError(Exception):
    """Carries a Failure up to where a reply can still be written."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def invalid(message: str, param: str | None = None) -> FailureError:
    """The caller's request is at fault: ``raise invalid("must be a number", "temperature")``."""
    return FailureError(Failure("invalid_request", message if param is None else f"{param}: {message}", param=param))
