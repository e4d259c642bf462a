"""What a key may spend."""

import pytest

from anykey.accounts.purse import (
    OWNER_KINDS,
    PERIOD_MS,
    PERIODS,
    Budget,
    Purse,
    Rate,
    account_of,
    budget_id,
    in_order,
    purse_of,
    rates_of,
    team_owner,
)

BUDGETS = tuple(
    Budget(budget_id(kind, "x", period), kind, "x", period, 1) for kind in OWNER_KINDS for period in PERIODS
)


def test_periods_grow_and_only_a_lifetime_has_no_length() -> None:
    assert tuple(PERIOD_MS) == PERIODS
    lengths = [length for length in PERIOD_MS.values() if length is not None]
    assert lengths == sorted(lengths) == [18_000_000, 86_400_000, 604_800_000, 2_592_000_000]


def test_budgets_are_in_the_order_of_their_owners_then_their_periods() -> None:
    assert in_order(reversed(BUDGETS)) == BUDGETS
    assert in_order(()) == ()


def test_rates_are_those_that_are_limited() -> None:
    assert rates_of("k", None, None, None) == ()
    assert rates_of("k", 0, None, 3) == (
        Rate("key:k:requests", "key", "k", "requests", 0),
        Rate("key:k:concurrency", "key", "k", "concurrency", 3),
    )


@pytest.mark.parametrize(
    ("prepaid", "budgets", "metered"), [(True, (), True), (False, BUDGETS[:1], True), (True, BUDGETS, True)]
)
def test_what_is_paid_for_is_metered(prepaid: bool, budgets: tuple[Budget, ...], metered: bool) -> None:
    purse = purse_of(("o", "t", "m"), prepaid=prepaid, budgets=reversed(budgets), rates=())
    account = account_of("o", prepaid=prepaid)
    assert purse == Purse("o", "t", "m", account, prepaid, budgets, (), metered)


def test_rates_alone_are_not_metered_and_nothing_is_no_purse() -> None:
    rates = rates_of("k", 1, None, None)
    purse = purse_of(("o", None, None), prepaid=False, budgets=(), rates=rates)
    assert purse == Purse("o", None, None, "postpaid:o", False, (), rates, False)
    assert purse_of(("o", None, None), prepaid=False, budgets=(), rates=()) is None


def test_names() -> None:
    assert (account_of("o", prepaid=True), team_owner("o", "t")) == ("credit:o", "o/t")
