"""From the leaves of a tree to the upstream calls they stand for, made once for a name, a protocol and a group."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import msgspec

from anykey.conversation.parts import ProtocolName
from anykey.protocols.hosted import HostedRule
from anykey.providers.configured import Timeouts
from anykey.providers.records import DEFAULT_PATHS
from anykey.routing.planned import LeftOut, PlanStep
from anykey.routing.resolution import UNNAMED, Meaning, understand
from anykey.routing.snapshot import (
    Deployment,
    Endpoint,
    Group,
    Provider,
    Snapshot,
    deployment_of,
    facts_of,
    request_url,
)
from anykey.routing.strategies import blended_price
from anykey.routing.tree import Balance, Node, Target, leaves_of

_OWN_SCHEMES: dict[ProtocolName, str] = {"anthropic_messages": "x_api_key", "gemini_generate": "x_goog_api_key"}
"""How the caller's own credential is shown to a host of his own, by the protocol that is spoken there."""


class Inside(NamedTuple):
    """A leaf that names a model of whoever serves it: the tree of that model, with leaves of its own."""

    node: Node
    leaves: Leaves


Found = PlanStep | Inside | LeftOut


class Leaves:
    """The calls that the leaves of a meaning's trees stand for, and what is computed of their balances, each once. Nodes are told
    apart by identity: whoever holds this holds the trees too (`_kept`)."""

    __slots__ = ("_calls", "_costs", "_kept", "_sums", "group", "meaning", "protocol", "snapshot")

    def __init__(self, snapshot: Snapshot, meaning: Meaning, protocol: ProtocolName, group: Group) -> None:
        self.snapshot = snapshot
        self.meaning = meaning
        self.protocol: ProtocolName = protocol
        self.group = group
        self._calls: dict[tuple[int, str | None, str | None], Found] = {}
        self._sums: dict[int, list[int]] = {}
        self._costs: dict[int, list[tuple[float, int]]] = {}
        self._kept: list[Node] = []

    def find(self, target: Target, provider: str | None = None, region: str | None = None) -> Found:
        """Return what `target` stands for; `provider` and `region` are the call's own wishes, for leaves that say none."""
        key = (id(target), provider, region)
        found = self._calls.get(key)
        if found is None:
            found = self._calls[key] = self._find(target, target.provider or provider, target.region or region)
            self._kept.append(target)
        return found

    def sums(self, balance: Balance) -> list[int]:
        """The sums of the weights up to each node."""
        found = self._sums.get(id(balance))
        if found is None:
            found = self._sums[id(balance)] = list(accumulate(max(node.weight, 0) for node in balance.nodes))
            self._kept.append(balance)
        return found

    def by_cost(self, balance: Balance) -> list[tuple[float, int]]:
        """(price, place) of the nodes, the cheapest first; the price is infinite where it is not known."""
        found = self._costs.get(id(balance))
        if found is None:
            priced = [(self._price(node), place) for place, node in enumerate(balance.nodes)]
            found = self._costs[id(balance)] = sorted(priced)
            self._kept.append(balance)
        return found

    def deployment(self, node: Node) -> str:
        """The id of the first deployment that a node may lead to; empty where it leads to none."""
        step = self._first(node)
        return step.deployment.id if step else ""

    def context_tokens(self, step: PlanStep) -> int | None:
        """The context window of the step's model, where it is known."""
        provider = self.snapshot.by_name.get(step.deployment.provider)
        facts = facts_of(self.snapshot, provider, step.deployment.model) if provider else None
        return facts.context_tokens if facts else None

    def named(self, name: str) -> Leaves | None:
        """The leaves of another model; None: nothing answers to that name."""
        meaning = understand(self.snapshot, name, self.group)
        return None if meaning is None else Leaves(self.snapshot, meaning, self.protocol, self.group)

    def _price(self, node: Node) -> float:
        step = self._first(node)
        provider = self.snapshot.by_name.get(step.deployment.provider) if step else None
        if step is None or provider is None:
            return float("inf")
        facts = facts_of(self.snapshot, provider, step.deployment.model)
        return blended_price(facts.prices if facts else None)

    def _first(self, node: Node) -> PlanStep | None:
        leaf = next(leaves_of(node), None)
        found = self.find(leaf) if leaf is not None else None
        if isinstance(found, Inside):
            return found.leaves._first(found.node)  # noqa: SLF001 - its own kind
        return found if isinstance(found, PlanStep) else None

    def model_of(self, target: Target, provider: str | None) -> str:
        """The model that `target` asks for, at `provider` or (None) of whoever serves it."""
        model = target.model or self.meaning.name
        if target.model is None and provider is not None and self.meaning.rule == "provider_path":
            model = model.removeprefix("@").partition("/")[2]
        return model.replace("*", self.meaning.star) if self.meaning.star else model

    def _find(self, target: Target, name: str | None, region: str | None) -> Found:
        model = self.model_of(target, name)
        if target.custom_host is not None:
            return self._custom(target.custom_host, name, model)
        if name is None:
            known = model == self.meaning.name and self.meaning.rule != UNNAMED
            inner = self if known else self.named(model)
            if inner is None:
                return LeftOut(model, "nothing here answers to that name", "model_not_found")
            return Inside(inner.meaning.node, inner)
        provider = self.snapshot.by_name.get(name.removeprefix("@"))
        if provider is None:
            return LeftOut(name, "no such provider is configured", "provider_not_found")
        return self._at(provider, *_with_region(provider, model, region))

    def _at(self, provider: Provider, model: str, region: str | None) -> Found:
        name = f"{provider.name}/{model}"
        if self.group.providers and provider.name not in self.group.providers:
            return LeftOut(name, f"the group {self.group.name} does not use {provider.name}", "model_not_allowed")
        if region is not None and region not in provider.regions:
            there = ", ".join(provider.regions) or "none but its own address"
            return LeftOut(name, f"{provider.name} has no region {region}; it has: {there}", "region_not_found")
        deployment = deployment_of(provider, model, region)
        step = self._through(deployment, self._hosted(provider))
        return step or LeftOut(name, f"{provider.name} has no endpoint in a protocol that can be used yet")

    def _through(self, deployment: Deployment, hosted: HostedRule) -> PlanStep | None:
        """The door of the caller's own protocol, else the deployment's first."""
        doors = deployment.endpoints
        for protocol, endpoint in doors.items():
            if protocol == self.protocol:
                return PlanStep(deployment, endpoint, "verbatim", hosted)
        return next((PlanStep(deployment, door, "translated", hosted) for door in doors.values()), None)

    def _hosted(self, provider: Provider) -> HostedRule:
        """A public name's own setting, else the provider's."""
        public, name = self.meaning.public, self.meaning.name
        if public is not None and public.hosted_tools is not None:
            return HostedRule(public.hosted_tools, name, f'models."{public.name}".hosted_tools')
        return HostedRule(provider.settings.hosted_tools, name, f"providers.{provider.name}.hosted_tools")

    def _custom(self, host: str, name: str | None, model: str) -> Found:
        """A host of the caller's own. It speaks what the named provider speaks, else the caller's protocol; it gets none of our
        credentials, and its name can be no provider's."""
        provider = self.snapshot.by_name.get(name.removeprefix("@")) if name else None
        if name and provider is None:
            return LeftOut(name, "no such provider is configured", "provider_not_found")
        spoken: tuple[ProtocolName, ...] = tuple(provider.endpoints) if provider is not None else ()
        protocol = self.protocol if self.protocol in spoken or not spoken else spoken[0]
        owner = f"({host.partition('://')[2].replace('/', '.')})"
        endpoint = Endpoint(
            provider=owner,
            protocol=protocol,
            url=request_url(host, DEFAULT_PATHS[protocol]),
            counts_tokens=False,
            models_url=None,
            auth_headers=(),
            headers=(),
            auth=_OWN_SCHEMES.get(protocol, "bearer"),
            timeouts=provider.settings.timeouts if provider else Timeouts(),
            dialect=provider.settings.kind.dialect_of(protocol, model) if provider else {},
        )
        deployment = Deployment(f"{owner}/{model}", owner, model, {protocol: endpoint})
        step = self._through(deployment, HostedRule("drop", model, "hosted_tools"))
        return msgspec.structs.replace(step, custom=host) if step else LeftOut(owner, "it has no endpoint")


def _with_region(provider: Provider, model: str, region: str | None) -> tuple[str, str | None]:
    """A deployment's id may end with its region (`model@eu-west-1`); names of models hold an `@` too, so only a region that the
    provider has is one."""
    bare, _, end = model.rpartition("@")
    return (bare, end) if region is None and bare and end in provider.regions else (model, region)
