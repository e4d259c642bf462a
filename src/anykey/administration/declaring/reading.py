"""What is in the database, as a document: everything in force, by name and in the order of names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.accounts.keys import ApiKey
from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.accounts.purse import DEFAULT_ORGANISATION, Budget, OwnerKind, team_owner
from anykey.accounts.written_cards import WrittenCard
from anykey.administration.configs import list_configs
from anykey.administration.declaring.document import (
    VERSION,
    Document,
    KeyEntry,
    MemberEntry,
    OrganisationEntry,
    TeamEntry,
    WebhookEntry,
    moment_text,
)
from anykey.administration.home import Home
from anykey.administration.rate_cards import list_cards, written
from anykey.administration.webhooks import list_webhooks
from anykey.storage.budget_limits import read_budgets
from anykey.storage.database import Connection
from anykey.storage.key_changes import reading
from anykey.storage.key_reading import read_keys
from anykey.storage.members import MemberRow, read_members
from anykey.storage.organisations import OrganisationRow, read_organisations
from anykey.storage.rate_cards import CardRow
from anykey.storage.teams import TeamRow, read_teams
from anykey.storage.webhooks import WebhookRow

N = TypeVar("N", OrganisationRow, TeamRow, MemberRow, ApiKey)
_Budgets = dict[tuple[OwnerKind, str], tuple[Budget, ...]]


class State(NamedTuple):
    """The database as a document, and what its entries are called inside: keys by organisation and name, the rest in the order of
    the document."""

    document: Document
    key_ids: dict[tuple[str, str], str]
    cards: list[CardRow]
    webhooks: list[WebhookRow]
    lasting: str | None
    """The name of the organisation that cannot be ended."""


class _Rows(NamedTuple):
    organisations: list[OrganisationRow]
    teams: list[TeamRow]
    members: list[MemberRow]
    keys: list[ApiKey]
    own_teams: dict[str, str | None]
    budgets: _Budgets


def export_document(home: Home, *, actor: Actor = LOCAL) -> Document:
    """Everything that operators set in the database, but credentials."""
    return read_state(home, actor).document


def read_state(home: Home, actor: Actor) -> State:
    """The same, with what is needed to change it."""
    require(actor, "settings:read", None)
    rows = reading(home.database, _rows)
    cards = list_cards(home, actor=actor)
    names = {row.id: row.name for row in rows.organisations}
    hooks = [
        row
        for row in list_webhooks(home, actor=actor)
        if row.disabled_at is None and (row.organisation is None or row.organisation in names)
    ]
    hooks.sort(key=lambda row: (names.get(row.organisation or "", ""), row.url, sorted(row.events)))
    document = Document(
        anykey=VERSION,
        organisations={row.name: _organisation(row, rows) for row in rows.organisations},
        rate_cards=tuple(msgspec.convert(written(row), WrittenCard) for row in cards),
        configs={row.name: msgspec.json.decode(row.body, type=dict[str, Any]) for row in list_configs(home)},
        webhooks=tuple(_webhook(row, names) for row in hooks),
    )
    key_ids = {(names[key.organisation], key.name): key.id for key in rows.keys if key.organisation in names}
    return State(document, key_ids, cards, hooks, names.get(DEFAULT_ORGANISATION))


def _rows(connection: Connection) -> _Rows:
    own = connection.execute("SELECT id, team FROM api_keys").fetchall()
    return _Rows(
        _by_name(row for row in read_organisations(connection) if row.closed_at is None),
        _by_name(row for row in read_teams(connection) if row.closed_at is None),
        _by_name(row for row in read_members(connection) if row.removed_at is None),
        _by_name(key for key in read_keys(connection).values() if key.revoked_at is None),
        {row[0]: row[1] for row in own},  # a key's own team, not the one it has by its member
        read_budgets(connection),
    )


def _by_name(rows: Iterable[N]) -> list[N]:
    return sorted(rows, key=lambda row: row.name)


def _organisation(row: OrganisationRow, rows: _Rows) -> OrganisationEntry:
    members = {member.id: member for member in rows.members if member.organisation == row.id}
    return OrganisationEntry(
        prepaid=row.prepaid,
        allowed_models=row.allowed_models or (),
        low_balance="" if row.low_balance_nano is None else usd_text(row.low_balance_nano),
        budgets=_limits(rows.budgets, "organisation", row.id),
        teams={
            team.name: TeamEntry(
                allowed_models=team.allowed_models or (),
                budgets=_limits(rows.budgets, "team", team_owner(row.id, team.name)),
            )
            for team in rows.teams
            if team.organisation == row.id
        },
        members={
            member.name: MemberEntry(
                role=member.role,
                email=member.email or "",
                team=member.team or "",
                budgets=_limits(rows.budgets, "member", member.id),
            )
            for member in members.values()
        },
        keys={key.name: _key(key, rows, members) for key in rows.keys if key.organisation == row.id},
    )


def _key(key: ApiKey, rows: _Rows, members: dict[str, MemberRow]) -> KeyEntry:
    owner = members.get(key.member_id or "")
    return KeyEntry(
        group=key.group_name or "",
        team=rows.own_teams.get(key.id) or "",
        owner="" if owner is None else owner.name,
        admin=key.admin,
        strict=key.strict,
        allowed_models=key.allowed_models or (),
        config=key.config or "",
        metadata=dict(key.metadata or {}),
        budgets=_limits(rows.budgets, "key", key.id),
        requests_per_minute=key.requests_per_minute or 0,
        tokens_per_minute=key.tokens_per_minute or 0,
        concurrency=key.concurrency or 0,
        expires_at=moment_text(key.expires_at),
        ip_allow=key.ip_allow or (),
        ip_deny=key.ip_deny or (),
        logging=key.logging or "",
        logging_days=key.logging_days or 0,
    )


def _limits(budgets: _Budgets, kind: OwnerKind, owner: str) -> dict[str, str | int]:
    return {budget.period: usd_text(budget.limit_nano) for budget in budgets.get((kind, owner), ())}


def _webhook(row: WebhookRow, names: dict[str, str]) -> WebhookEntry:
    return WebhookEntry(
        url=row.url, events=tuple(sorted(row.events)), organisation=names[row.organisation] if row.organisation else ""
    )
