"""`--budget PERIOD=USD`."""

import click
import pytest

from anykey.accounts.purse import Budget, purse_of
from anykey.cli.budget_option import budgets_told, limits_of, own_budgets

OWN = Budget("key:k:5h", "key", "k", "5h", 2_500_000_000)
THEIRS = Budget("organisation:o:1d", "organisation", "o", "1d", 1)


def test_limits_are_exact_and_an_empty_amount_takes_away() -> None:
    assert limits_of(("5h=2.5", "lifetime=0.000000001", "1d=")) == {"5h": 2_500_000_000, "lifetime": 1, "1d": None}
    assert limits_of(()) == {}


@pytest.mark.parametrize("text", ["5h", "2h=1", "5h=-1", "5h=1e3", "5h=0.0000000001", "=1"])
def test_what_is_no_budget(text: str) -> None:
    with pytest.raises(click.BadParameter):
        limits_of((text,))


def test_a_table_tells_an_owners_own() -> None:
    purse = purse_of(("o", None, None), prepaid=False, budgets=(OWN, THEIRS), rates=())
    assert own_budgets(purse, "key") == (OWN,)
    assert own_budgets(None, "key") == ()
    assert budgets_told((OWN,)) == "5h $2.50"
    assert budgets_told(()) is None
