"""Try the plan's deployments in order until one answers.

As long as no byte of an answer was relayed, a failure that another deployment may not share leads to the next one. The first
relayed byte fixes the target. What each try came to is kept in mind (``wellbeing``) and written down (``storage.attempts``).
"""

from __future__ import annotations

import asyncio
import logging
import random
from functools import partial

from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.answer_headers import with_attempts
from anykey.exchange.asking import ask
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import AttemptFailed
from anykey.exchange.overriding import apply_overrides
from anykey.exchange.ports import Reply
from anykey.exchange.shadow import cast_shadows
from anykey.exchange.tries import Tries, Try, note_left_out, place_of
from anykey.exchange.ways import WayOut
from anykey.exchange.wellbeing import NO_TICKET
from anykey.routing.health import bearing_of
from anykey.routing.plan import Plan
from anykey.routing.retry import BACKOFF_MOST_S, MOST_ATTEMPTS, backoff_s, may_retry, wants_retry
from anykey.storage import attempts

log = logging.getLogger(__name__)

STATE_REFUSED = "the upstream refused the state it was sent"


async def attempt_in_order(exchange: Exchange, plan: Plan, reply: Reply, gateway: Gateway) -> None:
    """Relay the first answer that a deployment of ``plan`` gives. FailureError: the most telling failure of all."""
    if plan.shadow:
        cast_shadows(exchange, plan, gateway)
    first: tuple[Try, AttemptFailed] | None = None
    steps = plan.steps
    if (
        isinstance(steps, tuple)
        and len(steps) == 1
        and gateway.wellbeing.all_well
        and len(steps[0].endpoint.credentials) < 2
    ):
        # Nothing to choose and nobody to look after: the way of nearly every call.
        way = gateway.ways.first(steps[0])
        try:
            await try_once(exchange, Try(way), reply, gateway)
        except AttemptFailed as error:
            first = Try(way), error
        else:
            return
    await _Course(exchange, plan, reply, gateway).run(first)


async def try_once(exchange: Exchange, attempt: Try, reply: Reply, gateway: Gateway, *, choice: bool = False) -> None:
    """One upstream call, counted and timed. AttemptFailed: no answer was relayed. ``choice`` as ``Wellbeing.failed`` takes it."""
    way, strip, renewed = attempt
    wellbeing = gateway.wellbeing
    deployment = way.step.deployment.id
    if exchange.hold is not None:
        await exchange.hold.cover(way.step)
    exchange.begin_attempt(way.step)
    began = wellbeing.begin(deployment)
    ticket = NO_TICKET if wellbeing.all_well else wellbeing.enter(way.pair)
    if ticket.probe:
        exchange.on_content = partial(
            wellbeing.answered, way.pair, ticket
        )  # others need not wait for the end of a long answer
    try:
        if way.step.overrides:
            await _ask_overridden(exchange, way, strip, reply, gateway)
        else:
            await ask(exchange, way, strip, reply, gateway)
    except AttemptFailed as error:
        exchange.on_content = None
        exchange.asking = False
        exchange.outcome_unknown |= error.unknown
        _note_failure(exchange, way, error, began, gateway)
        error.token_refused &= not renewed  # only a fresh token that is refused tells something of the credential
        if error.unsendable or error.token_refused or _is_callers(exchange, way, error.failure):
            wellbeing.released(way.pair, ticket)
        else:
            wellbeing.failed(way.pair, ticket, error.failure, choice=choice)
        raise
    except BaseException:
        wellbeing.released(way.pair, ticket)
        raise
    finally:
        wellbeing.end(deployment)
    now = gateway.monotonic()
    wellbeing.timed(deployment, began, exchange.first_token_at or now)
    if not wellbeing.all_well:
        wellbeing.answered(way.pair, ticket)
    if exchange.attempt_log or exchange.reconnected:
        _note_answer(exchange, way, began, now)


class _Course:
    """One call's way through its tries, where there is a choice or the first one failed."""

    def __init__(self, exchange: Exchange, plan: Plan, reply: Reply, gateway: Gateway) -> None:
        self._exchange = exchange
        self._plan = plan
        self._reply = reply
        self._gateway = gateway
        self._tries = Tries(exchange, plan, gateway)

    async def run(self, first: tuple[Try, AttemptFailed] | None) -> None:
        """Until one answers. ``first``: what was tried already. FailureError: none did."""
        if first is not None and await self._repeated(*first):
            return
        for attempt in self._tries:
            note_left_out(self._exchange, self._plan, self._gateway)
            error = await self._error_of(attempt)
            if error is None or await self._repeated(attempt, error):
                self._gateway.affinity.remember(self._exchange, self._plan, attempt.way.step)
                return
        note_left_out(self._exchange, self._plan, self._gateway)
        await self._give_up(self._tries.telling())

    async def _error_of(self, attempt: Try) -> AttemptFailed | None:
        """What became of a try; None: it was answered."""
        try:
            await try_once(self._exchange, attempt, self._reply, self._gateway, choice=not self._plan.single)
        except AttemptFailed as error:
            return error
        return None

    async def _repeated(self, attempt: Try, error: AttemptFailed) -> bool:
        """Try the same again as far as that makes sense after ``error``. True: then it was answered."""
        while (again := self._mended(attempt, error)) is not None:
            mended = await self._error_of(again)
            if mended is None:
                return True
            attempt, error = again, mended
        retries = 0
        while (wait_s := self._retry_after_s(attempt, error, retries)) is not None:
            retries += 1
            self._gateway.wellbeing.retrying += 1
            try:
                await asyncio.sleep(wait_s)
                answer = await self._error_of(attempt)
            finally:
                self._gateway.wellbeing.retrying -= 1
            if answer is None:
                return True
            error = answer
        self._tries.failed(attempt, error)
        return False

    def _mended(self, attempt: Try, error: AttemptFailed) -> Try | None:
        """The same without what the upstream did not take: the reasoning state, or an access token that is good no more."""
        way = attempt.way
        if error.state_refused and not attempt.strip:
            log.info("%s: %s refused the reasoning state: %s", self._exchange.request_id, way.step.deployment.id, error)
            return attempt._replace(strip=STATE_REFUSED)
        if error.token_refused and way.credential is not None:
            log.info("%s: %s refused the access token", self._exchange.request_id, way.step.deployment.id)
            self._gateway.tokens.forget(way.scheme, way.credential.secret)
            return attempt._replace(renewed=True)
        return None

    def _retry_after_s(self, attempt: Try, error: AttemptFailed, retries: int) -> float | None:
        """How long to wait before the same deployment is asked again, as its ``retry`` wants it; None: it is not."""
        exchange, wellbeing = self._exchange, self._gateway.wellbeing
        if error.unsendable or not wants_retry(attempt.way.step.retry, error.failure, retries):
            return None
        if exchange.attempts >= MOST_ATTEMPTS or not may_retry(wellbeing.under_way, wellbeing.retrying):
            return None
        wait_s = backoff_s(retries, random.random())  # noqa: S311 - spreads load, keeps no secret
        block = wellbeing.block(attempt.way.pair)
        if block is not None and block.firm:
            wait_s = max(wait_s, block.wait_s)
        return wait_s if wait_s <= BACKOFF_MOST_S else None

    async def _give_up(self, error: AttemptFailed) -> None:
        exchange, reply = self._exchange, self._reply
        exchange.forget_answer()
        exchange.step = error.step
        if error.spoken is None or reply.started:
            raise FailureError(error.failure)
        exchange.failure = error.failure
        exchange.status = error.spoken.status
        status, headers, body = error.spoken
        await reply.whole(status, with_attempts(headers, exchange.attempts), body)


async def _ask_overridden(exchange: Exchange, way: WayOut, strip: str, reply: Reply, gateway: Gateway) -> None:
    """Ask with the fields of the request that the step sets to something else; the next step gets the request as it came."""
    body = exchange.body
    try:
        exchange.body = apply_overrides(body, way.step.overrides)
        await ask(exchange, way, strip, reply, gateway)
    finally:
        exchange.body = body


def _is_callers(exchange: Exchange, way: WayOut, failure: Failure) -> bool:
    """The failure is of the caller's making and says nothing that others should heed: he would wait no longer, a host of his own
    does not take what he sent it, or the demo plays the failure he asked for."""
    if way.step.endpoint.built_in:
        return True
    said = exchange.directions
    if way.step.custom is not None:
        return bearing_of(failure) not in ("none", "circuit")
    hurried = said.timeout_s is not None or (said.config is not None and way.step.timeout_s is not None)
    return hurried and failure.kind == "upstream_timeout" and failure.upstream_status is None


def _note_failure(exchange: Exchange, way: WayOut, error: AttemptFailed, began: float, gateway: Gateway) -> None:
    log.info("%s: %s failed: %s", exchange.request_id, way.step.deployment.id, error.failure.message)
    began_ms, took_ms = int((began - exchange.began) * 1000), int((gateway.monotonic() - began) * 1000)
    place = place_of(way)._replace(reconnected=exchange.reconnected)
    exchange.note_attempt(attempts.failed(place, exchange.attempts, began_ms, took_ms, error.failure))


def _note_answer(exchange: Exchange, way: WayOut, began: float, now: float) -> None:
    began_ms, took_ms = int((began - exchange.began) * 1000), int((now - began) * 1000)
    place = place_of(way)._replace(reconnected=exchange.reconnected)
    exchange.note_attempt(attempts.answered(place, exchange.attempts, began_ms, took_ms, exchange.status))
