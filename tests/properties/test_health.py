"""Circuits and credentials under whatever may happen to them: a state machine against simple rules that it must never break."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anykey.conversation.failures import Failure
from anykey.routing.health import NAMED_REST_MOST_S, OPEN_MOST_S, Circuit, Standing, Ticket
from tests.properties.budget import EXAMPLES

FAILURES = st.sampled_from(
    [
        Failure("upstream_error", "x", upstream_status=500),
        Failure("upstream_timeout", "x"),
        Failure("overloaded", "x", retry_after_s=3.0),
    ]
)
ROLLS = st.floats(0, 1, exclude_max=True)
STEPS_S = st.sampled_from([0.0, 0.1, 1.0, 4.9, 5.0, 6.1, 31.0, 400.0])


class Circuits(RuleBasedStateMachine):
    """One circuit, calls under way, and what is known of them from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.circuit = Circuit()
        self.under_way: list[Ticket] = []
        self.opened_at = 0.0

    @rule(by_s=STEPS_S)
    def time_passes(self, by_s: float) -> None:
        self.now += by_s

    @rule(spite=st.booleans())
    def a_call_begins(self, spite: bool) -> None:
        state, admitted = self.circuit.state(self.now), self.circuit.admits(self.now)
        assert admitted or state != "closed"
        if not (admitted or spite):
            return
        ticket = self.circuit.begin(self.now)
        assert ticket.probe is (state == "half_open" and admitted)
        if ticket.probe:
            assert not self.circuit.admits(self.now), "a second probe"
        self.under_way.append(ticket)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), failure=FAILURES, roll=ROLLS)
    def a_call_fails(self, data: st.DataObject, failure: Failure, roll: float) -> None:
        ticket = self._take(data)
        before = self.circuit.state(self.now)
        if self.circuit.failed(self.now, roll, failure, ticket):
            assert before != "open"
            assert self.circuit.until is not None
            assert self.now < self.circuit.until <= self.now + OPEN_MOST_S
            self.opened_at = self.now

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def a_call_is_answered(self, data: st.DataObject) -> None:
        ticket = self._take(data)
        was_open = self.circuit.state(self.now) != "closed"
        closed = self.circuit.answered(ticket)
        assert not closed or was_open
        assert not closed or self.circuit.admits(self.now)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def a_client_goes(self, data: st.DataObject) -> None:
        before = self.circuit.state(self.now)
        self.circuit.released(self._take(data))
        assert self.circuit.state(self.now) == before

    @invariant()
    def an_open_one_admits_nobody_and_a_closed_one_everybody(self) -> None:
        state = self.circuit.state(self.now)
        assert self.circuit.admits(self.now) or state != "closed"
        assert not (self.circuit.admits(self.now) and state == "open")

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        probes = [ticket for ticket in self.under_way if ticket.probe]
        far = self.now + 2 * OPEN_MOST_S
        assert probes or self.circuit.admits(far), "half-open, nobody probes, and nobody may"

    def _take(self, data: st.DataObject) -> Ticket:
        return self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))


class Standings(RuleBasedStateMachine):
    """One credential."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.standing = Standing()
        self.firm_until = 0.0

    @rule(by_s=st.sampled_from([0.0, 0.5, 1.0, 61.0, 601.0, 4000.0]))
    def time_passes(self, by_s: float) -> None:
        self.now += by_s

    @rule(named_s=st.sampled_from([0.0, 0.2, 5.0, 3600.0, 1e9]), roll=ROLLS)
    def a_limit_that_names_a_time(self, named_s: float, roll: float) -> None:
        self.standing.limited(self.now, roll, Failure("rate_limited", "x", retry_after_s=named_s))
        self.firm_until = max(self.firm_until, self.now + min(named_s, NAMED_REST_MOST_S))

    @rule(roll=ROLLS)
    def a_limit_that_names_none(self, roll: float) -> None:
        self.standing.limited(self.now, roll, Failure("rate_limited", "x"))

    @rule()
    def it_is_refused(self) -> None:
        self.standing.refused(self.now, Failure("upstream_refused_credential", "x"))

    @rule()
    def its_quota_is_used_up(self) -> None:
        self.standing.exhausted(self.now, Failure("quota_exhausted", "x"))

    @rule()
    def it_is_answered(self) -> None:
        self.standing.answered(self.now)

    @invariant()
    def a_named_time_is_kept(self) -> None:
        assert not (self.now < self.firm_until and self.standing.admits(self.now))
        assert not (self.now < self.firm_until and not self.standing.firm)

    @invariant()
    def it_ends_by_itself_and_says_why(self) -> None:
        assert self.standing.admits(self.now + NAMED_REST_MOST_S + 1)
        assert self.standing.admits(self.now) or self.standing.failure is not None
        assert self.standing.state != "well" or self.standing.admits(self.now)


_MANY = settings(max_examples=EXAMPLES, stateful_step_count=60, deadline=None)
TestCircuits = Circuits.TestCase
TestCircuits.settings = _MANY
TestStandings = Standings.TestCase
TestStandings.settings = _MANY
