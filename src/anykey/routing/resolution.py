"""What a model's name means. Understood in this order, and the first that fits decides:

1. a route of the key's group, by exact name, then by the longest name with a `*`;
2. a public name of the configuration, or an alias of one;
3. `@provider/model` or `provider/model`, the provider by its configured name, its kind or an alias;
4. a model that an operator pinned at a provider;
5. a public name with a `*`, the longest first;
6. a bare name that clearly is a vendor's (`claude-*`) whose provider is configured;
7. a model the catalogue lists for a configured provider;
8. anything, if there is exactly one real provider.

Rules 4, 6 and 7 may fit several providers: they are tried in the group's order, else in that of the configuration, as long as
their lanes are one: what a plan pays for must not be paid by use because the plan is at its limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from anykey.routing.configured import split_path
from anykey.routing.snapshot import Group, Provider, PublicModel, Snapshot
from anykey.routing.tree import Fallback, Node, Target

UNNAMED = "gateway_config"
"""The rule of a name that nothing answers to, where a gateway config decides all the same."""


class Meaning(NamedTuple):
    """A name understood. `rule` says how, `model` is the name it is served by (an alias's model), `star` what a `*` matched,
    `public` the public model it is."""

    rule: str
    name: str
    model: str
    node: Node
    star: str = ""
    public: PublicModel | None = None


def understand(snapshot: Snapshot, name: str, group: Group) -> Meaning | None:
    """Return what `name` means for keys of `group`; None: nothing here answers to it."""
    return (
        _by_group(name, group)
        or _by_public_name(snapshot, name, group)
        or _by_path(snapshot, name)
        or (None if name.startswith("@") else _bare(snapshot, name, group))
    )


def is_path(snapshot: Snapshot, name: str) -> bool:
    """Whether the name says itself which provider is meant."""
    provider, model = split_path(name)
    return bool(model) and provider in snapshot.by_name and name not in snapshot.public


def _by_group(name: str, group: Group) -> Meaning | None:
    node = group.routes.get(name)
    if node is not None and "*" not in name:
        return Meaning("group_route", name, name, node)
    for fit, wild in group.wild_routes:
        star = fit.match(name)
        if star is not None:
            return Meaning("group_route", name, name, wild, star)
    return None


def _by_public_name(snapshot: Snapshot, name: str, group: Group) -> Meaning | None:
    model = snapshot.public.get(name)
    if model is None or "*" in name:
        return None
    rule = "public_name" if model.name == name else "alias"
    return Meaning(rule, name, model.name, _ordered(snapshot, model, group), public=model)


def _by_path(snapshot: Snapshot, name: str) -> Meaning | None:
    provider, model = split_path(name)
    if not model or provider not in snapshot.by_name:
        return None
    return Meaning("provider_path", name, name, Target(provider, model))


def _bare(snapshot: Snapshot, name: str, group: Group) -> Meaning | None:
    if found := _chosen(snapshot.pinned.get(name, ()), group):
        return _at(found, "pinned", name)
    for fit, model in snapshot.wildcards:
        star = fit.match(name)
        if star is not None:
            return Meaning("public_wildcard", name, name, _ordered(snapshot, model, group), star, model)
    lower = name.lower()
    for rule, fitting in (
        ("pattern", (provider for provider in snapshot.providers if _is_vendors(provider, lower))),
        ("listed", snapshot.listed.get(name, ())),
        ("only_provider", (snapshot.sole,) if snapshot.sole else ()),
    ):
        if found := _chosen(fitting, group):
            return _at(found, rule, name)
    return None


def _is_vendors(provider: Provider, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in provider.settings.kind.model_patterns)


def _chosen(providers: Iterable[Provider], group: Group) -> list[Provider]:
    """Those that the group may use, in its order, of the first one's lane."""
    found = list(providers)
    if group.providers:
        found = [provider for provider in found if provider.name in group.providers]
        found.sort(key=lambda provider: group.providers.index(provider.name))
    return [provider for provider in found if provider.lane == found[0].lane]


def _at(providers: list[Provider], rule: str, name: str) -> Meaning:
    targets = tuple(Target(provider.name, name) for provider in providers)
    return Meaning(rule, name, name, targets[0] if len(targets) == 1 else Fallback(targets))


def _ordered(snapshot: Snapshot, model: PublicModel, group: Group) -> Node:
    """The model's deployments, by the group's order of providers where the model itself has them one after the other."""
    node = model.node
    if not group.providers or not model.by_priority or not isinstance(node, Fallback):
        return node

    def place(leaf: Node) -> int:
        provider = snapshot.by_name.get(leaf.provider or "") if isinstance(leaf, Target) else None
        return (
            group.providers.index(provider.name)
            if provider and provider.name in group.providers
            else len(group.providers)
        )

    return Fallback(tuple(sorted(node.nodes, key=place)), node.on_status, sticky=node.sticky)
