"""The judge of the crash tests finds what they look for."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.crash.calls import model_of, plan_of, usage_of
from tests.crash.oracle import Balance, Books, Budget, Charge, judge

CALL = 20
COST = usage_of(CALL).cost_nano
RESERVED = 2_000_000


def _charge(number: int = CALL, **more: object) -> Charge:
    """A settled charge of call `number`."""
    plan = plan_of(number)
    values = {
        "id": f"req_{number}",
        "model": model_of(plan.upstream, number),
        "state": "settled",
        "basis": "upstream",
        "reserved_nano": RESERVED,
        "cost_nano": usage_of(number).cost_nano,
        "uncollected_nano": 0,
        "account": "credit:default",
        "budgets": ("key:k:1d",),
    }
    return Charge(**(values | more))  # pyright: ignore[reportArgumentType] - each test names fields that fit


def _books(*charges: Charge, rows: Mapping[str, int | None] | None = None) -> Books:
    """Books whose totals are right."""
    spent = sum(charge.cost_nano for charge in charges)
    held = sum(charge.reserved_nano for charge in charges if charge.state in {"open", "unknown"})
    return Books(
        charges=charges,
        budgets={"key:k:1d": Budget(spent, held)},
        balances={
            "cash": Balance(0, spent, 0),
            "credit:default": Balance(held, spent, spent),
            "revenue": Balance(0, 0, spent),
        },
        rows={charge.id: charge.cost_nano for charge in charges} if rows is None else rows,
    )


def test_what_is_settled_for_the_upstreams_own_usage_is_right() -> None:
    verdict = judge({CALL: 1}, _books(_charge()))
    assert verdict.clean
    assert (verdict.calls, verdict.settled, verdict.unknown) == (1, 1, 0)


def test_what_is_kept_as_unknown_is_not_lost() -> None:
    verdict = judge({CALL: 1}, _books(_charge(state="unknown", basis="unknown", cost_nano=0)))
    assert verdict.clean
    assert verdict.unknown == 1


def test_a_charge_without_an_upstream_call_may_cost_nothing_only() -> None:
    assert judge({}, _books(_charge(state="void", basis="free", cost_nano=0))).clean
    assert judge({}, _books(_charge(state="unknown", basis="unknown", cost_nano=0))).clean
    assert judge({}, _books(_charge())).doubled == (f"call {CALL} costs money and was not answered upstream",)


@pytest.mark.parametrize("charges", [(), (_charge(state="void", basis="free", cost_nano=0),)])
def test_an_answered_call_that_nobody_pays_is_lost(charges: tuple[Charge, ...]) -> None:
    assert len(judge({CALL: 1}, _books(*charges)).lost) == 1


def test_a_call_that_stays_open_is_found() -> None:
    verdict = judge({CALL: 1}, _books(_charge(state="open", cost_nano=0)))
    assert len(verdict.lost) == 1
    assert verdict.wrong == (f"call {CALL} is open still",)


def test_a_call_that_was_sent_or_paid_twice_is_doubled() -> None:
    assert len(judge({CALL: 2}, _books(_charge())).doubled) == 1
    assert len(judge({CALL: 1}, _books(_charge(), _charge(id="req_again"))).doubled) == 1


@pytest.mark.parametrize("change", [{"cost_nano": COST + 1}, {"basis": "unpriced"}, {"cost_nano": 0}])
def test_another_amount_than_the_upstreams_is_wrong(change: dict[str, Any]) -> None:
    assert len(judge({CALL: 1}, _books(_charge(**change))).wrong) == 1


def test_a_client_that_left_pays_what_had_come() -> None:
    left = frozenset({CALL})
    assert judge({CALL: 1}, _books(_charge(basis="estimated", cost_nano=COST // 2)), left).clean
    assert judge({CALL: 1}, _books(_charge(basis="estimated", cost_nano=0)), left).wrong
    assert judge({CALL: 1}, _books(_charge(basis="estimated", cost_nano=RESERVED + 1)), left).wrong


def test_totals_are_the_sums_of_the_charges() -> None:
    good = _books(_charge())
    for broken in (
        good._replace(budgets={"key:k:1d": Budget(COST, 1)}),
        good._replace(budgets={"key:k:1d": Budget(COST - 1, 0)}),
        good._replace(balances={**good.balances, "credit:default": Balance(1, COST, COST)}),
        good._replace(balances={**good.balances, "revenue": Balance(0, 0, COST + 1)}),
        good._replace(rows={}),
        good._replace(rows={f"req_{CALL}": COST + 1}),
    ):
        assert len(judge({CALL: 1}, broken).wrong) == 1, broken


def test_all_kinds_of_calls_come_up() -> None:
    plans = [plan_of(number) for number in range(1, 400)]
    assert (
        len({(plan.client, plan.upstream, plan.stream) for plan in plans if not plan.refused and not plan.leaves}) == 18
    )
    assert any(plan.leaves for plan in plans)
    assert any(plan.refused for plan in plans)
