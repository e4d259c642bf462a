"""When the same is asked again, and when the next."""

import pytest

from anykey.conversation.failures import Failure
from anykey.routing.retry import BACKOFF_FIRST_S, BACKOFF_MOST_S, backoff_s, has_status, may_retry, wants_retry
from anykey.routing.tree import Retry

DOWN = Failure("upstream_error", "x", upstream_status=500)


@pytest.mark.parametrize(
    ("under_way", "retrying", "may"),
    [(0, 2, True), (0, 3, False), (15, 2, True), (15, 3, False), (100, 19, True), (100, 20, False)],
)
def test_a_fifth_of_the_calls_may_be_retries_and_three_always(under_way: int, retrying: int, may: bool) -> None:
    assert may_retry(under_way, retrying) is may


def test_backing_off_doubles_to_a_limit_and_is_spread() -> None:
    assert [backoff_s(retries, 0.0) for retries in range(6)] == [0.2, 0.4, 0.8, 1.6, BACKOFF_MOST_S, BACKOFF_MOST_S]
    assert BACKOFF_FIRST_S / 2 < backoff_s(0, 0.99) < BACKOFF_FIRST_S


def test_only_what_is_configured_is_asked_again() -> None:
    assert not wants_retry(None, DOWN, 0)
    assert wants_retry(Retry(2), DOWN, 1)
    assert not wants_retry(Retry(2), DOWN, 2)
    assert not wants_retry(Retry(2), Failure("invalid_request", "x", upstream_status=400), 0)
    assert wants_retry(Retry(1, frozenset({400})), Failure("invalid_request", "x", upstream_status=400), 0)
    assert not wants_retry(Retry(1, frozenset({429})), DOWN, 0)


def test_failures_without_a_status_count_as_one() -> None:
    assert has_status(Failure("upstream_timeout", "x"), frozenset({504}))
    assert has_status(Failure("overloaded", "x", upstream_status=200), frozenset({529}))
    assert has_status(Failure("upstream_error", "x"), frozenset({502}))
    assert not has_status(Failure("upstream_error", "x"), frozenset({429}))
    assert not has_status(Failure("invalid_request", "x"), frozenset({400}))
