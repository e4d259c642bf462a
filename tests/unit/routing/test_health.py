"""Circuits and standings, moved by hand along a clock of numbers."""

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.routing.health import (
    FAILURES_IN_A_ROW,
    OPEN_BASE_S,
    OPEN_MOST_S,
    QUOTA_FIRST_S,
    QUOTA_MOST_S,
    REFUSED_S,
    REST_FIRST_S,
    REST_MOST_S,
    WINDOW_CALLS,
    WINDOW_S,
    Circuit,
    Standing,
    bearing_of,
    is_about_credential,
)

DOWN = Failure("upstream_error", "it fell over", upstream_status=500)
LIMITED = Failure("rate_limited", "slow down", upstream_status=429)


def fail(circuit: Circuit, now: float, failure: Failure = DOWN, roll: float = 0.0) -> bool:
    return circuit.failed(now, roll, failure, circuit.begin(now))


def opened(at: float = 0.0) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES_IN_A_ROW):
        fail(circuit, at)
    return circuit


@pytest.mark.parametrize(
    ("kind", "status", "bearing"),
    [
        ("upstream_error", 500, "circuit"),
        ("upstream_error", None, "circuit"),
        ("upstream_timeout", None, "circuit"),
        ("overloaded", 529, "circuit"),
        ("unavailable", 503, "circuit"),
        ("rate_limited", 429, "rest"),
        ("quota_exhausted", 429, "quota"),
        ("upstream_refused_credential", 401, "refused"),
        ("upstream_refused_credential", 402, "quota"),
        ("upstream_refused_credential", 403, "pair"),
        ("model_not_found", 404, "pair"),
        ("invalid_request", 400, "none"),
        ("content_blocked", 400, "none"),
        ("client_gone", None, "none"),
    ],
)
def test_what_a_failure_speaks_about(kind: FailureKind, status: int | None, bearing: str) -> None:
    failure = Failure(kind, "x", upstream_status=status)
    assert bearing_of(failure) == bearing
    assert is_about_credential(failure) is (bearing in ("rest", "quota", "refused"))


def test_a_quota_of_one_model_leaves_the_credential_to_the_others() -> None:
    failure = Failure("quota_exhausted", "no quota", upstream_status=429, of_model=True)
    assert bearing_of(failure) == "pair"
    assert is_about_credential(failure), "another account may have some left"


def test_so_many_failures_in_a_row_open_it() -> None:
    circuit = Circuit()
    said = [fail(circuit, 1.0) for _ in range(FAILURES_IN_A_ROW)]
    assert said == [False] * (FAILURES_IN_A_ROW - 1) + [True]
    assert (circuit.state(1.0), circuit.admits(1.0), circuit.until) == ("open", False, 1.0 + OPEN_BASE_S)
    assert circuit.failure is DOWN


def test_an_answer_between_them_starts_the_row_anew() -> None:
    circuit = Circuit()
    for _ in range(FAILURES_IN_A_ROW - 1):
        fail(circuit, 0.0)
    circuit.answered(circuit.begin(0.0))
    assert not any(fail(circuit, 0.1) for _ in range(FAILURES_IN_A_ROW - 1))
    assert circuit.state(0.1) == "closed"


def test_half_of_enough_calls_open_it() -> None:
    circuit = Circuit()
    outcomes: list[bool] = []
    for number in range(WINDOW_CALLS):
        if number % 2:
            outcomes.append(fail(circuit, 1.0))
        else:
            circuit.answered(circuit.begin(1.0))
    assert outcomes[-1]
    assert not any(outcomes[:-1])


def test_failures_far_apart_do_not_add_up_to_a_share() -> None:
    circuit = Circuit()
    for number in range(3 * WINDOW_CALLS):
        assert not fail(circuit, number * (WINDOW_S + 1))
        circuit.answered(circuit.begin(number * (WINDOW_S + 1)))
    assert circuit.forgettable(1e6)


def test_half_open_lets_one_probe_through() -> None:
    circuit = opened()
    later = OPEN_BASE_S + 0.1
    assert circuit.state(later) == "half_open"
    probe = circuit.begin(later)
    assert probe.probe
    assert not circuit.admits(later)
    assert circuit.answered(probe)
    assert (circuit.state(later), circuit.admits(later)) == ("closed", True)


def test_a_probe_that_fails_opens_it_for_longer_up_to_a_limit() -> None:
    circuit, now, lengths = opened(), 0.0, [OPEN_BASE_S]
    for _ in range(100):
        assert circuit.until is not None
        now = circuit.until
        assert fail(circuit, now)
        lengths.append(circuit.until - now)
    assert lengths[:3] == [OPEN_BASE_S, 2 * OPEN_BASE_S, 3 * OPEN_BASE_S]
    assert max(lengths) == OPEN_MOST_S


def test_a_probe_that_says_nothing_leaves_its_place_to_another() -> None:
    circuit = opened()
    later = OPEN_BASE_S + 0.1
    circuit.released(circuit.begin(later))
    assert (circuit.state(later), circuit.admits(later)) == ("half_open", True)


def test_what_began_before_it_opened_says_nothing_new() -> None:
    circuit = Circuit()
    early = circuit.begin(0.0)
    for _ in range(FAILURES_IN_A_ROW):
        fail(circuit, 0.0)
    assert not circuit.answered(early)
    assert not circuit.failed(100.0, 0.0, DOWN, early)
    assert circuit.state(100.0) == "half_open"


def test_a_call_made_in_spite_of_it_closes_it_if_it_is_answered() -> None:
    circuit = opened()
    assert circuit.answered(circuit.begin(1.0))
    assert circuit.state(1.0) == "closed"


def test_the_providers_own_word_opens_it_at_once() -> None:
    circuit = Circuit()
    assert fail(circuit, 0.0, Failure("overloaded", "x", retry_after_s=7.0))
    assert circuit.until == 7.0


def test_jitter_only_lengthens() -> None:
    circuit = Circuit()
    for _ in range(FAILURES_IN_A_ROW):
        fail(circuit, 0.0, roll=0.999)
    assert circuit.until is not None
    assert OPEN_BASE_S < circuit.until <= OPEN_BASE_S * 1.2


def test_a_named_rest_is_kept_to_the_moment_and_is_firm() -> None:
    standing = Standing()
    assert standing.limited(10.0, 0.9, Failure("rate_limited", "x", retry_after_s=30.0))
    assert (standing.state, standing.until, standing.firm) == ("resting", 40.0, True)
    assert not standing.admits(39.9)
    assert standing.admits(40.0)


def test_a_shorter_rest_does_not_end_a_longer_one() -> None:
    standing = Standing()
    standing.limited(0.0, 0.0, Failure("rate_limited", "x", retry_after_s=30.0))
    assert not standing.limited(1.0, 0.0, Failure("rate_limited", "x", retry_after_s=1.0))
    assert standing.until == 30.0


def test_a_guessed_rest_doubles_and_gives_way() -> None:
    standing, now = Standing(), 0.0
    lengths: list[float] = []
    for _ in range(10):
        assert standing.limited(now, 0.0, LIMITED)
        assert not standing.limited(now, 0.0, LIMITED)  # another call that was under way
        lengths.append(standing.until - now)
        now = standing.until
    assert lengths[:4] == [REST_FIRST_S, 2 * REST_FIRST_S, 4 * REST_FIRST_S, 8 * REST_FIRST_S]
    assert max(lengths) == REST_MOST_S
    assert not standing.firm
    assert standing.answered(now)
    standing.limited(now, 0.0, LIMITED)
    assert standing.until == now + REST_FIRST_S


def test_the_providers_word_goes_before_a_guess() -> None:
    standing = Standing()
    standing.limited(0.0, 0.0, LIMITED)
    assert standing.limited(0.0, 0.0, Failure("rate_limited", "x", retry_after_s=0.2))
    assert (standing.until, standing.firm) == (0.2, True)


def test_a_refused_credential_is_disabled_once() -> None:
    standing = Standing()
    assert standing.refused(0.0, DOWN)
    assert not standing.refused(1.0, DOWN)
    assert (standing.state, standing.firm) == ("disabled", True)
    assert standing.until >= REFUSED_S
    assert not standing.answered(5.0)


def test_an_exhausted_quota_doubles_to_an_hour() -> None:
    standing, now = Standing(), 0.0
    lengths: list[float] = []
    for _ in range(6):
        assert standing.exhausted(now, LIMITED)
        assert not standing.exhausted(now, LIMITED)
        lengths.append(standing.until - now)
        now = standing.until
    assert lengths[:2] == [QUOTA_FIRST_S, 2 * QUOTA_FIRST_S]
    assert max(lengths) == QUOTA_MOST_S


def test_what_another_process_knows_counts_if_it_reaches_further() -> None:
    standing = Standing()
    standing.take_over("disabled", 50.0, DOWN, firm=True)
    standing.take_over("resting", 20.0, DOWN, firm=False)
    assert (standing.state, standing.until, standing.firm) == ("disabled", 50.0, True)
