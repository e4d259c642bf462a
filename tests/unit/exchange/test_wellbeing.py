"""What a process knows of deployments and credentials, and what it tells and hears."""

import logging

import pytest

from anykey.conversation.failures import Failure
from anykey.exchange.wellbeing import HALF_LIFE_S, LOOK_EVERY_S, NO_TICKET, Wellbeing
from anykey.routing.health import BARRED_S, FAILURES_IN_A_ROW, OPEN_BASE_S
from anykey.storage.health import HealthRow

M = ("lab/m", "lab#a 1")
N = ("lab/n", "lab#a 1")
OTHER = ("lab/m", "lab#b 2")
DOWN = Failure("upstream_error", "it fell over", upstream_status=500)
LIMITED = Failure("rate_limited", "no more for org-77", retry_after_s=30.0, upstream_status=429)
REFUSED = Failure("upstream_refused_credential", "The credential was refused.", upstream_status=401)


class Shared:
    """What the others are told, and a database to look at."""

    author = "me"

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], HealthRow] = {}
        self.mine: set[tuple[str, str]] = set()

    def put(self, row: HealthRow) -> None:
        self.rows[row.deployment, row.credential] = row
        self.mine.add((row.deployment, row.credential))

    def drop(self, deployment: str, credential: str) -> None:
        self.rows.pop((deployment, credential), None)
        self.mine.discard((deployment, credential))

    def written(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.mine)

    def look(self) -> list[HealthRow] | None:
        return list(self.rows.values())


class Lab:
    """A Wellbeing with a clock in hand."""

    def __init__(self, shared: Shared | None = None) -> None:
        self.now = 1000.0
        self.being = Wellbeing(
            lambda: self.now, lambda: self.now + 1e9, lambda _: (M[1], OTHER[1]), shared, lambda: 0.0
        )

    def fail(self, pair: tuple[str, str], failure: Failure, times: int = 1, choice: bool = True) -> None:
        for _ in range(times):
            self.being.failed(pair, self.being.enter(pair), failure, choice=choice)

    def firm(self, pair: tuple[str, str]) -> bool | None:
        block = self.being.block(pair)
        return None if block is None else block.firm


def test_calls_under_way_are_counted_and_forgotten() -> None:
    being = Lab().being
    being.begin("a/m")
    being.begin("a/m")
    assert (being.busy("a/m"), being.busy("b/m"), being.under_way) == (2, 0, 2)
    being.end("a/m")
    being.end("a/m")
    assert (being.busy("a/m"), being.under_way) == (0, 0)
    assert being._busy == {}  # pyright: ignore[reportPrivateUsage] - names come from callers: none may stay


def test_a_latency_decays_by_half() -> None:
    being = Lab().being
    assert being.latency_ms("a/m") == 0.0
    being.timed("a/m", 0.0, 1.0)
    assert being.latency_ms("a/m") == 1000.0
    being.timed("a/m", HALF_LIFE_S + 1.0, HALF_LIFE_S + 1.0)
    assert being.latency_ms("a/m") == pytest.approx(500.0)


def test_failures_open_a_pairs_circuit_and_no_others() -> None:
    lab = Lab()
    lab.fail(M, DOWN, FAILURES_IN_A_ROW)
    assert (lab.firm(M), lab.firm(N), lab.firm(OTHER)) == (False, None, None)
    assert lab.being.resting("lab/m") is None
    lab.fail(OTHER, DOWN, FAILURES_IN_A_ROW)
    assert "it fell over" in (lab.being.resting("lab/m") or "")
    lab.now += OPEN_BASE_S + 1
    assert lab.firm(M) is None
    lab.being.answered(M, lab.being.enter(M))
    assert lab.firm(M) is None


def test_a_rest_is_the_credentials_and_firm_where_it_was_named() -> None:
    lab = Lab()
    lab.fail(M, LIMITED)
    assert (lab.firm(M), lab.firm(N), lab.firm(OTHER)) == (True, True, None)
    block = lab.being.block(N)
    assert block is not None
    assert (block.failure.kind, block.failure.retry_after_s, block.wait_s) == ("rate_limited", 30.0, 30.0)
    assert "org-77" not in block.failure.message
    lab.fail(OTHER, Failure("rate_limited", "x"))
    assert lab.firm(OTHER) is False
    lab.now += 31
    assert lab.firm(M) is lab.firm(OTHER) is None
    lab.being.answered(M, NO_TICKET)
    lab.being.answered(OTHER, NO_TICKET)
    assert lab.being.all_well


def test_a_refused_credential_raises_one_alarm(caplog: pytest.LogCaptureFixture) -> None:
    lab = Lab()
    with caplog.at_level(logging.ERROR):
        lab.fail(M, REFUSED, 5)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "lab#a" in caplog.text
    block = lab.being.block(N)
    assert block is not None
    assert (block.firm, block.failure.kind, block.failure.should_retry) == (True, "upstream_refused_credential", False)
    lab.now += 3601
    assert lab.firm(M) is None


def test_a_model_that_is_not_there_is_remembered_where_there_is_a_choice() -> None:
    missing = Failure("model_not_found", "no such model", upstream_status=404)
    lab = Lab()
    lab.fail(M, missing, choice=False)
    assert lab.being.all_well
    lab.fail(M, missing)
    assert (lab.firm(M), lab.firm(N)) == (False, None)
    lab.now += BARRED_S
    assert lab.firm(M) is None


def test_the_callers_mistakes_close_rather_than_open() -> None:
    lab = Lab()
    lab.fail(M, DOWN, FAILURES_IN_A_ROW - 1)
    lab.fail(M, Failure("invalid_request", "x", upstream_status=400))
    lab.fail(M, DOWN, FAILURES_IN_A_ROW - 1)
    assert lab.firm(M) is None


def test_a_client_that_goes_says_nothing() -> None:
    lab = Lab()
    lab.fail(M, DOWN, FAILURES_IN_A_ROW)
    lab.now += OPEN_BASE_S + 1
    probe = lab.being.enter(M)
    assert probe.probe
    assert lab.firm(M) is False
    lab.being.released(M, probe)
    assert lab.firm(M) is None


def test_others_hear_of_what_lasts_and_when_it_is_over() -> None:
    shared = Shared()
    lab = Lab(shared)
    lab.fail(M, Failure("rate_limited", "x"))
    assert shared.rows == {}
    lab.fail(M, LIMITED)
    lab.fail(M, DOWN, FAILURES_IN_A_ROW)
    assert {(row.deployment, row.state) for row in shared.rows.values()} == {("", "resting"), ("lab/m", "open")}
    (resting,) = [row for row in shared.rows.values() if not row.deployment]
    assert (resting.until_ms, resting.reason.partition(":")[0]) == (int((1e9 + 1030) * 1000), "rate_limited")
    lab.now += 60
    lab.being.answered(M, lab.being.enter(M))
    assert shared.rows == {}


def theirs(deployment: str, credential: str, now: float, reason: str = "rate_limited: x") -> HealthRow:
    until_ms = int((now + 1e9 + 20) * 1000)
    return HealthRow(
        deployment=deployment,
        credential=credential,
        state="open" if deployment else "resting",
        until_ms=until_ms,
        reason=reason,
        changed_ms=0,
        changed_by="them",
    )


def test_what_others_found_out_is_heeded_until_it_is_taken_away() -> None:
    shared = Shared()
    lab = Lab(shared)
    for deployment, mark in (("", M[1]), OTHER):
        shared.rows[deployment, mark] = theirs(deployment, mark, lab.now, "upstream_error: gone")
    lab.being.begin("lab/m")
    assert (lab.firm(M), lab.firm(OTHER), lab.firm(("lab/n", OTHER[1]))) == (True, False, None)
    shared.rows.clear()
    lab.now += 1.1
    lab.being.begin("lab/m")
    assert lab.being.all_well


def test_an_operators_word_ends_what_this_process_found_out() -> None:
    shared = Shared()
    lab = Lab(shared)
    lab.fail(M, REFUSED)
    lab.being.begin("lab/m")
    shared.rows.clear()
    lab.now += 1.1
    assert lab.firm(M) is None
    assert lab.being.all_well


def test_a_row_that_has_ended_is_not_taken_over() -> None:
    shared = Shared()
    lab = Lab(shared)
    shared.rows["", M[1]] = theirs("", M[1], lab.now - 100)
    lab.being.begin("lab/m")
    assert lab.being.all_well


def test_a_deployment_rests_until_its_first_credential_may_be_used_again() -> None:
    lab = Lab()
    lab.fail(M, LIMITED)
    assert lab.being.rest("lab/m") is None
    lab.fail(OTHER, Failure("rate_limited", "slow", retry_after_s=12.0))
    block = lab.being.rest("lab/m")
    assert block is not None
    assert (block.why, block.wait_s) == ("the credential lab#b rests", 12.0)
    assert lab.being.resting("lab/m") == block.why


def test_what_others_found_out_is_heard_before_a_call_is_planned() -> None:
    shared = Shared()
    lab = Lab(shared)
    lab.being.hear(lab.now)
    for pair in (M, OTHER):
        shared.rows[pair] = theirs(*pair, lab.now, "upstream_error: it fell over")
    lab.being.hear(lab.now)
    assert lab.being.all_well  # it has looked a moment ago
    lab.now += LOOK_EVERY_S
    lab.being.hear(lab.now)
    assert "it fell over" in (lab.being.resting("lab/m") or "")
