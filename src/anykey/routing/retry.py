"""When a failed call may be made again, at the same deployment or at the next one, and how much of that a gateway may do."""

from __future__ import annotations

from anykey.conversation.failures import Failure
from anykey.routing.tree import Retry

BUDGET_SHARE = 0.2
BUDGET_LEAST = 3
"""Retries that may be under way however few calls are (Envoy's retry budget: 20 %, 3)."""
BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 2.0
MOST_ATTEMPTS = 8
"""Upstream calls for one client call, whatever is configured."""

_AS_STATUS: dict[str, frozenset[int]] = {
    "upstream_timeout": frozenset({408, 504}),
    "upstream_error": frozenset({500, 502}),
    "unavailable": frozenset({503}),
    "overloaded": frozenset({503, 529}),
    "rate_limited": frozenset({429}),
}
"""What a failure counts as that came without an HTTP status, or under a 200."""


def may_retry(under_way: int, retrying: int) -> bool:
    """One more of the `under_way` calls may be a retry, while `retrying` of them are."""
    return retrying < max(BUDGET_LEAST, BUDGET_SHARE * under_way)


def backoff_s(retries: int, roll: float) -> float:
    """How long to wait before the retry after so many: BACKOFF_FIRST_S doubling to BACKOFF_MOST_S, of which `roll` in [0, 1)
    takes up to half away, so that calls which failed together do not come back together."""
    return min(BACKOFF_FIRST_S * 2**retries, BACKOFF_MOST_S) * (1 - roll / 2)


def wants_retry(retry: Retry | None, failure: Failure, retries: int) -> bool:
    """The same deployment is to be asked again after `failure`, by what is configured for it."""
    if retry is None or retries >= retry.attempts:
        return False
    return has_status(failure, retry.on_status) if retry.on_status else failure.retryable


def has_status(failure: Failure, statuses: frozenset[int]) -> bool:
    """The upstream answered with one of the statuses, or failed in a way that such a status stands for."""
    status = failure.upstream_status
    if status is not None and status >= 400:
        return status in statuses
    return not statuses.isdisjoint(_AS_STATUS.get(failure.kind, frozenset()))
