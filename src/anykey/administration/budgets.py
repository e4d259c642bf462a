"""Set and list budgets: how much an organisation, a team, a member or a key may spend in a lifetime or a rolling period.

An operator limits organisations; within these, an administrator of the organisation limits the rest, never above them.
"""

from collections.abc import Mapping, Sequence

from anykey.accounts.keys import ApiKey
from anykey.accounts.permissions import LOCAL, Actor, may, require
from anykey.accounts.purse import PERIODS, Budget, OwnerKind, Period, team_owner
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.key_lookup import key_for
from anykey.administration.members import require_giving
from anykey.administration.tenants import member_for, note, open_organisation, team_for
from anykey.storage.budget_limits import read_budgets, set_limits
from anykey.storage.database import Connection
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.key_reading import read_keys
from anykey.storage.members import read_members

LIMIT_MOST_NANO = 10**18
Limits = Mapping[Period, int | None]


def set_budgets(
    home: Home,
    owner_kind: OwnerKind,
    owner: str,
    limits: Limits,
    *,
    organisation: str | None = None,
    actor: Actor = LOCAL,
) -> tuple[Budget, ...]:
    """Set the limits (nano-USD) of these periods, None takes one away; the other periods stay as they are. `owner` is an id or a
    name, of a team or member in the organisation (default: the actor's own). Returns what is now in force for the owner."""

    def change(connection: Connection) -> tuple[Budget, ...]:
        name, tenant = _owner(connection, (owner_kind, owner), organisation, actor)
        if owner_kind == "organisation":
            require(actor, "organisations:price", tenant)
        else:
            require(actor, "limits:write", tenant)
            refuse_above(connection, tenant, limits, actor)
        before = read_budgets(connection).get((owner_kind, name), ())
        write_limits(connection, owner_kind, name, limits)
        after = read_budgets(connection).get((owner_kind, name), ())
        note(connection, actor, "budgets.set", (owner_kind, name, tenant), (in_words(before), in_words(after)))
        return after

    return changing_keys(home.database, change)


def list_budgets(home: Home, *, actor: Actor = LOCAL) -> list[Budget]:
    """All in force that the actor may see, by owner: his organisation's, or his own and his keys'."""

    def read(connection: Connection) -> list[Budget]:
        tenants = _tenants(connection)
        return [
            budget
            for owner, budgets in sorted(read_budgets(connection).items())
            if owner in tenants and may(actor, "budgets:read", *tenants[owner])
            for budget in budgets
        ]

    return reading(home.database, read)


def write_limits(connection: Connection, owner_kind: OwnerKind, owner: str, limits: Limits) -> None:
    """Write limits that can be meant. Raises AdministrationError for others."""
    for period, limit in limits.items():
        if period not in PERIODS:
            raise AdministrationError("budgets.bad_period", periods=", ".join(PERIODS))
        if limit is not None and not 0 <= limit <= LIMIT_MOST_NANO:
            raise AdministrationError("budgets.bad_limit")
    set_limits(connection, owner_kind, owner, limits)


def refuse_above(connection: Connection, organisation: str, limits: Limits, actor: Actor) -> None:
    """Raise AdministrationError where somebody of the organisation would set a limit above the organisation's own."""
    if actor.is_operator:
        return
    own = {one.period: one.limit_nano for one in read_budgets(connection).get(("organisation", organisation), ())}
    for period, limit in limits.items():
        if limit is not None and period in own and limit > own[period]:
            raise AdministrationError("budgets.above_organisation", period=period)


def in_words(budgets: Sequence[Budget]) -> dict[str, int]:
    """The limits by period, for the audit log."""
    return {budget.period: budget.limit_nano for budget in budgets}


def _owner(
    connection: Connection, owner: tuple[OwnerKind, str], organisation: str | None, actor: Actor
) -> tuple[str, str]:
    """How the owner is named where budgets are kept, and the organisation it is of. What the actor may not see is not there."""
    kind, reference = owner
    if kind == "organisation":
        found = open_organisation(connection, reference, actor).id
        return found, found
    if kind == "key":
        key = key_for(connection, reference, actor)
        _refuse_stronger(key, actor)
        return key.id, key.organisation
    tenant = open_organisation(connection, organisation, actor).id
    if kind == "team":
        return team_owner(tenant, team_for(connection, tenant, reference, actor).name), tenant
    member = member_for(connection, tenant, reference, actor)
    require_giving(actor, member.role)
    return member.id, tenant


def _refuse_stronger(key: ApiKey, actor: Actor) -> None:
    if key.role is not None:
        require_giving(actor, key.role)


def _tenants(connection: Connection) -> dict[tuple[OwnerKind, str], tuple[str, str | None]]:
    """Of each owner of a budget, whose it is: an organisation, and the member it belongs to."""
    keys = read_keys(connection).values()
    members = read_members(connection)
    found: dict[tuple[OwnerKind, str], tuple[str, str | None]] = {}
    for kind, name in read_budgets(connection):
        if kind == "organisation":
            found[kind, name] = (name, None)
        elif kind == "team":
            found[kind, name] = (name.partition("/")[0], None)
    found |= {("member", member.id): (member.organisation, member.id) for member in members}
    found |= {("key", key.id): (key.organisation, key.member_id) for key in keys if not key.operator}
    return found
