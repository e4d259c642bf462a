"""What an issued key may spend, and how fast: computed where the keys are read, only looked at while a call is served.

A purse names what a call must fit into: the budgets of its organisation, team, member and key, in this order, and the rates
of the key. How much of them is used is not in it. Amounts are nano-USD. A key without any of this has no purse at all, and
its calls are not reserved.
"""

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Period = Literal["lifetime", "5h", "1d", "7d", "30d"]
OwnerKind = Literal["organisation", "team", "member", "key"]
RateUnit = Literal["requests", "tokens", "concurrency"]

PERIODS: tuple[Period, ...] = get_args(Period)
OWNER_KINDS: tuple[OwnerKind, ...] = get_args(OwnerKind)
HOUR_MS = 3_600_000
PERIOD_MS: dict[Period, int | None] = {
    "lifetime": None,
    "5h": 5 * HOUR_MS,
    "1d": 24 * HOUR_MS,
    "7d": 7 * 24 * HOUR_MS,
    "30d": 30 * 24 * HOUR_MS,
}
"""How far back a period looks; None: to the beginning."""

DEFAULT_ORGANISATION = "default"


class Budget(msgspec.Struct, frozen=True):
    """At most `limit_nano` in any `period` that rolls. `owner` is an id; a team's is `ORGANISATION/NAME`."""

    id: str
    owner_kind: OwnerKind
    owner: str
    period: Period
    limit_nano: int


class Rate(msgspec.Struct, frozen=True):
    """At most `limit` requests or tokens a minute, or calls at the same time."""

    id: str
    owner_kind: OwnerKind
    owner: str
    unit: RateUnit
    limit: int


class Purse(msgspec.Struct, frozen=True):
    """Who pays for a key's calls, from which account, within what. `metered`: its calls are reserved before they are made, and
    settled after."""

    organisation: str
    team: str | None
    member_id: str | None
    account: str
    prepaid: bool
    budgets: tuple[Budget, ...]
    rates: tuple[Rate, ...]
    metered: bool


def budget_id(owner_kind: OwnerKind, owner: str, period: Period) -> str:
    """The id of the one budget of an owner and a period, such as `key:abc:5h`."""
    return f"{owner_kind}:{owner}:{period}"


def team_owner(organisation: str, team: str) -> str:
    """How a team is named where budgets belong to it; neither part may have a `/`."""
    return f"{organisation}/{team}"


def account_of(organisation: str, *, prepaid: bool) -> str:
    """The account that the organisation's calls are charged to."""
    return f"{'credit' if prepaid else 'postpaid'}:{organisation}"


def rates_of(key_id: str, requests: int | None, tokens: int | None, concurrency: int | None) -> tuple[Rate, ...]:
    """The rates of a key; None: not limited."""
    limits: tuple[tuple[RateUnit, int | None], ...] = (
        ("requests", requests),
        ("tokens", tokens),
        ("concurrency", concurrency),
    )
    return tuple(
        Rate(f"key:{key_id}:{unit}", "key", key_id, unit, limit) for unit, limit in limits if limit is not None
    )


def in_order(budgets: Iterable[Budget]) -> tuple[Budget, ...]:
    """Sort budgets as they are checked: from the organisation to the key, the lifetime quota first."""
    return tuple(sorted(budgets, key=lambda one: (OWNER_KINDS.index(one.owner_kind), PERIODS.index(one.period))))


def purse_of(
    owners: tuple[str, str | None, str | None],
    *,
    prepaid: bool,
    budgets: Iterable[Budget],
    rates: tuple[Rate, ...],
) -> Purse | None:
    """The purse of a key whose `owners` are an organisation, a team and a member; None where nothing limits it."""
    organisation, team, member_id = owners
    ordered = in_order(budgets)
    metered = prepaid or bool(ordered)
    if not metered and not rates:
        return None
    account = account_of(organisation, prepaid=prepaid)
    return Purse(organisation, team, member_id, account, prepaid, ordered, rates, metered)
