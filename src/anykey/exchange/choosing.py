"""From a call whose key and model are known to its plan: what its key may, what its headers direct, what its body says of itself.

A call that only names a model which one deployment serves costs two looks; everything else is asked for only where a group, a
config or a strategy wants to know it.
"""

from __future__ import annotations

import random

from anykey.conversation.failures import Failure, FailureError, FailureKind, invalid
from anykey.exchange.affinity import conversation_mark
from anykey.exchange.directions import NO_DIRECTIONS, Directions
from anykey.exchange.exchange import Exchange
from anykey.exchange.facts import facts_of
from anykey.exchange.gateway import Gateway
from anykey.routing.ask import Ask, Grant
from anykey.routing.config import ConfigError, parse_config
from anykey.routing.groups import standing_of
from anykey.routing.plan import Plan, Unroutable, known_plan, plan, step_at
from anykey.routing.planned import UnroutableCode
from anykey.routing.snapshot import Snapshot
from anykey.routing.tree import Node, Target

CONFIG_HEADER = "x-anykey-config"
_FAILURES: dict[UnroutableCode, tuple[FailureKind, str, str]] = {
    "model_not_found": ("model_not_found", "model", "model_not_found"),
    "provider_not_found": ("model_not_found", "model", "model_not_found"),
    "no_endpoint": ("model_not_found", "model", "model_not_found"),
    "region_not_found": ("invalid_request", "x-anykey-region", "region_not_found"),
    "model_not_allowed": ("permission", "model", "model_not_allowed"),
    "group_not_found": ("permission", "model", "group_not_found"),
    "config_not_found": ("permission", CONFIG_HEADER, "config_not_found"),
    "no_branch": ("permission", "model", "refused_by_config"),
}
"""The kind, the field at fault and the code of the failure that a caller gets."""


def choose(exchange: Exchange, gateway: Gateway) -> Plan:
    """Which deployments may answer, in order. FailureError: none may, or the headers direct what cannot be."""
    snapshot, protocol = gateway.snapshot, exchange.codec.name
    gateway.wellbeing.hear(exchange.began)
    if exchange.bound_to is not None:
        return _bound(exchange.bound_to, exchange, snapshot)
    if exchange.key is not None:
        _, grant, scope = standing_of(exchange.key, snapshot)
    else:
        grant, scope = Grant(), None
    exchange.grant = grant
    directed = exchange.directions is not NO_DIRECTIONS and exchange.directions.steers
    route = None if directed else known_plan(snapshot, exchange.model, protocol, scope, gateway.wellbeing)
    if route is None:
        ask = asked(exchange, grant, snapshot)
        found = plan(snapshot, ask, gateway.wellbeing)
        if isinstance(found, Unroutable):
            exchange.group = grant.group
            raise FailureError(failure_of(found))
        route = found
    exchange.group, exchange.route, exchange.public_model = route.group, route.resolved_by, route.model
    if route.scenario is not None or route.config is not None:
        exchange.scenario, exchange.config = route.scenario, route.config
    return route


def _bound(deployment: str, exchange: Exchange, snapshot: Snapshot) -> Plan:
    """The plan of a call that continues what one deployment keeps."""
    step = step_at(snapshot, deployment, exchange.codec.name)
    if step is None:
        raise FailureError(Failure("model_not_found", f"{deployment} is not configured any more.", param="model"))
    return Plan((step,), exchange.model, "bound", exchange.model)


def asked(exchange: Exchange, grant: Grant, snapshot: Snapshot) -> Ask:
    """The call as the planner is asked of it."""
    said = exchange.directions
    if exchange.roll is None:
        exchange.roll = random.random()  # noqa: S311 - a choice, no secret
    return Ask(
        model=exchange.model,
        protocol=exchange.codec.name,
        grant=grant,
        facts=lambda: facts_of(exchange, grant),
        mark=lambda: conversation_mark(exchange.headers, exchange.body),
        roll=exchange.roll,
        provider=said.provider,
        region=said.region,
        config=_config(said, grant, snapshot),
    )


def failure_of(refusal: Unroutable) -> Failure:
    """What the caller is told."""
    kind, param, code = _FAILURES[refusal.code]
    return Failure(kind, refusal.message, param=param, code=code)


def _config(said: Directions, grant: Grant, snapshot: Snapshot) -> Node | None:
    """The gateway config that the call brings or names. What an admin's names may be any public host, nobody else's any."""
    if said.custom_host is not None:
        return Target(said.provider, custom_host=said.custom_host)
    if said.config is None:
        return None
    if not said.inline:
        found = snapshot.configs.get(said.config)
        if found is None:
            raise invalid(f"there is no gateway config '{said.config}' here", CONFIG_HEADER)
        return found
    try:
        return parse_config(said.config, hosts="public" if grant.admin else "none")
    except ConfigError as error:
        if error.needs_admin:
            raise FailureError(Failure("permission", f"{CONFIG_HEADER}: {error}", param=CONFIG_HEADER)) from None
        raise invalid(str(error), CONFIG_HEADER) from None
