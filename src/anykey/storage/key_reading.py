"""The issued keys with what their organisation, team and member make of them, in one look. No SQLAlchemy: the server reads these.

Law: what is closed opens nothing. The key of an organisation or team that is closed, of a member who was removed, or of one that
is not there (any more), is read as revoked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Budget, OwnerKind, purse_of, rates_of, team_owner
from anykey.storage.budget_limits import read_budgets

if TYPE_CHECKING:
    from anykey.storage.database import Connection

COLUMNS = (
    "id",
    "name",
    "digest",
    "last4",
    "created_at",
    "revoked_at",
    "strict",
    "group_name",
    "team",
    "allowed_models",
    "config",
    "metadata",
    "admin",
    "member_id",
    "ip_allow",
    "ip_deny",
    "logging",
    "organisation",
    "expires_at",
    "requests_per_minute",
    "tokens_per_minute",
    "concurrency",
    "logging_days",
    "previous_digest",
    "previous_until",
)
"""The columns of api_keys; each is the field of `ApiKey` with its name."""

LISTS = frozenset(("allowed_models", "ip_allow", "ip_deny"))
_FLAGS = frozenset(("strict", "admin"))

_KEYS = f"SELECT {', '.join(COLUMNS)} FROM api_keys ORDER BY created_at, id"  # noqa: S608 - our own words
_ORGANISATIONS = "SELECT id, prepaid, allowed_models, closed_at FROM organisations"
_TEAMS = "SELECT organisation, name, allowed_models, closed_at FROM teams"
_MEMBERS = "SELECT id, organisation, team, role, removed_at FROM members"

Caps = tuple[tuple[str, tuple[str, ...]], ...]


class _Organisation(NamedTuple):
    prepaid: bool
    caps: Caps
    ended_at: int | None


class _Team(NamedTuple):
    caps: Caps
    ended_at: int | None


class _Member(NamedTuple):
    organisation: str
    team: str | None
    role: str
    ended_at: int | None


class _Tenants(NamedTuple):
    organisations: Mapping[str, _Organisation]
    teams: Mapping[tuple[str, str], _Team]
    members: Mapping[str, _Member]
    budgets: Mapping[tuple[OwnerKind, str], tuple[Budget, ...]]


def read_keys(connection: Connection) -> Mapping[str, ApiKey]:
    """All keys ever issued by id, oldest first. Call it in a transaction where what it reads must be of one moment; a change in
    between also counts the key generation up, so that who watches it reads again."""
    tenants = _tenants(connection)
    return MappingProxyType({row[0]: _standing(_plain(row), tenants) for row in connection.execute(_KEYS)})


def _plain(row: Sequence[Any]) -> ApiKey:
    """The key as its own row has it."""
    return ApiKey(**{name: _read(name, value) for name, value in zip(COLUMNS, row, strict=True)})


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _FLAGS:
        return bool(value)
    if name in LISTS:
        return tuple(json.loads(value))
    return json.loads(value) if name == "metadata" else value


def _standing(key: ApiKey, tenants: _Tenants) -> ApiKey:
    """The key with its purse, its caps, its member's role and team, and the end that one of these puts to it."""
    gone = key.created_at
    organisation = tenants.organisations.get(key.organisation) or _Organisation(False, (), gone)
    member = None if key.member_id is None else tenants.members.get(key.member_id)
    if key.member_id is not None and (member is None or member.organisation != key.organisation):
        member = _Member(key.organisation, None, "viewer", gone)
    team = key.team or (member.team if member is not None else None)
    own_team = tenants.teams.get((key.organisation, team)) if team is not None else None
    ends = (organisation.ended_at, own_team and own_team.ended_at, member and member.ended_at, key.revoked_at)
    owners: list[tuple[OwnerKind, str]] = [("organisation", key.organisation), ("key", key.id)]
    if team is not None:
        owners.append(("team", team_owner(key.organisation, team)))
    if key.member_id is not None:
        owners.append(("member", key.member_id))
    return _with(
        key,
        team=team,
        role=None if member is None else member.role,
        revoked_at=min((end for end in ends if end is not None), default=None),
        caps=organisation.caps + (own_team.caps if own_team is not None else ()),
        purse=purse_of(
            (key.organisation, team, key.member_id),
            prepaid=organisation.prepaid,
            budgets=[budget for owner in owners for budget in tenants.budgets.get(owner, ())],
            rates=rates_of(key.id, key.requests_per_minute, key.tokens_per_minute, key.concurrency),
        ),
    )


def _with(key: ApiKey, **changes: Any) -> ApiKey:
    return ApiKey(**{name: getattr(key, name) for name in COLUMNS} | changes)


def _tenants(connection: Connection) -> _Tenants:
    members = {row[0]: _Member(*row[1:]) for row in connection.execute(_MEMBERS)}
    return _Tenants(
        {
            row[0]: _Organisation(bool(row[1]), _caps("the organisation", row[2]), row[3])
            for row in connection.execute(_ORGANISATIONS)
        },
        {(row[0], row[1]): _Team(_caps(f"the team {row[1]}", row[2]), row[3]) for row in connection.execute(_TEAMS)},
        members,
        read_budgets(connection),
    )


def _caps(source: str, text: str | None) -> Caps:
    return () if text is None else ((source, tuple(json.loads(text))),)
