"""Entries of a document as calls of the verbs: each function returns what does it, for a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from anykey.accounts.permissions import Actor
from anykey.accounts.purse import Period
from anykey.accounts.written_cards import WrittenCard, moment_of
from anykey.administration import configs, keys, members, organisations, rate_cards, teams, webhooks
from anykey.administration.budgets import set_budgets
from anykey.administration.declaring.document import (
    KeyEntry,
    MemberEntry,
    OrganisationEntry,
    TeamEntry,
    WebhookEntry,
    nano,
)
from anykey.administration.home import Home
from anykey.administration.key_fields import KeyFields
from anykey.administration.members import MemberFields
from anykey.administration.organisations import OrganisationFields
from anykey.administration.teams import TeamFields

Act = Callable[[Home, Actor], str | None]
_Budgets = Mapping[str, str | int]
_NONE: _Budgets = {}


def new_organisation(name: str, entry: OrganisationEntry) -> Act:
    """Make it, with its budgets."""

    def act(home: Home, actor: Actor) -> None:
        organisations.create_organisation(home, name, fields=_organisation(entry), actor=actor)
        if entry.budgets:
            set_budgets(home, "organisation", name, _limits(_NONE, entry.budgets), actor=actor)

    return act


def changed_organisation(name: str, before: OrganisationEntry, entry: OrganisationEntry) -> Act:
    """Give it what the entry says."""

    def act(home: Home, actor: Actor) -> None:
        if _organisation(before) != _organisation(entry):
            organisations.update_organisation(home, name, _organisation(entry), actor=actor)
        if before.budgets != entry.budgets:
            set_budgets(home, "organisation", name, _limits(before.budgets, entry.budgets), actor=actor)

    return act


def new_team(organisation: str, name: str, entry: TeamEntry) -> Act:
    """Make it, with its budgets."""

    def act(home: Home, actor: Actor) -> None:
        fields = TeamFields(allowed_models=entry.allowed_models)
        teams.create_team(home, name, organisation=organisation, fields=fields, actor=actor)
        if entry.budgets:
            limits = _limits(_NONE, entry.budgets)
            set_budgets(home, "team", name, limits, organisation=organisation, actor=actor)

    return act


def changed_team(organisation: str, name: str, before: TeamEntry, entry: TeamEntry) -> Act:
    """Give it what the entry says."""

    def act(home: Home, actor: Actor) -> None:
        if before.allowed_models != entry.allowed_models:
            fields = TeamFields(allowed_models=entry.allowed_models)
            teams.update_team(home, name, fields, organisation=organisation, actor=actor)
        if before.budgets != entry.budgets:
            limits = _limits(before.budgets, entry.budgets)
            set_budgets(home, "team", name, limits, organisation=organisation, actor=actor)

    return act


def new_member(organisation: str, name: str, entry: MemberEntry) -> Act:
    """Add him, with his budgets."""

    def act(home: Home, actor: Actor) -> None:
        members.create_member(home, name, organisation=organisation, fields=_member(entry), actor=actor)
        if entry.budgets:
            limits = _limits(_NONE, entry.budgets)
            set_budgets(home, "member", name, limits, organisation=organisation, actor=actor)

    return act


def changed_member(organisation: str, name: str, before: MemberEntry, entry: MemberEntry) -> Act:
    """Give him what the entry says."""

    def act(home: Home, actor: Actor) -> None:
        if _member(before) != _member(entry):
            members.update_member(home, name, _member(entry), organisation=organisation, actor=actor)
        if before.budgets != entry.budgets:
            limits = _limits(before.budgets, entry.budgets)
            set_budgets(home, "member", name, limits, organisation=organisation, actor=actor)

    return act


def new_key(organisation: str, name: str, entry: KeyEntry) -> Act:
    """Issue it; its text is the new secret."""

    def act(home: Home, actor: Actor) -> str:
        fields = msgspec.structs.replace(_key(entry, _NONE), organisation=organisation)
        return keys.create_key(home, name, strict=entry.strict, fields=fields, actor=actor).text

    return act


def changed_key(key_id: str, before: KeyEntry, entry: KeyEntry) -> Act:
    """Give it what the entry says."""

    def act(home: Home, actor: Actor) -> None:
        keys.update_key(home, key_id, _key(entry, before.budgets), actor=actor)

    return act


def put_config(name: str, table: Mapping[str, Any]) -> Act:
    """Keep it as the newest version."""

    def act(home: Home, actor: Actor) -> None:
        configs.put_config(home, name, msgspec.json.encode(table), actor=actor)

    return act


def put_card(card: WrittenCard) -> Act:
    """Keep it as the newest version of its series."""

    def act(home: Home, actor: Actor) -> None:
        rate_cards.put_cards(home, msgspec.json.encode(card), actor=actor)

    return act


def new_webhook(entry: WebhookEntry) -> Act:
    """Make it; what signs its calls is the new secret."""

    def act(home: Home, actor: Actor) -> str:
        organisation = entry.organisation or None
        return webhooks.create_webhook(home, entry.url, entry.events, organisation=organisation, actor=actor).secret

    return act


def _organisation(entry: OrganisationEntry) -> OrganisationFields:
    return OrganisationFields(
        prepaid=entry.prepaid,
        allowed_models=entry.allowed_models,
        low_balance_nano=-1 if entry.low_balance == "" else nano(entry.low_balance),
    )


def _member(entry: MemberEntry) -> MemberFields:
    return MemberFields(email=entry.email, team=entry.team, role=entry.role)


def _key(entry: KeyEntry, before: _Budgets) -> KeyFields:
    """All of the entry: in a change, an empty value takes away what was said."""
    return KeyFields(
        group=entry.group,
        team=entry.team,
        allowed_models=entry.allowed_models,
        config=entry.config,
        metadata=entry.metadata,
        admin=entry.admin,
        owner=entry.owner,
        strict=entry.strict,
        budgets=_limits(before, entry.budgets),
        requests_per_minute=entry.requests_per_minute,
        tokens_per_minute=entry.tokens_per_minute,
        concurrency=entry.concurrency,
        expires_at=0 if entry.expires_at == "" else moment_of(entry.expires_at),
        ip_allow=entry.ip_allow,
        ip_deny=entry.ip_deny,
        logging=entry.logging,
        logging_days=entry.logging_days,
    )


def _limits(before: _Budgets, after: _Budgets) -> dict[Period, int | None]:
    """The limits to set: those that are said, and None for those that are not any more."""
    periods = cast("list[Period]", [*after, *(period for period in before if period not in after)])
    return {period: nano(after[period]) if period in after else None for period in periods}
