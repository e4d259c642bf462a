"""The tries of one call in order: the plan's deployments, each with its credentials, until one answers or nothing is left.

Law: nothing is looked at before its turn. What rests is skipped and written down; a rest that nobody named, and an open circuit,
give way when everything else was skipped too, for the last deployment is better than none. After a failure this goes on to
another credential where that may help, else to the next deployment if it may not share the failure, else it ends.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from anykey.conversation.failures import Failure
from anykey.exchange.affinity import Turn
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import AttemptFailed, may_go_elsewhere
from anykey.exchange.state import FOREIGN_STATE
from anykey.exchange.ways import WayOut
from anykey.exchange.wellbeing import Block
from anykey.routing.health import is_about_credential
from anykey.routing.plan import Plan, PlanStep
from anykey.routing.pool import in_order
from anykey.routing.retry import MOST_ATTEMPTS, has_status
from anykey.storage import attempts
from anykey.storage.attempts import MOST_RECORDS, Place

_TELLING = (
    "context_too_long",
    "content_blocked",
    "rate_limited",
    "overloaded",
    "unavailable",
    "upstream_timeout",
    "upstream_error",
    "quota_exhausted",
    "upstream_refused_credential",
    "model_not_found",
    "not_found",
)
"""Of several failures the client is told the first of these: what it can do something about, then what passes, then what only
the operator can change. A kind that is not here is about its request, and comes before all."""
PATIENCE = 2
"""How many times the longest first byte may have passed when another try begins: one may be silent to its end."""
_GOES_FURTHER = frozenset({"context_too_long", "content_blocked"})


class Try(NamedTuple):
    """One call to be made. ``strip``: why it must carry no reasoning state; ``""``: it may. ``renewed``: its access token is
    a new one, since the last was refused."""

    way: WayOut
    strip: str = ""
    renewed: bool = False


class Tries:
    """Iterate it, make each try, and tell ``failed`` what became of it; the next one depends on that."""

    def __init__(self, exchange: Exchange, plan: Plan, gateway: Gateway) -> None:
        self._exchange = exchange
        self._plan = plan
        self._gateway = gateway
        self._began = exchange.began
        self._told: list[AttemptFailed] = []
        self._blocks: list[Block] = []
        self._tried: list[WayOut] = []
        self._last: AttemptFailed | None = None
        self._last_step: PlanStep | None = None
        self._patience_s = 0.0

    def __iter__(self) -> Iterator[Try]:
        yield from self._through(self._gateway.affinity.order(self._exchange, self._plan))
        further = self._further()
        if further is not None:
            yield from self._through(Turn(step) for step in further)

    def failed(self, attempt: Try, error: AttemptFailed) -> None:
        """The try gave no answer."""
        self._tried.append(attempt.way)
        self._last = error
        self._last_step = attempt.way.step
        error.step = None if error.unpaid else attempt.way.step
        self._told.append(error)
        self._patience_s = max(self._patience_s, PATIENCE * attempt.way.timeouts.first_byte_s)

    def telling(self) -> AttemptFailed:
        """What the client is to be told, after the last try."""
        note_left_out(self._exchange, self._plan, self._gateway)
        told = [error for error in self._told if not error.unsendable] or self._told
        if not told:
            return AttemptFailed(_best([block.failure for block in self._blocks]))
        limited = all(error.failure.kind == "rate_limited" for error in told)
        if limited and all(block.failure.kind == "rate_limited" for block in self._blocks):
            waits = [block.wait_s for block in self._blocks if block.firm]
            return _soonest(told, waits)
        return min(reversed(told), key=lambda error: _rank(error.failure))

    # In what order

    def _through(self, turns: Iterable[Turn]) -> Iterator[Try]:
        spare: Try | None = None
        for step, foreign in turns:
            strip = FOREIGN_STATE if foreign else ""
            for way in self._ways(step):
                block = None if self._gateway.wellbeing.all_well else self._gateway.wellbeing.block(way.pair)
                if not self._was_tried(way):
                    if block is not None:
                        self._skip(way, block)
                        spare = spare or (None if block.firm else Try(way, strip))
                        continue
                    yield Try(way, strip)
                if self._is_over():
                    return
                if self._last is not None and (self._last.unpaid or not is_about_credential(self._last.failure)):
                    break
            if not self._goes_on_after(step):
                return
        if spare is not None and not self._told:
            yield spare

    def _ways(self, step: PlanStep) -> Iterator[WayOut]:
        """The step's credentials, in an order of their own for each call or each conversation."""
        gateway, credentials = self._gateway, step.endpoint.credentials
        if len(credentials) < 2:
            yield gateway.ways.first(step)
            return
        roll = gateway.affinity.roll(self._exchange, self._plan)
        for credential in in_order(credentials, random.random() if roll is None else roll):  # noqa: S311 - a choice, no secret
            yield gateway.ways.of(step, credential)

    def _was_tried(self, way: WayOut) -> bool:
        """Before there were alternatives to be looked for."""
        return any(way.step is tried.step and way.mark == tried.mark for tried in self._tried)

    def _goes_on_after(self, step: PlanStep) -> bool:
        """The next deployment may be asked."""
        error = self._last
        if error is None or self._last_step is not step or error.unsendable:
            return True
        if step.on_status:
            return has_status(error.failure, step.on_status)
        return may_go_elsewhere(error.failure)

    def _is_over(self) -> bool:
        """Enough was tried: as often as is sensible, or for as long as one of them may take to begin."""
        elapsed_s = self._gateway.monotonic() - self._began
        return self._exchange.attempts >= MOST_ATTEMPTS or elapsed_s > self._patience_s

    def _further(self) -> Iterable[PlanStep] | None:
        """Who may still answer a call that was too long, or that a filter refused."""
        error = self._last
        if error is None or error.failure.kind not in _GOES_FURTHER or self._is_over():
            return None
        return self._plan.after(error.failure.kind, self._last_step, self._gateway.wellbeing)

    def _skip(self, way: WayOut, block: Block) -> None:
        self._blocks.append(block)
        if len(self._exchange.attempt_log) < MOST_RECORDS:
            began_ms = int((self._gateway.monotonic() - self._began) * 1000)
            record = attempts.skipped(place_of(way), began_ms, block.why, block.failure, block.wait_s)
            self._exchange.note_attempt(record)


def place_of(way: WayOut) -> Place:
    """Whom a record of a try on this way is about."""
    credential = way.credential.id if way.credential is not None else None
    return Place(way.step.deployment.id, credential, way.step.endpoint.protocol)


def note_left_out(exchange: Exchange, plan: Plan, gateway: Gateway) -> None:
    """Write down what the planner passed over because it rests, unless that was written down already."""
    known = {record.deployment for record in exchange.attempt_log}
    for entry in plan.left_out[:MOST_RECORDS]:
        block = None if entry.deployment in known else gateway.wellbeing.rest(entry.deployment)
        if block is not None:
            exchange.note_attempt(attempts.skipped(Place(entry.deployment), 0, block.why, block.failure, block.wait_s))


def _rank(failure: Failure) -> int:
    return _TELLING.index(failure.kind) if failure.kind in _TELLING else -1


def _best(failures: list[Failure]) -> Failure:
    """Of what was skipped: who may come back soonest, if anybody may."""
    if not failures:
        return Failure("unavailable", "No deployment of this model can be asked at the moment.")
    resting = [failure for failure in failures if failure.kind == "rate_limited"]
    if resting:
        return min(resting, key=lambda failure: failure.retry_after_s or math.inf)
    return min(failures, key=_rank)


def _soonest(told: list[AttemptFailed], waits: list[float]) -> AttemptFailed:
    """All of them refused for now: the last refusal, with the shortest wait that any of them named."""
    last = told[-1]
    named = [error.failure.retry_after_s for error in told if error.failure.retry_after_s is not None] + waits
    if not named or last.failure.retry_after_s == min(named):
        return last
    sooner = AttemptFailed(msgspec.structs.replace(last.failure, retry_after_s=min(named)), last.spoken)
    sooner.step = last.step
    return sooner
