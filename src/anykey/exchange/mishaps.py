"""How an attempt ends without an answer: what the upstream said, or what the network did, as a Failure."""

from __future__ import annotations

import logging
import re

import msgspec

from anykey.conversation.failures import Failure
from anykey.protocols.codec import HttpReply
from anykey.protocols.http_errors import account_fault
from anykey.routing.plan import PlanStep
from anykey.upstream.failures import (
    BodyTooLarge,
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    FirstByteTimeout,
    FramingBroken,
    HeadersTooLarge,
    IdleTimeout,
    NameNotResolved,
    ProxyFailed,
    TlsFailed,
    TotalTimeout,
    UpstreamError,
)

log = logging.getLogger(__name__)

TIMEOUTS = (ConnectTimeout, FirstByteTimeout, IdleTimeout, TotalTimeout)
NETWORK: dict[type[UpstreamError], str] = {
    NameNotResolved: "has an address that cannot be resolved",
    ConnectFailed: "cannot be reached",
    ConnectTimeout: "could not be reached in time",
    TlsFailed: "has no certificate that can be trusted",
    ProxyFailed: "cannot be reached through the proxy",
    FirstByteTimeout: "did not begin to answer in time",
    IdleTimeout: "fell silent in the middle of the call",
    TotalTimeout: "took too long to answer",
    ConnectionLost: "closed the connection before its answer was complete",
    FramingBroken: "broke the rules of HTTP in its answer",
    HeadersTooLarge: "sent too many headers",
    BodyTooLarge: "sent an answer that is too large",
}
"""What a client is told; the log has host and port too."""
NOT_SENT = (NameNotResolved, ConnectFailed, ConnectTimeout, TlsFailed, ProxyFailed)
"""After these the upstream knows nothing of the call, and charges nothing for it."""
ELSEWHERE = frozenset({"upstream_refused_credential", "quota_exhausted", "model_not_found", "not_found"})
"""Failures that are final for one deployment and say nothing about the next."""

STATE_REFUSED = re.compile(
    r"signature|redacted_thinking|encrypted.?content|decrypt|thinking.{0,40}(block|bound|binding)"
    r"|reasoning.{0,80}(not found|without its required)|\brs_\w+.{0,40}not found",
    re.IGNORECASE | re.DOTALL,
)
"""How providers say that they cannot use the reasoning state they were sent (protocols part 3): it was altered, is another
account's, another conversation's or too old."""

EVENT_END = b"\n\n"
"""Goes before an in-band error where an event may be half relayed; else it is a blank line that no client minds."""


class AttemptFailed(Exception):
    """Nothing of this attempt's answer was relayed. ``spoken`` is the upstream's own error reply, for a client of the same
    protocol: clients repair themselves on the exact wording of a 400. ``state_refused``: the call carried reasoning state, and
    that is what the upstream did not take. ``token_refused``: it did not take the access token, and may take another.
    ``unsendable``: nothing was sent, since the request does not fit this deployment. ``unpaid``: nor could it be paid there.
    ``unknown``: nobody can say whether it was answered, and so whether it costs. ``step``: whose failure it is."""

    def __init__(self, failure: Failure, spoken: HttpReply | None = None, *, unsendable: bool = False) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.spoken = spoken
        self.state_refused = False
        self.token_refused = False
        self.step: PlanStep | None = None
        self.unsendable = unsendable
        self.unpaid = False
        self.unknown = False


def may_go_elsewhere(failure: Failure) -> bool:
    """Another deployment may succeed where this one failed."""
    return failure.retryable or failure.kind in ELSEWHERE


def refuses_state(failure: Failure) -> bool:
    """The upstream says that it cannot use the reasoning state it was sent. A stream may say so after HTTP 200."""
    about_the_request = failure.upstream_status in (400, 404, 422) or failure.kind == "invalid_request"
    return about_the_request and STATE_REFUSED.search(f"{failure.code} {failure.message}") is not None


def network_failure(error: UpstreamError, provider: str) -> Failure:
    """What the network did to a call, for the client: the provider's name, no host and no credential."""
    log.info("the provider %s: %s", provider, error)
    for kind, what in NETWORK.items():
        if isinstance(error, kind):
            return Failure(
                "upstream_timeout" if kind in TIMEOUTS else "upstream_error", f"The provider {provider} {what}."
            )
    return Failure("upstream_error", f"The call to the provider {provider} failed.")


def no_token(status: int) -> Failure:
    """The credential cannot be exchanged for a token (``status`` of who refused it), or nobody could say so just now."""
    if status >= 500:
        return Failure("upstream_error", "The access token for this provider could not be had.")
    kind = "upstream_refused_credential"
    return Failure(kind, account_fault(kind, None) or "", upstream_status=401, should_retry=False)


def cut_short(provider: str) -> Failure:
    """The upstream closed the stream cleanly, but not at its end."""
    return Failure("upstream_error", f"The provider {provider} ended the stream before the answer was complete.")


def is_cut(body: bytes) -> bool:
    """A body under HTTP 200 that is no answer is half of one, or nothing at all; else somebody else speaks."""
    text = body.strip()
    if text[:1] not in (b"", b"{", b"["):
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False


def unreadable(provider: str) -> Failure:
    """The upstream said 200 and sent something that is no answer of its protocol."""
    return Failure("upstream_error", f"The provider {provider} sent an answer that cannot be read.")
