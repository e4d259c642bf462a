"""How deployments and credentials are doing, as far as this process knows: the planner's View, and what attempts are told by it.

While all are well, a call costs a few dictionary operations here. Circuits and standings (``routing/health.py``) exist only for
what has failed lately. What changes for longer than a moment is shared with the other processes of the database.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from anykey.conversation.failures import Failure, FailureKind
from anykey.exchange.ports import Monotonic, SharedHealth, WallClock
from anykey.routing.health import BARRED_S, OPEN_MOST_S, QUOTA_MOST_S, Circuit, Standing, Ticket, bearing_of
from anykey.routing.pool import id_of
from anykey.storage.health import HealthRow, HealthState

log = logging.getLogger(__name__)

HALF_LIFE_S = 60.0
"""After so long without a call, what was known of a latency counts half."""
SAMPLE_EVERY_S = 0.05
MOST_KEPT = 4096
"""Deployments of which something is known: their names come from callers, so there may be any number of them."""
SHARED_FROM_S = 2.0
"""Shorter rests are over before another process has heard of them."""
LOOK_EVERY_S = 0.5
"""With the half of it that the share may take to hear of something: within a second."""

Pair = tuple[str, str]
"""A deployment's id and a credential's mark."""
NO_TICKET = Ticket(0)


class Block(NamedTuple):
    """Why a call is not to be made now. ``firm``: not even if nothing else is left. ``wait_s``: how much longer."""

    failure: Failure
    why: str
    wait_s: float
    firm: bool


class Wellbeing:
    """One per process. ``marks_of`` names the credentials of a provider."""

    def __init__(
        self,
        monotonic: Monotonic,
        wall_clock: WallClock,
        marks_of: Callable[[str], Iterable[str]],
        shared: SharedHealth | None = None,
        roll: Callable[[], float] = random.random,
    ) -> None:
        self.all_well = True
        """Nothing has failed lately: nobody need be looked up."""
        self.retrying = 0
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._marks_of = marks_of
        self._shared = shared
        self._roll = roll
        self._busy: dict[str, int] = {}
        self._latencies: dict[str, tuple[float, float]] = {}
        self._circuits: dict[Pair, Circuit] = {}
        self._standings: dict[str, Standing] = {}
        self._seen: frozenset[Pair] = frozenset()
        self._look_at = -math.inf if shared is not None else math.inf

    # The planner's View

    def resting(self, deployment: str) -> str | None:
        """Why none of its credentials may be used for this deployment; None: one may."""
        block = self.rest(deployment)
        return None if block is None else block.why

    def rest(self, deployment: str) -> Block | None:
        """The block of that credential of the deployment which may be used again first; None: one may be used now."""
        soonest: Block | None = None
        if self.all_well:
            return None
        for mark in self._marks_of(deployment.partition("/")[0]):
            block = self.block((deployment, mark))
            if block is None:
                return None
            if soonest is None or block.wait_s < soonest.wait_s:
                soonest = block
        return soonest

    def busy(self, deployment: str) -> int:
        """Calls under way."""
        return self._busy.get(deployment, 0)

    def latency_ms(self, deployment: str) -> float:
        """A decaying mean of the time until an answer came: the first content of a stream, the whole of any other."""
        return self._latencies.get(deployment, (0.0, 0.0))[0]

    # Calls

    def hear(self, began: float) -> None:
        """A call came at ``began`` and is about to be planned: by now others may have found out what it should heed."""
        if began >= self._look_at:
            self._look(self._monotonic())

    def begin(self, deployment: str) -> float:
        """A call of ``deployment`` begins; the time of the steady clock."""
        now = self._monotonic()
        if now >= self._look_at:
            self._look(now)
        self._busy[deployment] = self._busy.get(deployment, 0) + 1
        return now

    def end(self, deployment: str) -> None:
        """It has ended, in whatever way."""
        left = self._busy[deployment] - 1
        if left:
            self._busy[deployment] = left
        else:
            del self._busy[deployment]

    @property
    def under_way(self) -> int:
        """Calls under way, of all deployments."""
        return sum(self._busy.values())

    def timed(self, deployment: str, began: float, answered: float) -> None:
        """An answer came. Of a busy deployment a sample now and then tells enough."""
        known = self._latencies.get(deployment)
        if known is None:
            if len(self._latencies) >= MOST_KEPT:
                self._latencies.clear()
            self._latencies[deployment] = ((answered - began) * 1000, answered)
        elif answered - known[1] >= SAMPLE_EVERY_S:
            mean, at = known
            old = 0.5 ** ((answered - at) / HALF_LIFE_S)
            self._latencies[deployment] = (mean * old + (answered - began) * 1000 * (1 - old), answered)

    def block(self, pair: Pair) -> Block | None:
        """Why this call is not to be made now; None: it may."""
        now = self._monotonic()
        if now >= self._look_at:
            self._look(now)
        standing = self._standings.get(pair[1])
        if standing is not None and not standing.admits(now) and standing.failure is not None:
            name = id_of(pair[1])
            why = f"the credential {name} {'is disabled' if standing.state == 'disabled' else 'rests'}"
            wait_s = standing.until - now
            return Block(_retold(standing, name, wait_s), why, wait_s, standing.firm)
        circuit = self._circuits.get(pair)
        if circuit is not None and circuit.failure is not None and not circuit.admits(now):
            left_s = max((circuit.until or now) - now, 0.0)
            return Block(circuit.failure, f"its circuit is open: {circuit.failure.message}", left_s, firm=False)
        return None

    def enter(self, pair: Pair) -> Ticket:
        """A call is made; hand the ticket back to ``answered``, ``failed`` or ``released``."""
        circuit = self._circuits.get(pair)
        return NO_TICKET if circuit is None else circuit.begin(self._monotonic())

    def answered(self, pair: Pair, ticket: Ticket) -> None:
        """It was answered, be it with a refusal of the caller's request."""
        circuit = self._circuits.get(pair)
        now = self._monotonic()
        if circuit is not None:
            if circuit.answered(ticket):
                log.info("%s is well again", pair[0])
                self._drop(*pair)
            if circuit.forgettable(now):
                del self._circuits[pair]
        standing = self._standings.get(pair[1])
        if standing is not None and now >= standing.until:
            if standing.answered(now):
                self._drop("", pair[1])
            del self._standings[pair[1]]
        self._sum_up()

    def released(self, pair: Pair, ticket: Ticket) -> None:
        """It ended without a word about the upstream: the client is gone."""
        circuit = self._circuits.get(pair)
        if circuit is not None:
            circuit.released(ticket)

    def failed(self, pair: Pair, ticket: Ticket, failure: Failure, *, choice: bool) -> None:
        """It failed before content. ``choice``: there are others to be asked instead, so that it is worth remembering which
        models a provider does not have."""
        bearing = bearing_of(failure)
        if bearing == "none":
            self.answered(pair, ticket)
        elif bearing == "circuit":
            self._circuit_failed(pair, ticket, failure)
        elif bearing == "pair":
            self.released(pair, ticket)
            if choice:
                self._circuit(pair).open_until(self._monotonic() + BARRED_S, failure)
                self._tell(*pair, "barred", BARRED_S, failure)
        else:
            self.released(pair, ticket)
            self._credential_failed(pair[1], failure, bearing)

    def _circuit_failed(self, pair: Pair, ticket: Ticket, failure: Failure) -> None:
        now = self._monotonic()
        circuit = self._circuit(pair)
        if circuit.failed(now, self._roll(), failure, ticket):
            wait_s = (circuit.until or now) - now
            log.warning("%s is passed over for %.0f s: %s", pair[0], wait_s, failure.message)
            self._tell(*pair, "open", wait_s, failure)

    def _credential_failed(self, mark: str, failure: Failure, bearing: str) -> None:
        now = self._monotonic()
        standing = self._standing(mark)
        name = id_of(mark)
        if bearing == "rest":
            if standing.limited(now, self._roll(), failure) and standing.until - now > SHARED_FROM_S:
                log.info("the credential %s rests for %.0f s", name, standing.until - now)
                self._tell("", mark, "resting" if standing.firm else "slowed", standing.until - now, failure)
            return
        refused = bearing == "refused"
        if standing.refused(now, failure) if refused else standing.exhausted(now, failure):
            what = "was refused" if refused else "has no quota left"
            log.error(
                "ALARM: the credential %s %s and is not used for %.0f min, or until it is changed or enabled "
                "('anykey providers enable %s'): %s",
                name, what, (standing.until - now) / 60, name, failure.message,
            )  # fmt: skip
            self._tell("", mark, "disabled", standing.until - now, failure)

    def _circuit(self, pair: Pair) -> Circuit:
        circuit = self._circuits.get(pair)
        if circuit is None:
            if len(self._circuits) >= MOST_KEPT:
                del self._circuits[next(iter(self._circuits))]
            circuit = self._circuits[pair] = Circuit()
            self.all_well = False
        return circuit

    def _standing(self, mark: str) -> Standing:
        standing = self._standings.get(mark)
        if standing is None:
            standing = self._standings[mark] = Standing()
            self.all_well = False
        return standing

    def _sum_up(self) -> None:
        self.all_well = not self._circuits and not self._standings

    # With other processes

    def _tell(self, deployment: str, mark: str, state: HealthState, wait_s: float, failure: Failure) -> None:
        if self._shared is not None:
            now_ms = int(self._wall_clock() * 1000)
            self._shared.put(
                HealthRow(
                    deployment=deployment,
                    credential=mark,
                    state=state,
                    until_ms=now_ms + int(wait_s * 1000),
                    reason=f"{failure.kind}: {failure.message}",
                    changed_ms=now_ms,
                )
            )

    def _drop(self, deployment: str, mark: str) -> None:
        if self._shared is not None:
            self._shared.drop(deployment, mark)

    def _look(self, now: float) -> None:
        """Take over what others found out; what was taken away (it is well again, or an operator says so) is forgotten."""
        self._look_at = now + LOOK_EVERY_S
        if self._shared is None:
            return
        self._forget_old(now)
        # Asked before the look: what is committed after it is not missing from it.
        known = self._seen | self._shared.written()
        rows = self._shared.look()
        if rows is None:
            return
        there = frozenset((row.deployment, row.credential) for row in rows)
        for deployment, mark in known - there:
            if deployment:
                self._circuits.pop((deployment, mark), None)
            else:
                self._standings.pop(mark, None)
        self._seen = there
        self._sum_up()
        now_ms = self._wall_clock() * 1000
        for row in rows:
            if row.changed_by != self._shared.author and row.until_ms is not None and row.until_ms > now_ms:
                self._take_over(row, now + (row.until_ms - now_ms) / 1000)

    def _forget_old(self, now: float) -> None:
        """What nobody has asked about since: a model that is called no more, a credential that was changed."""
        for pair, circuit in list(self._circuits.items()):
            if circuit.forgettable(now) or (circuit.until is not None and now > circuit.until + OPEN_MOST_S):
                del self._circuits[pair]
        for mark, standing in list(self._standings.items()):
            if now > standing.until + QUOTA_MOST_S:
                del self._standings[mark]
        self._sum_up()

    def _take_over(self, row: HealthRow, until: float) -> None:
        failure = _failure_of(row)
        if row.deployment:
            circuit = self._circuit((row.deployment, row.credential))
            if circuit.until is None:
                circuit.open_until(until, failure)
            return
        state = "disabled" if row.state == "disabled" else "resting"
        self._standing(row.credential).take_over(state, until, failure, firm=row.state != "slowed")


def _retold(standing: Standing, name: str, wait_s: float) -> Failure:
    """What a call is told that was not made: an upstream's words about one call are not for the next caller."""
    failure = standing.failure
    if standing.state == "disabled" and failure is not None:
        return Failure(failure.kind, failure.message, should_retry=False)
    provider = name.partition("#")[0]
    message = f"The provider {provider} takes no more calls for the moment (rate limit)."
    return Failure("rate_limited", message, retry_after_s=max(wait_s, 0.001))


def _failure_of(row: HealthRow) -> Failure:
    """The failure of a row of another process, perhaps of another release."""
    kind, _, message = row.reason.partition(": ")
    known = _KINDS.get(kind, "upstream_error")
    return Failure(known, message or row.reason)


_KINDS: dict[str, FailureKind] = {
    "upstream_timeout": "upstream_timeout",
    "unavailable": "unavailable",
    "overloaded": "overloaded",
    "model_not_found": "model_not_found",
    "rate_limited": "rate_limited",
    "quota_exhausted": "quota_exhausted",
    "upstream_refused_credential": "upstream_refused_credential",
}
