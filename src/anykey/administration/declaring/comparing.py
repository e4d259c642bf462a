"""What a document would change: steps in the order in which they can be done, each with what it says of itself.

Law: a step does what the verb of its object does, with its permissions, its checks and its audit row. Objects are added and
changed from the organisation down, and ended from the keys up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from anykey.accounts.permissions import Actor
from anykey.accounts.written_cards import WrittenCard, moment_of, scope_of
from anykey.administration import configs, keys, members, organisations, rate_cards, teams, webhooks
from anykey.administration.declaring import writing
from anykey.administration.declaring.document import Document, OrganisationEntry
from anykey.administration.declaring.reading import State
from anykey.administration.home import Home

_PARTS = frozenset(("teams", "members", "keys"))
_NO_ORGANISATION = OrganisationEntry(teams={}, members={}, keys={})


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the difference. `sign`: `+` added, `~` a field has another value, `-` ended."""

    sign: Literal["+", "~", "-"]
    path: str
    field: str = ""
    before: Any = None
    after: Any = None


class NewSecret(msgspec.Struct, frozen=True):
    """The text of a new key, or what signs the calls to a new webhook: shown now, and never again."""

    path: str
    text: str

    def __repr__(self) -> str:
        return f"NewSecret(path={self.path!r}, text='***')"


class Step(NamedTuple):
    """`act` does what `changes` say; it returns the text of a new secret where it makes one."""

    changes: tuple[Change, ...]
    act: Callable[[Home, Actor], str | None]


def compare(state: State, wanted: Document, *, prune: bool) -> list[Step]:
    """The steps from what is there to what the document says. `prune`: what it does not name is ended, in the parts it has."""
    steps = [
        *_organisations(state, wanted),
        *_configs(state, wanted),
        *_cards(state, wanted),
        *_webhooks(state, wanted),
    ]
    return [*steps, *_pruned(state, wanted)] if prune else steps


def _organisations(state: State, wanted: Document) -> Iterator[Step]:
    there = state.document.organisations or {}
    for name, entry in (wanted.organisations or {}).items():
        path = f"organisations.{name}"
        before = there.get(name)
        if before is None:
            yield Step(_added(path), writing.new_organisation(name, entry))
        elif changes := _changed(path, before, entry):
            yield Step(changes, writing.changed_organisation(name, before, entry))
        yield from _within(state, name, before or _NO_ORGANISATION, entry)


def _within(state: State, name: str, before: OrganisationEntry, entry: OrganisationEntry) -> Iterator[Step]:
    path = f"organisations.{name}"
    for team, wanted in (entry.teams or {}).items():
        place, known = f"{path}.teams.{team}", (before.teams or {}).get(team)
        if known is None:
            yield Step(_added(place), writing.new_team(name, team, wanted))
        elif changes := _changed(place, known, wanted):
            yield Step(changes, writing.changed_team(name, team, known, wanted))
    for member, wanted in (entry.members or {}).items():
        place, known = f"{path}.members.{member}", (before.members or {}).get(member)
        if known is None:
            yield Step(_added(place), writing.new_member(name, member, wanted))
        elif changes := _changed(place, known, wanted):
            yield Step(changes, writing.changed_member(name, member, known, wanted))
    for key, wanted in (entry.keys or {}).items():
        place, known = f"{path}.keys.{key}", (before.keys or {}).get(key)
        if known is None:
            yield Step(_added(place), writing.new_key(name, key, wanted))
        elif changes := _changed(place, known, wanted):
            yield Step(changes, writing.changed_key(state.key_ids[name, key], known, wanted))


def _configs(state: State, wanted: Document) -> Iterator[Step]:
    there = state.document.configs or {}
    for name, table in (wanted.configs or {}).items():
        path = f"configs.{name}"
        if name not in there:
            yield Step(_added(path), writing.put_config(name, table))
        elif there[name] != table:
            yield Step((Change("~", path, "", there[name], table),), writing.put_config(name, table))


def _cards(state: State, wanted: Document) -> Iterator[Step]:
    there = list(state.document.rate_cards or ())
    for card in wanted.rate_cards or ():
        known = next((one for one in there if _says(one, card)), None)
        if known is None:
            yield Step(_added(f"rate_cards.{scope_of(card).series()}"), writing.put_card(card))
        else:
            there.remove(known)


def _webhooks(state: State, wanted: Document) -> Iterator[Step]:
    there = list(state.document.webhooks or ())
    for entry in wanted.webhooks or ():
        if entry in there:
            there.remove(entry)
        else:
            yield Step(_added(f"webhooks.{entry.url}"), writing.new_webhook(entry))


def _pruned(state: State, wanted: Document) -> Iterator[Step]:
    there = state.document
    yield from _pruned_within(state, wanted)
    if wanted.configs is not None:
        for name in (there.configs or {}).keys() - wanted.configs.keys():
            yield _ended(
                f"configs.{name}", lambda home, actor, name=name: configs.delete_config(home, name, actor=actor)
            )
    if wanted.rate_cards is not None:
        left = list(wanted.rate_cards)
        for row, card in zip(state.cards, there.rate_cards or (), strict=True):
            if (fits := next((one for one in left if _says(card, one)), None)) is not None:
                left.remove(fits)
                continue
            reference = row.reference
            yield _ended(
                f"rate_cards.{reference}",
                lambda home, actor, reference=reference: rate_cards.withdraw_card(home, reference, actor=actor),
            )
    if wanted.webhooks is not None:
        named = list(wanted.webhooks)
        for row, entry in zip(state.webhooks, there.webhooks or (), strict=True):
            if entry in named:
                named.remove(entry)
                continue
            yield _ended(
                f"webhooks.{entry.url}",
                lambda home, actor, row=row: webhooks.disable_webhook(home, row.id, actor=actor),
            )


def _pruned_within(state: State, wanted: Document) -> Iterator[Step]:
    if wanted.organisations is None:
        return
    for name, before in (state.document.organisations or {}).items():
        entry = wanted.organisations.get(name)
        path = f"organisations.{name}"
        if entry is None and name == state.lasting:
            continue
        if entry is None:
            yield _ended(path, lambda home, actor, name=name: organisations.close_organisation(home, name, actor=actor))
            continue
        for key in _missing(before.keys, entry.keys):
            key_id = state.key_ids[name, key]
            yield _ended(
                f"{path}.keys.{key}", lambda home, actor, key_id=key_id: keys.revoke_key(home, key_id, actor=actor)
            )
        for member in _missing(before.members, entry.members):
            yield _ended(
                f"{path}.members.{member}",
                lambda home, actor, name=name, member=member: members.remove_member(
                    home, member, organisation=name, actor=actor
                ),
            )
        for team in _missing(before.teams, entry.teams):
            yield _ended(
                f"{path}.teams.{team}",
                lambda home, actor, name=name, team=team: teams.close_team(home, team, organisation=name, actor=actor),
            )


def _missing(there: dict[str, Any] | None, wanted: dict[str, Any] | None) -> Sequence[str]:
    """What is there and not named; nothing where the document does not speak of it."""
    return [] if wanted is None else [name for name in there or {} if name not in wanted]


def _says(there: WrittenCard, wanted: WrittenCard) -> bool:
    same = (scope_of(there), there.rates(), there.source) == (scope_of(wanted), wanted.rates(), wanted.source)
    return same and (wanted.effective_from is None or _moment(there) == _moment(wanted))


def _moment(card: WrittenCard) -> int | None:
    return None if card.effective_from is None else moment_of(card.effective_from)


def _added(path: str) -> tuple[Change, ...]:
    return (Change("+", path),)


def _changed(path: str, before: msgspec.Struct, after: msgspec.Struct) -> tuple[Change, ...]:
    fields = [name for name in before.__struct_fields__ if name not in _PARTS]
    return tuple(
        Change("~", path, name, getattr(before, name), getattr(after, name))
        for name in fields
        if getattr(before, name) != getattr(after, name)
    )


def _ended(path: str, act: Callable[[Home, Actor], object]) -> Step:
    def only(home: Home, actor: Actor) -> None:
        act(home, actor)

    return Step((Change("-", path),), only)
