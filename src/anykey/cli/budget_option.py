"""`--budget PERIOD=USD`: limits of money as they are typed, for keys, members, teams and organisations."""

import click

from anykey.accounts.amounts import dollars, nano_of
from anykey.accounts.purse import PERIODS, Budget, OwnerKind, Period, Purse
from anykey.language import say

_PERIODS: dict[str, Period] = {period: period for period in PERIODS}
budget_option = click.option("--budget", multiple=True, metavar="PERIOD=USD", help=say("cli.budgets.option"))


def limits_of(texts: tuple[str, ...]) -> dict[Period, int | None]:
    """The limits in nano-USD by period; one without an amount (`5h=`) is to be taken away."""
    limits: dict[Period, int | None] = {}
    for text in texts:
        word, sign, amount = text.partition("=")
        period = _PERIODS.get(word)
        if period is None or not sign:
            periods = ", ".join(PERIODS)
            raise click.BadParameter(say("cli.budgets.bad", found=text, periods=periods), param_hint="--budget")
        try:
            limits[period] = nano_of(amount) if amount else None
        except ValueError:
            raise click.BadParameter(say("cli.budgets.bad_amount", found=amount), param_hint="--budget") from None
    return limits


def budgets_told(budgets: tuple[Budget, ...]) -> str | None:
    """The limits for a table: `5h $2.00, lifetime $20.00`; None where there are none."""
    return ", ".join(f"{one.period} {dollars(one.limit_nano)}" for one in budgets) or None


def own_budgets(purse: Purse | None, owner_kind: OwnerKind) -> tuple[Budget, ...]:
    """The budgets in a purse that are an owner's of that kind."""
    return () if purse is None else tuple(one for one in purse.budgets if one.owner_kind == owner_kind)
