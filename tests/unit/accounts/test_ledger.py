"""The rules of money, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.accounts.ledger import (
    BECOMES,
    SLICE_MS,
    AccountError,
    BalanceSums,
    BudgetSums,
    Room,
    expired_before,
    kind_of,
    leaves_at,
    organisation_of,
    resets_ms,
    rules,
    slice_of,
)
from anykey.accounts.purse import PERIOD_MS, PERIODS, Period

ROLLING: tuple[Period, ...] = ("5h", "1d", "7d", "30d")
HOUR_MS = 3_600_000


def test_only_what_is_not_final_can_become_something_else() -> None:
    assert {state for state, after in BECOMES.items() if not after} == {"settled", "void"}
    assert all("open" not in after for after in BECOMES.values())


@pytest.mark.parametrize(
    ("account", "kind"), [("cash", "cash"), ("credit:acme", "credit"), ("postpaid:a b", "postpaid")]
)
def test_an_accounts_name_says_its_kind(account: str, kind: str) -> None:
    assert kind_of(account) == kind


@pytest.mark.parametrize("account", ["", "credit", "credit:", "cash:acme", "gold", "Revenue"])
def test_other_names_are_no_accounts(account: str) -> None:
    with pytest.raises(AccountError):
        kind_of(account)


def test_whose_an_account_is() -> None:
    assert (organisation_of("credit:acme"), organisation_of("revenue")) == ("acme", None)


def test_a_lifetime_has_no_slices() -> None:
    assert slice_of("lifetime", 5) is None
    assert leaves_at("lifetime", 0) is None
    assert expired_before("lifetime", 5) is None
    assert [period for period in PERIODS if SLICE_MS[period] is None] == ["lifetime"]


@given(st.sampled_from(ROLLING), st.integers(0, 4 * 10**12), st.integers(0, 10**10))
def test_a_spend_counts_for_at_least_the_period_and_a_slice_more_at_most(
    period: Period, at_ms: int, later: int
) -> None:
    slice_ms = slice_of(period, at_ms)
    assert slice_ms is not None
    leaves, length, width = leaves_at(period, slice_ms), PERIOD_MS[period], SLICE_MS[period]
    assert leaves is not None
    assert length is not None
    assert width is not None
    assert length < leaves - at_ms <= length + width
    expired = expired_before(period, at_ms + later)
    assert expired is not None
    assert (slice_ms <= expired) == (at_ms + later >= leaves)


def test_when_enough_is_free() -> None:
    slices = [(0, 30), (HOUR_MS, 50), (2 * HOUR_MS, 20)]
    now = 3 * HOUR_MS

    def resets(needed: int, held: int = 0) -> int | None:
        return resets_ms("5h", Room(100, 100, held, needed), slices, now)

    assert resets(10) == leaves_at("5h", 0)
    assert resets(30) == leaves_at("5h", 0)
    assert resets(31) == leaves_at("5h", HOUR_MS)
    assert resets(100) == leaves_at("5h", 2 * HOUR_MS)
    assert resets(101) is None
    assert resets_ms("5h", Room(100, 0, 95, 10), [], now) == now + 1000  # only held: free at any moment
    assert resets_ms("lifetime", Room(100, 95, 0, 10), [], now) is None
    assert resets_ms("5h", Room(100, 100, 0, 10), [(-10 * HOUR_MS, 100)], now) == now + 1000


def test_a_right_ledger_breaks_no_rule() -> None:
    balances = [
        BalanceSums("cash", (0, 100, 0, 0), (0, 100, 0, 0)),
        BalanceSums("credit:a", (20, 30, 0, 100), (20, 30, 0, 100)),
        BalanceSums("revenue", (0, 0, 0, 30), (0, 0, 0, 30)),
    ]
    found = rules(balances, [BudgetSums("key:k:5h", 30, 20, 30, 20), BudgetSums("key:k:lifetime", 99, 20, None, 20)])
    assert [rule for rule in found if not rule.holds] == []


@pytest.mark.parametrize(
    ("balances", "budgets", "broken"),
    [
        ([BalanceSums("cash", (0, 1, 0, 0), (0, 1, 0, 0))], [], ["balanced"]),
        ([BalanceSums("credit:a", (5, 0, 0, 0), (5, 0, 0, 0))], [], ["not_negative"]),
        ([BalanceSums("cash", (0, 0, 0, 0), (0, 0, 0, 7))], [], ["credits_posted"]),
        ([BalanceSums("credit:a", (0, 0, 0, 0), (3, 0, 0, 0))], [], ["debits_pending"]),
        ([], [BudgetSums("b", 0, 1, 0, 0)], ["held"]),
        ([], [BudgetSums("b", 2, 0, 1, 0)], ["spent"]),
    ],
)
def test_what_is_wrong_is_named(balances: list[BalanceSums], budgets: list[BudgetSums], broken: list[str]) -> None:
    assert [rule.rule for rule in rules(balances, budgets) if not rule.holds] == broken
