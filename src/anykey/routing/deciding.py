"""What is decided of a call before anybody is chosen: its name rewritten and looked at by the lists of who calls, its scenario,
the gateway config it follows, and what the name means.
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.parts import ProtocolName
from anykey.routing.ask import Ask
from anykey.routing.groups import may_ask, refusing_cap
from anykey.routing.leaves import Leaves
from anykey.routing.names import rewritten
from anykey.routing.planned import Unroutable
from anykey.routing.refusals import unknown
from anykey.routing.resolution import UNNAMED, Meaning, is_path, understand
from anykey.routing.scenario import scenarios_of
from anykey.routing.snapshot import Group, Snapshot
from anykey.routing.tree import Node
from anykey.routing.walking import Walk

MOST_KEPT = 4096
LONGEST_KEPT_NAME = 256
_LONGEST_NAME = 1024


class Decided(NamedTuple):
    """Everything about a call but the steps."""

    leaves: Leaves
    node: Node
    group: Group
    reasons: tuple[str, ...] = ()
    scenario: str | None = None
    config: str | None = None
    guarded: bool = False


def decide(snapshot: Snapshot, ask: Ask, *, free: bool) -> Decided | Unroutable:
    """Everything that is decided before a tree is walked. `free`: the call says nothing of its way."""
    if not ask.model or len(ask.model) > _LONGEST_NAME or not ask.model.isprintable():
        return Unroutable("model_not_found", "The model must be a printable text of 1 to 1024 characters.")
    group = snapshot.groups.get(ask.grant.group)
    if group is None:
        return Unroutable("group_not_found", f"The group '{ask.grant.group}' of this key is not configured any more.")
    name, reasons = _named(snapshot, ask)
    refused = _refused(snapshot, ask, name)
    if refused is not None:
        return refused
    scenario, name, told = _scenario(snapshot, ask, group, name)
    config = ask.grant.config or group.config
    node = ask.config or (snapshot.configs.get(config) if config is not None else None)
    if node is None and config is not None:
        return Unroutable("config_not_found", f"The gateway config '{config}' is not there any more.")
    kept = free and group.scenarios is not None  # otherwise what is decided is kept as a whole
    leaves = _leaves(snapshot, (name, ask.protocol, group.name), group, kept=kept)
    if leaves is None and node is not None:
        leaves = Leaves(snapshot, Meaning(UNNAMED, name, name, node), ask.protocol, group)
    if leaves is None:
        return unknown(snapshot, name, ask.grant)
    told = (*reasons, *told, *_of_config(ask, config))
    label = None if node is None else "of the call" if ask.config is not None else config
    return Decided(leaves, node or leaves.meaning.node, group, told, scenario, label, guarded=ask.config is not None)


def _leaves(snapshot: Snapshot, key: tuple[str, ProtocolName, str], group: Group, *, kept: bool) -> Leaves | None:
    """What a name means for a protocol and a group. Only what is found is remembered."""
    known: Leaves | None = snapshot.plans.get(key) if kept else None
    if known is not None:
        return known
    name, protocol, _ = key
    meaning = understand(snapshot, name, group)
    if meaning is None:
        return None
    leaves = Leaves(snapshot, meaning, protocol, group)
    if kept and len(name) <= LONGEST_KEPT_NAME:
        keep(snapshot, key, leaves)
    return leaves


def _named(snapshot: Snapshot, ask: Ask) -> tuple[str, tuple[str, ...]]:
    """The name to understand: rewritten, and at the provider that the call's header names."""
    name = rewritten(snapshot.rewrites, ask.model)
    reasons = (f"'{ask.model}' is rewritten to '{name}'",) if name != ask.model else ()
    if ask.provider is None or ask.config is not None:
        return name, reasons
    provider = ask.provider.removeprefix("@")
    bare = name.removeprefix("@").removeprefix(f"{provider}/")
    return f"@{provider}/{bare}", (*reasons, f"the call names the provider {provider}")


def _refused(snapshot: Snapshot, ask: Ask, name: str) -> Unroutable | None:
    """The caps: the name as it was asked and as it is understood; a provider's model by its path alone."""
    names = (
        [name.removeprefix("@")] if ask.provider is not None else [ask.model.removeprefix("@"), name.removeprefix("@")]
    )
    public = snapshot.public.get(name)
    if public is not None:
        names.append(public.name)
    cap = refusing_cap(ask.grant, names)
    if cap is None:
        return None
    return Unroutable("model_not_allowed", f"{cap[0].upper()}{cap[1:]} does not allow the model '{names[0][:80]}'.")


def _scenario(snapshot: Snapshot, ask: Ask, group: Group, name: str) -> tuple[str | None, str, tuple[str, ...]]:
    """The scenario of the call, the model it leads to, and why. A call that says itself who is to answer has none."""
    if group.scenarios is None or ask.provider is not None or ask.config is not None or is_path(snapshot, name):
        return None, name, ()
    reasons: list[str] = []
    for found in scenarios_of(Walk(ask, None).facts(), group.scenarios):
        if may_ask(snapshot, ask.grant, found.model):
            return found.name, found.model, (*reasons, f"scenario {found.name}: {found.why}")
        reasons.append(f"scenario {found.name} passed over: the key may not ask for {found.model}")
    return None, name, tuple(reasons)


def _of_config(ask: Ask, config: str | None) -> tuple[str, ...]:
    if ask.config is not None:
        return ("the call brings a gateway config",)
    return (f"the gateway config {config} decides",) if config is not None else ()


def keep(snapshot: Snapshot, key: object, made: object) -> None:
    """Remember what was found out about a name; `snapshot.plans` stays bounded."""
    if len(snapshot.plans) >= MOST_KEPT:
        # Names come from callers, so they may be without end; starting anew is cheaper than keeping an order.
        snapshot.plans.clear()
    snapshot.plans[key] = made
