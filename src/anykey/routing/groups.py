"""What a key may ask for: the organisation's, its team's, its own and its group's lists of names, all of which must allow. An
organisation and its teams may have lists in the settings and others in the database (`caps` of the key): both hold.

A name is tried as the caller wrote it and as it was understood (rewritten, an alias's model); `provider/model` by its text alone.
Patterns are globs (`fnmatchcase`).
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple, Protocol

from anykey.routing.ask import Grant
from anykey.routing.configured import DEFAULT_GROUP, split_path
from anykey.routing.snapshot import Snapshot
from anykey.routing.tree import leaves_of

Scope = tuple[str, tuple[tuple[str, ...], ...], str | None] | None
EVERYTHING = ("*",)


class KeyRules(Protocol):
    """What routing needs of an issued key; `anykey.accounts.keys.ApiKey` is one."""

    @property
    def id(self) -> str: ...
    @property
    def group_name(self) -> str | None: ...
    @property
    def team(self) -> str | None: ...
    @property
    def allowed_models(self) -> tuple[str, ...] | None: ...
    @property
    def config(self) -> str | None: ...
    @property
    def operator(self) -> bool: ...
    @property
    def caps(self) -> tuple[tuple[str, tuple[str, ...]], ...]: ...


class Standing(NamedTuple):
    """A key with its grant. Keys of one `scope` have the same plans; None: whoever may everything, in the default group."""

    key: KeyRules
    grant: Grant
    scope: Scope


def standing_of(key: KeyRules, snapshot: Snapshot) -> Standing:
    """Return what `key` may do. Computed once: a changed key is another object, a changed configuration another snapshot."""
    known: Standing | None = snapshot.standings.get(key.id)
    if known is None or known.key is not key:
        grant = grant_of(key, snapshot)
        known = snapshot.standings[key.id] = Standing(key, grant, scope_of(grant))
    return known


def grant_of(key: KeyRules, snapshot: Snapshot) -> Grant:
    """Return the grant of `key`. A group that is not configured allows nothing; a team that is not is a mere label."""
    name = key.group_name or DEFAULT_GROUP
    group = snapshot.groups.get(name)
    caps: tuple[tuple[str, tuple[str, ...] | None], ...] = (
        *key.caps,
        ("the organisation", snapshot.organisation_models),
        (f"the team {key.team}", snapshot.teams.get(key.team) if key.team is not None else None),
        ("the key", key.allowed_models),
        (f"the group {name}", group.models if group is not None else ()),
    )
    held = [(source, globs) for source, globs in caps if globs is not None and "*" not in globs]
    return Grant(
        key=key.id,
        group=name,
        caps=tuple(globs for _, globs in held),
        cap_sources=tuple(source for source, _ in held),
        config=key.config,
        admin=key.operator,
    )


def scope_of(grant: Grant) -> Scope:
    """Return what plans depend on, of a grant."""
    if grant.group == DEFAULT_GROUP and not grant.caps and grant.config is None:
        return None
    return grant.group, grant.caps, grant.config


def refusing_cap(grant: Grant, names: Iterable[str]) -> str | None:
    """Return whose list allows none of `names`, in words; None: every list allows one of them."""
    tried = tuple(names)
    for place, globs in enumerate(grant.caps):
        if not any(fnmatchcase(name, glob) for name in tried for glob in globs):
            return grant.cap_sources[place] if place < len(grant.cap_sources) else "a list"
    return None


def may_ask(snapshot: Snapshot, grant: Grant, name: str) -> bool:
    """Whether a key may ask for `name`, and its group uses one of the providers that serve it: what is shown to it."""
    public = snapshot.public.get(name)
    group = snapshot.groups.get(grant.group)
    if group is None or refusing_cap(grant, (name,) if public is None else (name, public.name)) is not None:
        return False
    if not group.providers:
        return True
    written = [split_path(name)[0]] if public is None else [leaf.provider or "" for leaf in leaves_of(public.node)]
    serving = [found for provider in written if (found := snapshot.by_name.get(provider.removeprefix("@"))) is not None]
    return not serving or any(provider.name in group.providers for provider in serving)
