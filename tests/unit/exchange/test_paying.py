import logging
from typing import NamedTuple

import msgspec
import pytest

from anykey.accounts.purse import Budget, Period
from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.usage import Usage
from anykey.exchange.exchange import Exchange
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import AttemptFailed
from anykey.exchange.paying import Hold, hold_of, refusal
from anykey.storage.charges import BudgetState, Opened, Refused, TillDown
from tests.fakes.money import ANSWER_NANO, INPUT_NANO, OUTPUT_NANO
from tests.fakes.till import MemoryTill
from tests.unit.exchange.selling import AT_MS, PREPAID, PURSE, exchange_of, gateway_with, step_of

BODY = b'{"model":"m","max_tokens":64}'
MOST_NANO = 8 * INPUT_NANO + 64 * OUTPUT_NANO
"""29 bytes are at most 8 tokens."""
CARD = b"""
[[rate_cards]]
model = "m"
input = "3.7"
output = "11.3"
[[rate_cards]]
model = "twice"
input = "7.4"
output = "22.6"
[[rate_cards]]
model = "half"
input = "1.85"
output = "5.65"
"""


def state(period: Period, resets_ms: int | None = None, held: int = 0) -> BudgetState:
    return BudgetState(Budget(f"key:k:{period}", "key", "k", period, 10**9), 999_000_000, held, resets_ms)


def full(period: Period = "lifetime", resets_ms: int | None = None) -> Refused:
    return Refused(credit=False, state=state(period, resets_ms), needed_nano=MOST_NANO, available_nano=1)


class Call(NamedTuple):
    """A call that is to be paid."""

    hold: Hold
    exchange: Exchange
    gateway: Gateway

    async def cover(self, deployment: str = "lab/m") -> None:
        await self.hold.cover(step_of(self.gateway, deployment))

    async def refused(self, deployment: str) -> Failure:
        with pytest.raises(AttemptFailed) as caught:
            await self.cover(deployment)
        assert (caught.value.unsendable, caught.value.unpaid) == (True, True)
        return caught.value.failure


def call_of(till: MemoryTill, *, prepaid: bool = False) -> Call:
    exchange, gateway = exchange_of(BODY, purse=PREPAID if prepaid else PURSE), gateway_with(till, CARD)
    exchange.public_model = None
    exchange.model = "asked"
    hold = hold_of(exchange, gateway)
    assert hold is not None
    return Call(hold, exchange, gateway)


async def test_who_is_not_reserved() -> None:
    till = MemoryTill()
    gateway = gateway_with(till)
    assert hold_of(exchange_of(purse=None), gateway) is None
    gateway.every_call = True
    hold = hold_of(exchange_of(purse=None), gateway)
    assert hold is not None
    assert (hold.purse.account, hold.purse.budgets, hold.purse.metered) == ("postpaid:default", (), True)
    gateway.till = None
    assert hold_of(exchange_of(), gateway) is None


async def test_the_most_it_may_cost_is_held_and_more_for_a_dearer_step() -> None:
    till = MemoryTill(Opened((), 7))
    call = call_of(till)
    await call.cover()
    (opening,) = till.opened
    assert (opening.charge_id, opening.at_ms, opening.key_id, opening.estimate_nano) == ("req_1", AT_MS, "k", MOST_NANO)
    assert (opening.deployment, opening.price_id, opening.model, opening.purse) == ("lab/m", "m/v1", "asked", PURSE)
    assert call.hold.opened == Opened((), 7)
    await call.cover("lab/half")
    await call.cover()
    assert till.extended == []
    await call.cover("lab/twice")
    assert till.extended == [MOST_NANO]
    assert len(till.opened) == 1


async def test_what_a_config_sets_in_the_request_is_held_for() -> None:
    till = MemoryTill()
    call = call_of(till)
    body, peek = call.exchange.body, call.exchange.peek
    step = step_of(call.gateway, "lab/m")
    await call.hold.cover(msgspec.structs.replace(step, overrides=(("max_tokens", b"640"), ("n", b"3"))))
    assert till.opened[0].estimate_nano >= 3 * 640 * OUTPUT_NANO
    assert (call.exchange.body, call.exchange.peek) == (body, peek)
    await call.cover()
    assert till.extended == []


async def test_only_what_is_cheaper_is_asked_after_a_refusal() -> None:
    till = MemoryTill(full(), full())
    call = call_of(till)
    failure = await call.refused("lab/m")
    asked = len(till.opened)
    assert await call.refused("lab/m") is failure
    assert await call.refused("lab/twice") is failure
    assert len(till.opened) == asked
    assert call.hold.refused is not None
    till.answers.clear()
    await call.cover("lab/half")
    assert till.opened[-1].estimate_nano <= MOST_NANO // 2 + 1
    assert (call.hold.refused, [one.deployment for one in call.exchange.attempt_log]) == (None, ["lab/m", "lab/twice"])
    assert {one.outcome for one in call.exchange.attempt_log} == {"skipped"}
    assert failure.message == call.exchange.attempt_log[0].reason


async def test_a_refused_extension_leaves_what_is_held() -> None:
    till = MemoryTill(Opened((), None), full(), full())
    call = call_of(till)
    await call.cover()
    await call.refused("lab/twice")
    assert call.hold.close(AT_MS, 0.0)
    assert till.closed[0].state == "void"


async def test_who_pays_beforehand_is_sold_nothing_without_a_price() -> None:
    till = MemoryTill()
    call = call_of(till, prepaid=True)
    failure = await call.refused("lab/new")
    assert (failure.kind, failure.code, till.opened) == ("payment_required", "unpriced_model", [])
    assert not call.hold.close(AT_MS, 0.0)
    await call.cover()
    assert till.opened[0].estimate_nano == MOST_NANO


async def test_others_are_served_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    till = MemoryTill()
    call = call_of(till)
    with caplog.at_level(logging.WARNING, "anykey"):
        for _ in range(2):
            await call.cover("lab/new")
    assert caplog.text.count("lab/new has no price") == 1
    assert (till.opened[0].estimate_nano, till.opened[0].price_id) == (0, None)


async def test_a_till_that_is_down_ends_the_call_and_is_told_of_it() -> None:
    till = MemoryTill(TillDown("x"))
    call = call_of(till)
    with pytest.raises(FailureError) as caught:
        await call.cover()
    failure = caught.value.failure
    assert (failure.kind, failure.code, failure.retry_after_s) == ("unavailable", "till_down", 1.0)
    assert call.hold.close(AT_MS, 0.0)  # nobody knows whether it was opened
    assert till.closed[0].state == "void"


async def test_each_ending_is_settled_so() -> None:
    till = MemoryTill()
    for basis, state_, nano in (("upstream", "settled", ANSWER_NANO), ("free", "void", 0), ("unknown", "unknown", 0)):
        call = call_of(till)
        await call.cover()
        call.exchange.begin_attempt(step_of(call.gateway))
        exchange = call.exchange
        exchange.usage, exchange.complete = Usage(7, output_tokens=3), basis == "upstream"
        exchange.asking = basis == "unknown"
        assert call.hold.close(AT_MS + 5, 1.0)
        closing = till.closed[-1]
        assert (closing.charge_id, closing.state, closing.basis, closing.cost_nano, closing.at_ms) == (
            "req_1",
            state_,
            basis,
            nano,
            AT_MS + 5,
        )
        assert (closing.lines is not None) == (closing.price_id is not None) == (basis == "upstream")
        assert closing.row is not None
        assert (closing.row.id, closing.row.cost_basis) == ("req_1", basis)


@pytest.mark.parametrize(
    ("refused", "kind", "code", "wait_s", "words"),
    [
        (
            Refused(True, None, 3 * 10**8, 10**8),
            "payment_required",
            "insufficient_credit",
            None,
            ["$0.10 of credit", "$0.30"],
        ),
        (full(), "payment_required", "key_budget_lifetime", None, ["of $1.00 $0.999 are spent", "Raise it"]),
        (full("5h", AT_MS + 30_000), "rate_limited", "key_budget_5h", 30.0, ["5 hours", "room again in 30 s"]),
        (full("1d", AT_MS - 5), "rate_limited", "key_budget_1d", 1.0, ["for 1 day"]),
        (full("30d"), "rate_limited", "key_budget_30d", None, ["more than the budget has room for"]),
    ],
)
def test_a_refusal_says_what_is_used_up_and_what_to_do(
    refused: Refused, kind: str, code: str, wait_s: float | None, words: list[str]
) -> None:
    failure = refusal(refused, PREPAID, AT_MS)
    assert (failure.kind, failure.code, failure.retry_after_s) == (kind, code, wait_s)
    assert all(word in failure.message for word in words), failure.message


def test_a_long_wait_is_not_for_an_sdk() -> None:
    assert refusal(full("7d", AT_MS + 61_000), PURSE, AT_MS).should_retry is False
    assert refusal(full("7d", AT_MS + 59_000), PURSE, AT_MS).should_retry is None
    held = Refused(False, state("5h", AT_MS + 9_000, held=5 * 10**8), 1, 0)
    assert "$0.50 held for calls under way" in refusal(held, PURSE, AT_MS).message


TIERED = b'model = "*"\ninput = "3.7"\noutput = "11.3"\ntier_factors = { flex = "0.5", priority = "3" }\n'


@pytest.mark.parametrize(
    ("tier", "times"), [(b'"flex"', 1), (b'"default"', 1), (b'"priority"', 3), (b'"auto"', 3), (b'"other"', 1)]
)
async def test_the_dearest_tier_that_may_be_granted_is_held(tier: bytes, times: int) -> None:
    till = MemoryTill()
    gateway = gateway_with(till, TIERED)
    exchange = exchange_of(b'{"model":"m","max_tokens":64,"service_tier":%b}' % tier)
    hold = hold_of(exchange, gateway)
    assert hold is not None
    await hold.cover(step_of(gateway))
    prompt = -(-len(exchange.body) * 110 // 400)
    assert [one.estimate_nano for one in till.opened] == [times * (prompt * INPUT_NANO + 64 * OUTPUT_NANO)]
