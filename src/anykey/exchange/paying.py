"""The money of a call whose key pays by reservation: held before the first byte goes upstream, settled once when it is over.

The hold is for the step that is about to be asked; a later one that is dearer has it extended. A step that the purse has no room
for is skipped, and so are all that cost as much or more: nobody else is asked because a purse is empty, unless it is cheaper. Who
pays beforehand is sold nothing that has no price.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import NoReturn

from anykey.accounts.amounts import dollars
from anykey.accounts.keys import ApiKey
from anykey.accounts.ledger import Basis
from anykey.accounts.pricing import Priced, estimate_nano, lines_text
from anykey.accounts.purse import Purse, account_of
from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.costing import prices_asked, reckon, warn_unpriced
from anykey.exchange.exchange import Exchange
from anykey.exchange.foreseen import Foreseen, foresee
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import AttemptFailed
from anykey.exchange.overriding import apply_overrides
from anykey.exchange.ports import Till
from anykey.providers.rate_cards import ONE
from anykey.routing.configured import DEFAULT_GROUP
from anykey.routing.plan import PlanStep
from anykey.storage import attempts
from anykey.storage.attempts import MOST_RECORDS, Place
from anykey.storage.charges import BudgetState, Closing, Ending, Opened, Opening, Refused, TillDown

log = logging.getLogger(__name__)

TRY_AGAIN_S = 1.0
SHORT_WAIT_S = 60.0
"""A client's SDK may wait so long for itself; beyond that it is told to give up."""
_WINDOWS = {"5h": "5 hours", "1d": "1 day", "7d": "7 days", "30d": "30 days"}
_ENDINGS: dict[Basis, Ending] = {"free": "void", "unknown": "unknown"}


def hold_of(exchange: Exchange, gateway: Gateway) -> Hold | None:
    """The hold of a call that is to be reserved; None: it is not."""
    key, till = exchange.key, gateway.till
    if key is None or till is None:
        return None
    purse = key.purse
    if purse is None or not purse.metered:
        if not gateway.every_call:
            return None
        purse = _unlimited(key)
    return Hold(exchange, purse, till, gateway)


def _unlimited(key: ApiKey) -> Purse:
    account = account_of(key.organisation, prepaid=False)
    return Purse(key.organisation, key.team, key.member_id, account, prepaid=False, budgets=(), rates=(), metered=True)


class Hold:
    """``opened``: how the budgets and the wallet stood when the call was let in, ``refused`` why it was not."""

    def __init__(self, exchange: Exchange, purse: Purse, till: Till, gateway: Gateway) -> None:
        self.purse = purse
        self.opened: Opened | None = None
        self.refused: Refused | None = None
        self._exchange = exchange
        self._till = till
        self._gateway = gateway
        self._asked = False
        self._held_nano = 0
        self._too_dear: tuple[int, Failure] | None = None

    async def cover(self, step: PlanStep) -> None:
        """Hold what the call may cost at ``step``. AttemptFailed: it must not be asked. FailureError: nobody may be."""
        if step.overrides:
            with _overridden(self._exchange, step):
                await self._cover(step)
        else:
            await self._cover(step)

    async def _cover(self, step: PlanStep) -> None:
        prices = prices_asked(self._exchange, step, self._gateway)
        if None in prices:
            if self.purse.prepaid:
                self._skip(step, unpriced(self._exchange.model))
            warn_unpriced(step, self._gateway)
        priced = [price for price in prices if price is not None]
        needed_nano, price_id = self._needed(step, priced)
        failure = await self._reserve(step, price_id, needed_nano)
        if failure is not None and priced and self._prediction.count_exactly():
            needed_nano, price_id = self._needed(step, priced)
            failure = await self._reserve(step, price_id, needed_nano)
        if failure is not None:
            self._too_dear = (needed_nano, failure)
            self._skip(step, failure)

    def close(self, at_ms: int, now: float) -> bool:
        """Settle what is held, and leave the usage row with it; ``now`` as ``Exchange.row`` takes it. False: nothing is held."""
        if not self._asked:
            return False
        exchange = self._exchange
        reckon(exchange, self._gateway)
        cost, basis = exchange.cost, exchange.cost_basis or "free"
        self._till.close(
            Closing(
                charge_id=exchange.request_id,
                state=_ENDINGS.get(basis, "settled"),
                cost_nano=0 if cost is None else cost.cost_nano,
                basis=basis,
                price_id=exchange.price_id,
                lines=None if cost is None else lines_text(cost),
                at_ms=at_ms,
                row=exchange.row(now),
            )
        )
        return True

    @property
    def _prediction(self) -> Foreseen:
        exchange = self._exchange
        if exchange.foreseen is None:
            exchange.foreseen = foresee(exchange)
        return exchange.foreseen

    def _needed(self, step: PlanStep, prices: list[Priced]) -> tuple[int, str | None]:
        """Nano-USD that the call may cost at ``step`` by the dearest of the cards it may be sold by, and that card's id; what has
        no price needs nothing."""
        if not prices:
            return 0, None
        gateway = self._gateway
        group = gateway.snapshot.groups.get(self._exchange.group or DEFAULT_GROUP)
        multiplier = ONE if group is None else group.price_multiplier
        prompt, output = self._prediction.tokens(step, gateway, gateway.assumed_output_tokens)
        return max([(estimate_nano(price.card, prompt, output, multiplier), price.card.id) for price in prices])

    async def _reserve(self, step: PlanStep, price_id: str | None, needed_nano: int) -> Failure | None:
        """Hold so much in all. None: it is held. FailureError: the till does not answer."""
        if self._asked and needed_nano <= self._held_nano:
            return None
        if self._too_dear is not None and needed_nano >= self._too_dear[0]:
            return self._too_dear[1]
        try:
            refused = await self._ask(step, price_id, needed_nano)
        except TillDown as error:
            log.warning("%s: %s", self._exchange.request_id, error)
            message = "The gateway cannot reserve the cost of this call at the moment. Try again."
            raise FailureError(Failure("unavailable", message, code="till_down", retry_after_s=TRY_AGAIN_S)) from None
        if refused is None:
            self._held_nano = needed_nano
            return None
        self.refused = refused
        return refusal(refused, self.purse, self._exchange.at_ms)

    async def _ask(self, step: PlanStep, price_id: str | None, needed_nano: int) -> Refused | None:
        exchange = self._exchange
        if self._asked:
            return await self._till.extend(exchange.request_id, self.purse, needed_nano - self._held_nano)
        assert exchange.key is not None  # noqa: S101 - who has a hold has a key
        self._asked = True  # whatever becomes of it, it is closed
        answer = await self._till.open(
            Opening(
                charge_id=exchange.request_id,
                at_ms=exchange.at_ms,
                key_id=exchange.key.id,
                purse=self.purse,
                client=exchange.client,
                client_protocol=exchange.codec.name,
                model=exchange.model,
                deployment=step.deployment.id,
                price_id=price_id,
                estimate_nano=needed_nano,
            )
        )
        if isinstance(answer, Refused):
            self._asked = False
            return answer
        self.opened, self.refused = answer, None
        return None

    def _skip(self, step: PlanStep, failure: Failure) -> NoReturn:
        """AttemptFailed, always; the first word of each deployment is written down."""
        exchange = self._exchange
        known = any(record.deployment == step.deployment.id for record in exchange.attempt_log)
        if not known and len(exchange.attempt_log) < MOST_RECORDS:
            place = Place(step.deployment.id, None, step.endpoint.protocol)
            began_ms = int((self._gateway.monotonic() - exchange.began) * 1000)
            exchange.note_attempt(attempts.skipped(place, began_ms, failure.message, failure))
        error = AttemptFailed(failure, unsendable=True)
        error.unpaid = True
        raise error


@contextmanager
def _overridden(exchange: Exchange, step: PlanStep) -> Generator[None]:
    """The call as it will go out at ``step``, whose config sets fields of it: how long and how many its answers are may be among
    them, and a caller may bring a config of his own."""
    kept = exchange.body, exchange.peek, exchange.foreseen
    exchange.body = apply_overrides(exchange.body, step.overrides)
    if exchange.body is not kept[0]:
        exchange.foreseen = None
        with suppress(FailureError):
            exchange.peek = exchange.codec.peek(exchange.body, exchange.path)
    try:
        yield
    finally:
        exchange.body, exchange.peek, exchange.foreseen = kept


def refusal(refused: Refused, purse: Purse, now_ms: int) -> Failure:
    """What the caller is told: what is used up, how much of it there is, when that changes, and what can be done."""
    needed = f"this call may cost up to {dollars(refused.needed_nano)}"
    if refused.credit or refused.state is None:
        message = (
            f"The organisation {purse.organisation!r} has {dollars(max(refused.available_nano, 0))} of credit left, "
            f"and {needed}. Top up its wallet, or allow a shorter answer."
        )
        return Failure("payment_required", message, code="insufficient_credit", should_retry=False)
    return _spent(refused.state, needed, now_ms)


def _spent(state: BudgetState, needed: str, now_ms: int) -> Failure:
    budget = state.budget
    code = f"{budget.owner_kind}_budget_{budget.period}"
    held = f" and {dollars(state.held_nano)} held for calls under way" if state.held_nano else ""
    used = f"of {dollars(budget.limit_nano)} {dollars(state.spent_nano)} are spent{held}, and {needed}"
    whose = f"{budget.owner_kind} {budget.owner!r}"
    if budget.period == "lifetime":
        message = f"The quota of the {whose} does not allow this call: {used}. Raise it, or allow a shorter answer."
        return Failure("payment_required", message, code=code, should_retry=False)
    message = f"The budget of the {whose} for {_WINDOWS[budget.period]} does not allow this call: {used}."
    if state.resets_ms is None:
        message += " It alone is more than the budget has room for; allow a shorter answer."
        return Failure("rate_limited", message, code=code, should_retry=False)
    wait_s = max((state.resets_ms - now_ms) / 1000, TRY_AGAIN_S)
    message += f" There is room again in {math.ceil(wait_s)} s; a shorter answer may fit now."
    stop = False if wait_s > SHORT_WAIT_S else None
    return Failure("rate_limited", message, code=code, retry_after_s=wait_s, should_retry=stop)


def unpriced(model: str) -> Failure:
    """A prepaid key asked for what nobody has set a price for."""
    message = f"The model {model!r} has no price here, and prepaid credit buys nothing without one."
    return Failure("payment_required", message, code="unpriced_model", should_retry=False)
