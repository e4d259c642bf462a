"""How a deployment and a credential are doing, as two small state machines. Nothing here reads a clock or throws dice: `now` is
in seconds of any steady clock, `roll` is a number in [0, 1).

A `Circuit` belongs to a deployment with one credential:

    closed ── failures ──> open ── its time is over ──> half-open ── the probe is answered ──> closed
                            ^                               └─────── the probe fails ────────> open, for longer

It is a preference: a deployment whose circuit is open is asked all the same when nothing else is left. A `Standing` belongs to a
credential: well, resting, or disabled. A rest that the provider named (`Retry-After`) and a disabled credential are firm, nobody
asks with it before its time; a rest that is only guessed gives way when nothing else is left.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from anykey.conversation.failures import Failure

CircuitState = Literal["closed", "open", "half_open"]
StandingState = Literal["well", "resting", "disabled"]
Bearing = Literal["none", "circuit", "pair", "rest", "quota", "refused"]

FAILURES_IN_A_ROW = 5
WINDOW_S = 30.0
WINDOW_CALLS = 10
FAILED_SHARE = 0.5
OPEN_BASE_S = 5.0
OPEN_MOST_S = 300.0
BARRED_S = 300.0
"""How long a deployment is passed over that says it does not have the model, or not for this credential."""
REST_FIRST_S = 1.0
REST_MOST_S = 60.0
NAMED_REST_MOST_S = 24 * 3600.0
"""No Retry-After is believed beyond a day."""
REFUSED_S = 3600.0
QUOTA_FIRST_S = 600.0
QUOTA_MOST_S = 3600.0
_JITTER = 0.2

_BEARINGS: dict[str, Bearing] = {
    "upstream_error": "circuit",
    "upstream_timeout": "circuit",
    "unavailable": "circuit",
    "overloaded": "circuit",
    "model_not_found": "pair",
    "rate_limited": "rest",
    "quota_exhausted": "quota",
    "upstream_refused_credential": "refused",
}


def bearing_of(failure: Failure) -> Bearing:
    """What `failure` says about: the deployment's circuit, this pair of model and credential, or the credential (it must rest,
    its quota is used up, it was refused). `none`: about the caller's request.

    A 402 is an account without money. A 403 forbids something to a credential that is known, mostly one model or region: so it
    bars the pair, and other models keep the credential. So does a quota that one model has used up.
    """
    bearing = _BEARINGS.get(failure.kind, "none")
    if failure.of_model:
        return "pair"
    if bearing == "refused" and failure.upstream_status == 402:
        return "quota"
    if bearing == "refused" and failure.upstream_status == 403:
        return "pair"
    return bearing


def is_about_credential(failure: Failure) -> bool:
    """The same deployment may answer with another credential."""
    return failure.of_model or bearing_of(failure) in ("rest", "quota", "refused")


class Ticket(NamedTuple):
    """What a call holds while it is under way: how often the circuit had opened when it began, and whether it is the probe."""

    term: int
    probe: bool = False


class Circuit:
    """One circuit. A call asks `admits`, says `begin`, and hands its ticket to `failed`, `answered` or `released`.

    It opens after FAILURES_IN_A_ROW failures, or when FAILED_SHARE of at least WINDOW_CALLS calls failed; their count starts with
    a failure and starts anew after WINDOW_S. It stays open for OPEN_BASE_S times the openings in a row. What a call that began
    before an opening comes to says nothing new.
    """

    __slots__ = ("_calls", "_failed", "_in_a_row", "_openings", "_probing", "_term", "_window_from", "failure", "until")

    def __init__(self) -> None:
        self.until: float | None = None
        """When an open circuit becomes half-open; None: it is closed."""
        self.failure: Failure | None = None
        """The last one that counted."""
        self._in_a_row = self._openings = self._term = 0
        self._calls = self._failed = 0
        self._window_from = 0.0
        self._probing = False

    def state(self, now: float) -> CircuitState:
        """The state at `now`."""
        if self.until is None:
            return "closed"
        return "open" if now < self.until else "half_open"

    def admits(self, now: float) -> bool:
        """A call may begin: the circuit is closed, or half-open and nobody probes."""
        return self.until is None or (now >= self.until and not self._probing)

    def begin(self, now: float) -> Ticket:
        """A call begins, admitted or not."""
        probe = self.until is not None and self.admits(now)
        self._probing = self._probing or probe
        return Ticket(self._term, probe)

    def failed(self, now: float, roll: float, failure: Failure, ticket: Ticket) -> bool:
        """The call failed in a way that counts. True: that opened the circuit. The provider's own Retry-After opens it at once,
        for that long."""
        self._let_go(ticket)
        if ticket.term != self._term:
            return False
        self.failure = failure
        if self.until is not None:
            return now >= self.until and self._open(now, roll)
        if now - self._window_from > WINDOW_S:
            self._window_from, self._calls, self._failed = now, 0, 0
        self._in_a_row += 1
        self._calls += 1
        self._failed += 1
        if failure.retry_after_s:
            return self.open_until(now + min(failure.retry_after_s, OPEN_MOST_S), failure)
        share = self._calls >= WINDOW_CALLS and self._failed >= FAILED_SHARE * self._calls
        return (self._in_a_row >= FAILURES_IN_A_ROW or share) and self._open(now, roll)

    def answered(self, ticket: Ticket) -> bool:
        """The call was answered, be it with a refusal of the caller's request. True: that closed the circuit."""
        self._let_go(ticket)
        if ticket.term != self._term:
            return False
        self._in_a_row = 0
        self._calls += 1
        return self.close()

    def released(self, ticket: Ticket) -> None:
        """The call ended without saying anything about the deployment: the client is gone, or must come back later."""
        self._let_go(ticket)

    def close(self) -> bool:
        """Close it. True: it was not closed."""
        was_open = self.until is not None
        self.until = None
        if was_open:
            self._in_a_row = self._openings = self._calls = self._failed = 0
        return was_open

    def open_until(self, until: float, failure: Failure) -> bool:
        """Open it until then, whatever was counted."""
        self.until, self.failure = until, failure
        self._term += 1
        self._probing = False
        return True

    def forgettable(self, now: float) -> bool:
        """It is closed, and nothing that was counted counts any more."""
        return self.until is None and (not self._in_a_row or now - self._window_from > WINDOW_S)

    def _open(self, now: float, roll: float) -> bool:
        self._openings += 1
        assert self.failure is not None  # noqa: S101 - told by the caller
        wait_s = OPEN_BASE_S * self._openings * (1 + _JITTER * roll)
        return self.open_until(now + min(wait_s, OPEN_MOST_S), self.failure)

    def _let_go(self, ticket: Ticket) -> None:
        if ticket.probe and ticket.term == self._term:
            self._probing = False


class Standing:
    """One credential's standing. `firm`: it is not used before `until` at all."""

    __slots__ = ("_exhaustions", "_limits", "failure", "firm", "state", "until")

    def __init__(self) -> None:
        self.state: StandingState = "well"
        self.until = 0.0
        self.firm = False
        self.failure: Failure | None = None
        """Why; what a call is told that nobody else can answer."""
        self._limits = self._exhaustions = 0

    def admits(self, now: float) -> bool:
        """It may be used."""
        return now >= self.until

    def limited(self, now: float, roll: float, failure: Failure) -> bool:
        """A rate limit was met: rest as long as the provider says, else for REST_FIRST_S, twice as long each time. True: this
        rest is new, or longer than the one before."""
        named_s = failure.retry_after_s
        if named_s is not None:
            return self._rest("resting", now + min(named_s, NAMED_REST_MOST_S), failure, firm=True)
        if now < self.until:
            return False  # calls that were under way when the rest began
        wait_s = min(REST_FIRST_S * 2**self._limits, REST_MOST_S) * (1 + _JITTER * roll)
        self._limits = min(self._limits + 1, 16)
        return self._rest("resting", now + wait_s, failure, firm=False)

    def exhausted(self, now: float, failure: Failure) -> bool:
        """Its quota is used up: QUOTA_FIRST_S, twice as long each time, up to QUOTA_MOST_S. True: it was not disabled."""
        if self.state == "disabled" and now < self.until:
            return False
        wait_s = max(min(QUOTA_FIRST_S * 2**self._exhaustions, QUOTA_MOST_S), failure.retry_after_s or 0.0)
        self._exhaustions = min(self._exhaustions + 1, 8)
        return self._rest("disabled", now + min(wait_s, NAMED_REST_MOST_S), failure, firm=True)

    def refused(self, now: float, failure: Failure) -> bool:
        """The provider does not know it (401): REFUSED_S, unless it changes before. True: it was not disabled."""
        was_disabled = self.state == "disabled" and now < self.until
        return self._rest("disabled", now + REFUSED_S, failure, firm=True) and not was_disabled

    def answered(self, now: float) -> bool:
        """A call with it was answered. True: it had rested or been disabled, and its time was over."""
        if now < self.until:
            return False  # a call that was under way when the rest began
        was_well = self.state == "well"
        self.state = "well"
        self._limits = self._exhaustions = 0
        return not was_well

    def take_over(self, state: StandingState, until: float, failure: Failure, *, firm: bool) -> None:
        """What another process found out, if it reaches further than what is known here."""
        self._rest(state, until, failure, firm=firm)

    def _rest(self, state: StandingState, until: float, failure: Failure, *, firm: bool) -> bool:
        if until <= self.until and (self.firm or not firm):
            return False  # what is known reaches as far, and is no guess that must give way to the provider's own word
        self.state, self.until, self.failure, self.firm = state, until, failure, firm
        return True
