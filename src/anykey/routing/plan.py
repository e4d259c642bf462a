"""From the model a caller names to the ordered upstream calls that may answer it, each with its reason.

A name is understood in this order, and the first that fits decides:

1. a public name of the configuration;
2. `@provider/model` or `provider/model`, the provider by its configured name, its kind or an alias;
3. a model that an operator pinned at a provider;
4. a bare name that clearly is a configured provider's (`claude-*`), in the order of the configuration;
5. a model the catalogue lists for a configured provider;
6. anything, if there is exactly one real provider.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import msgspec

from anykey.protocols.hosted import HostedRule
from anykey.routing.snapshot import Deployment, Endpoint, Provider, Snapshot, deployment_of, list_models

_MOST_PLANS = 4096
_LONGEST_CACHED_NAME = 256
_LONGEST_NAME = 1024


class PlanStep(msgspec.Struct, frozen=True):
    """One call that may answer. `verbatim`: the door speaks the caller's protocol; else it is translated. `hosted` says
    what becomes of the call if it has hosted tools that cannot be run there."""

    deployment: Deployment
    endpoint: Endpoint
    reason: Literal["verbatim", "translated"]
    hosted: HostedRule


class Plan(msgspec.Struct, frozen=True):
    """The steps to try in order, never empty. `resolved_by` says which rule understood the name."""

    steps: tuple[PlanStep, ...]
    model_asked: str
    resolved_by: str


class Unroutable(msgspec.Struct, frozen=True):
    """Nothing here answers to that name. `message` is for the caller and says what there is."""

    code: Literal["model_not_found", "provider_not_found", "no_endpoint"]
    message: str


class _Target(NamedTuple):
    provider: Provider
    model: str


def plan(snapshot: Snapshot, model: str, client_protocol: str) -> Plan | Unroutable:
    """Return the plan for a call of `model` in `client_protocol`. A plan once made is looked up, not made again."""
    known = snapshot.plans.get((model, client_protocol))
    if known is not None:
        return known
    made = _make_plan(snapshot, model, client_protocol)
    if isinstance(made, Plan) and len(model) <= _LONGEST_CACHED_NAME:
        if len(snapshot.plans) >= _MOST_PLANS:
            # Names come from callers, so they may be without end; starting anew is cheaper than keeping an order.
            snapshot.plans.clear()
        snapshot.plans[model, client_protocol] = made
    return made


def _make_plan(snapshot: Snapshot, model: str, client_protocol: str) -> Plan | Unroutable:
    if not model or len(model) > _LONGEST_NAME or not model.isprintable():
        return Unroutable("model_not_found", "The model must be a printable text of 1 to 1024 characters.")
    if model.startswith("@") and model not in snapshot.models:
        provider = model[1:].partition("/")[0]
        if provider not in snapshot.by_name:
            return Unroutable("provider_not_found", _no_provider(snapshot, provider))
    rule, targets = _resolve(snapshot, model)
    if not targets:
        return Unroutable("model_not_found", _no_model(snapshot, model))
    steps = tuple(
        step
        for target in targets
        for step in _steps(target, client_protocol, _hosted_rule(snapshot, model, target.provider))
    )
    if not steps:
        names = ", ".join(dict.fromkeys(target.provider.name for target in targets))
        return Unroutable("no_endpoint", f"{names} has no endpoint in a protocol that can be used yet.")
    return Plan(steps, model, rule)


def _resolve(snapshot: Snapshot, model: str) -> tuple[str, list[_Target]]:
    """Return the name of the rule that fits, and what it leads to."""
    if model in snapshot.models:
        found = [_by_path(snapshot, deployment) for deployment in snapshot.models[model]]
        return "public_name", [target for target in found if target is not None]
    path = _by_path(snapshot, model)
    if path is not None:
        return "provider_path", [path]
    if model.startswith("@"):
        return "", []
    for rule, provider in (
        ("pinned", snapshot.pinned.get(model)),
        ("pattern", _by_pattern(snapshot, model)),
        ("listed", snapshot.listed.get(model)),
        ("only_provider", snapshot.sole),
    ):
        if provider is not None:
            return rule, [_Target(provider, model)]
    return "", []


def _by_path(snapshot: Snapshot, name: str) -> _Target | None:
    provider, _, model = name.removeprefix("@").partition("/")
    found = snapshot.by_name.get(provider)
    return _Target(found, model) if found is not None and model else None


def _by_pattern(snapshot: Snapshot, model: str) -> Provider | None:
    name = model.lower()
    for provider in snapshot.providers:
        if any(fnmatchcase(name, pattern) for pattern in provider.settings.kind.model_patterns):
            return provider
    return None


def _hosted_rule(snapshot: Snapshot, model: str, provider: Provider) -> HostedRule:
    """A public name's own setting, else the provider's."""
    policy = snapshot.hosted_tools.get(model)
    if policy is not None:
        return HostedRule(policy, model, f'models."{model}".hosted_tools')
    return HostedRule(provider.settings.hosted_tools, model, f"providers.{provider.name}.hosted_tools")


def _steps(target: _Target, client_protocol: str, hosted: HostedRule) -> Iterator[PlanStep]:
    """Yield the target's one step: the door of the caller's own protocol, else the provider's first."""
    deployment = deployment_of(target.provider, target.model)
    for protocol, endpoint in deployment.endpoints.items():
        if protocol == client_protocol:
            yield PlanStep(deployment, endpoint, "verbatim", hosted)
            return
    for endpoint in deployment.endpoints.values():
        yield PlanStep(deployment, endpoint, "translated", hosted)
        return


def _no_provider(snapshot: Snapshot, name: str) -> str:
    names = [provider.name for provider in snapshot.providers]
    near = get_close_matches(name[:80], snapshot.by_name, n=1)
    meant = f" Did you mean '@{near[0]}/...'?" if near else ""
    return f"There is no provider '{name[:80]}' here.{meant} Configured: {', '.join(names)}."


def _no_model(snapshot: Snapshot, model: str) -> str:
    ids = [entry.id for entry in list_models(snapshot)]
    bare = [name for name in snapshot.listed if name not in snapshot.models]
    near = get_close_matches(model[:80], ids + bare, n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    providers = ", ".join(provider.name for provider in snapshot.providers)
    shown = ", ".join(ids[:8]) + (", ..." if len(ids) > 8 else "")
    return (
        f"The model '{model[:80]}' does not exist here.{meant} Models: {shown or 'none'}. "
        f"Any model of a configured provider ({providers}) can be named as provider/model; GET /v1/models lists all."
    )
