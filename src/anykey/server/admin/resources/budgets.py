"""Budgets: how much an organisation, a team, a member or a key may spend in a lifetime or a rolling period."""

from typing import Annotated

from fastapi import Query

from anykey.accounts.purse import Budget, OwnerKind, Period
from anykey.administration.budgets import list_budgets, set_budgets
from anykey.server.admin.resources.keys import LimitsUsd, limits_nano
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Listed, Told, Word, listed, usd
from anykey.storage.paging import page_of

BUDGETS = Resource("budgets")


class BudgetTold(Told):
    """At most `limit_usd` in any `period` that rolls. A team's `owner` is `ORGANISATION/NAME`, the others' an id."""

    id: str
    owner_kind: OwnerKind
    owner: str
    period: Period
    limit_nano: int
    limit_usd: str | None


class BudgetFilter(Filter):
    """Those of one kind of owner, or of one owner."""

    owner_kind: OwnerKind | None = None
    owner: Word | None = None


class BudgetLimits(Asked):
    """Whose limits, and those of some periods; the others stay as they are. `owner`: an id or a name; `organisation`: whose team
    or member it is, not sent: the caller's own."""

    owner_kind: OwnerKind
    owner: Word
    organisation: Word | None = None
    limits_usd: LimitsUsd


class BudgetsTold(Told):
    """What is in force for an owner."""

    items: list[BudgetTold]


@BUDGETS.operation("GET", "/admin/v1/budgets", permission="budgets:read")
def budgets_list(caller: Calling, query: Annotated[BudgetFilter, Query()]) -> Listed[BudgetTold]:
    """List the budgets in force."""
    rows = [
        one
        for one in list_budgets(caller.home, actor=caller.actor)
        if query.owner_kind in (None, one.owner_kind) and query.owner in (None, one.owner)
    ]
    return listed(page_of(rows, lambda one: (one.id,), query.cursor, query.limit), told)


@BUDGETS.operation("PUT", "/admin/v1/budgets", permission="limits:write")
def budgets_set(caller: Calling, body: BudgetLimits) -> BudgetsTold:
    """Set the limits of some periods of an owner; in force within a second."""
    found = set_budgets(
        caller.home,
        body.owner_kind,
        body.owner,
        limits_nano(body.limits_usd, "limits_usd"),
        organisation=body.organisation,
        actor=caller.actor,
    )
    return BudgetsTold(items=[told(one) for one in found])


def told(budget: Budget) -> BudgetTold:
    """The budget."""
    return BudgetTold(
        id=budget.id,
        owner_kind=budget.owner_kind,
        owner=budget.owner,
        period=budget.period,
        limit_nano=budget.limit_nano,
        limit_usd=usd(budget.limit_nano),
    )
