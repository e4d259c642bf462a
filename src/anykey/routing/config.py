"""Gateway configs: an operator's routing as one JSON or TOML object, read into the planner's tree.

The shape is Portkey's, so that a config written for it works here; ours is a superset.

    {"strategy": {"mode": "fallback", "on_status_codes": [429, 529]},
     "targets": [{"provider": "@anthropic", "model": "claude-sonnet-5", "retry": {"attempts": 2}},
                 {"provider": "@byteplus", "override_params": {"model": "seed-2-0-code", "temperature": 0.2}, "weight": 3}]}

A node is a target (`provider`, `model`, `region`, `override_params`, `retry`, `request_timeout` in ms, `custom_host`, `weight`,
`name`) or a strategy over `targets`, which may be nodes again and take `override_params`, `retry` and `request_timeout` of
the nodes above. `strategy.mode` is Portkey's `single`, `fallback`, `loadbalance` (one is chosen, the others are not tried) or
`conditional`, or ours: `priority` (= fallback), `weighted`, `least_busy`, `lowest_latency`, `lowest_cost` (the others follow);
`strategy.sticky` keeps conversations where they are. A condition is `{"query": …, "then": NAME}`, or `{"when": CEL, …}`.

Credentials have no place in a config: it is shown, logged and sent in headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from anykey.conversation.failures import FailureError
from anykey.protocols.fields import Fields
from anykey.routing.conditions import ConditionError, compile_condition
from anykey.routing.config_fields import (
    LONGEST_NAME,
    ConfigError,
    read_overrides,
    read_provider,
    read_retry,
    read_statuses,
    read_text,
    read_timeout_s,
    whole_weights,
)
from anykey.routing.hosts import check_host, check_public_host
from anykey.routing.queries import QueryError, compile_query
from anykey.routing.tree import Balance, Branch, Conditional, Fallback, Node, Retry, Spread, Target

LONGEST_CONFIG = 64 * 1024
MOST_NODES = 256
MOST_DEPTH = 8

_SPREADS: Mapping[str, Spread] = {
    "loadbalance": "weighted",
    "weighted": "weighted",
    "least_busy": "least_busy",
    "lowest_latency": "lowest_latency",
    "lowest_cost": "lowest_cost",
}
_MODES = ("single", "fallback", "priority", "conditional", *_SPREADS)
_CREDENTIALS = ("api_key", "authorization", "secret", "access_key", "session_token", "service_account", "password")
_HINTS = {"cache": "answers are not cached here", "strict_open_ai_compliance": "answers always keep to their protocol"}
Hosts = Literal["any", "public", "none"]
"""Which custom hosts a config may name: an operator's any (http for this machine only), an admin's in a header those of the
public internet, nobody else's."""


class Config(NamedTuple):
    """`notes` are what was read and will not be done, one sentence each."""

    node: Node
    notes: tuple[str, ...]


class _Inherited(NamedTuple):
    """What a node says for all below it."""

    provider: str | None = None
    model: str | None = None
    overrides: Mapping[str, bytes] = {}
    retry: Retry | None = None
    timeout_s: float | None = None


class _Reader:
    """What the nodes of one config share."""

    def __init__(self, hosts: Hosts, note: Callable[[str], None] | None) -> None:
        self.hosts: Hosts = hosts
        self.note = note
        self.notes: list[str] = []
        self.nodes = 0


def parse_config(
    raw: bytes | str | Mapping[str, Any], *, hosts: Hosts = "any", note: Callable[[str], None] | None = None
) -> Node:
    """The tree of a config; see `read_config`."""
    return read_config(raw, hosts=hosts, note=note).node


def read_config(
    raw: bytes | str | Mapping[str, Any], *, hosts: Hosts = "any", note: Callable[[str], None] | None = None
) -> Config:
    """Read a config: JSON text, or a table. Conditions in CEL and patterns are an operator's and an admin's, as `hosts` says.
    `note` is told when a condition cannot be answered. Raises ConfigError."""
    reader = _Reader(hosts, note)
    try:
        return Config(_node(Fields(_table(raw)), _Inherited(), reader, 0), tuple(reader.notes))
    except FailureError as error:
        path = error.failure.param or ""
        raise ConfigError(path, error.failure.message.removeprefix(f"{path}: ")) from None


def _table(raw: bytes | str | Mapping[str, Any]) -> Any:
    if isinstance(raw, Mapping):
        return dict(raw)
    if len(raw) > LONGEST_CONFIG:
        raise ConfigError("", f"the config is larger than {LONGEST_CONFIG:,} bytes")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("", f"the config is not JSON: {error}"[:300]) from None


def _node(fields: Fields, above: _Inherited, reader: _Reader, depth: int) -> Node:
    reader.nodes += 1
    if reader.nodes > MOST_NODES or depth > MOST_DEPTH:
        raise ConfigError(fields.path, f"at most {MOST_NODES} nodes, nested at most {MOST_DEPTH} deep")
    fields.any("weight")  # read with its siblings
    name = read_text(fields, "name")
    model, overrides = read_overrides(fields)
    inherited = _Inherited(
        read_provider(fields) or above.provider,
        model or above.model,
        {**above.overrides, **overrides},
        read_retry(fields) or above.retry,
        read_timeout_s(fields) or above.timeout_s,
    )
    strategy = fields.nested("strategy")
    at = fields.at("targets")
    children = [Fields(value, f"{at}[{number}]") for number, value in enumerate(fields.array("targets") or [])]
    if not children:
        if strategy is not None:
            if _mode(strategy) != "single":
                raise ConfigError(at, "this strategy has no targets")
            _finish(strategy, reader)
        return _target(fields, name, inherited, reader)
    mode = "single" if strategy is None else _mode(strategy)
    weights = [child.any("weight") for child in children]
    nodes = [_node(child, inherited, reader, depth + 1) for child in children]
    nodes = [
        msgspec.structs.replace(node, weight=weight)
        for node, weight in zip(nodes, whole_weights(weights, children), strict=True)
    ]
    _finish(fields, reader)
    made = _strategy(mode, strategy or Fields({}), tuple(nodes), at, reader)
    return msgspec.structs.replace(made, name=name) if name else made


def _strategy(mode: str, strategy: Fields, nodes: tuple[Node, ...], targets: str, reader: _Reader) -> Node:
    sticky = bool(strategy.flag("sticky") or strategy.object("sticky_session"))
    statuses = read_statuses(strategy)
    made: Node
    if mode == "single":
        made, *others = nodes
        if others:
            raise ConfigError(targets, f"'single' has one target, not {len(nodes)}; choose a strategy.mode")
    elif mode in {"fallback", "priority"}:
        made = Fallback(nodes, statuses, sticky=sticky)
    elif mode == "conditional":
        made = _conditional(strategy, nodes, reader)
    else:
        made = Balance(nodes, _SPREADS[mode], sticky=sticky, falls_back=mode != "loadbalance")
    _finish(strategy, reader)
    return made


def _mode(strategy: Fields) -> str:
    mode = strategy.text("mode") or "single"
    if mode not in _MODES:
        raise ConfigError(strategy.at("mode"), f"{mode[:LONGEST_NAME]!r} is no strategy; there are {', '.join(_MODES)}")
    return mode


def _conditional(strategy: Fields, nodes: tuple[Node, ...], reader: _Reader) -> Conditional:
    by_name: dict[str, Node] = {}
    for node in nodes:
        if by_name.setdefault(node.name, node) is not node and node.name:
            raise ConfigError(strategy.at("conditions"), f"two targets are named {node.name!r}")
    branches = [
        _branch(Fields(value, f"{strategy.at('conditions')}[{number}]"), by_name, reader)
        for number, value in enumerate(strategy.array("conditions") or [])
    ]
    if not branches:
        raise ConfigError(strategy.at("conditions"), "a conditional strategy needs at least one")
    otherwise = strategy.text("default")
    fallen = None if otherwise is None else _named(otherwise, by_name, strategy.at("default"))
    return Conditional(tuple(branches), fallen)


def _branch(fields: Fields, by_name: Mapping[str, Node], reader: _Reader) -> Branch:
    node = _named(fields.required_text("then"), by_name, fields.at("then"))
    when, query = fields.text("when"), fields.any("query")
    _finish(fields, reader)
    if (when is None) == (query is None):
        raise ConfigError(fields.path, "a condition has either 'when' (CEL) or 'query'")
    try:
        if when is None:
            holds = compile_query(query, patterns=reader.hosts != "none")
            return Branch(msgspec.json.encode(query).decode(), holds, node)
        if reader.hosts == "none":
            raise ConfigError(
                fields.at("when"), "conditions in CEL are for stored configs and admin keys", needs_admin=True
            )
        return Branch(when, compile_condition(when, reader.note), node)
    except ConditionError as error:
        raise ConfigError(fields.at("when"), str(error)) from None
    except QueryError as error:
        raise ConfigError(fields.at("query") + error.place, str(error), needs_admin=error.needs_admin) from None


def _named(name: str, by_name: Mapping[str, Node], path: str) -> Node:
    node = by_name.get(name) if name else None
    if node is None:
        raise ConfigError(path, f"there is no target named {name[:LONGEST_NAME]!r}")
    return node


def _target(fields: Fields, name: str, inherited: _Inherited, reader: _Reader) -> Target:
    provider, model = inherited.provider, inherited.model
    host, region = read_text(fields, "custom_host") or None, read_text(fields, "region") or None
    _finish(fields, reader)
    if host is not None:
        _check_host(host, fields.at("custom_host"), reader.hosts)
    if provider is None and model is not None and model.startswith("@"):
        provider, _, model = model[1:].partition("/")
    return Target(
        provider=provider,
        model=model,
        name=name,
        region=region,
        overrides=tuple(inherited.overrides.items()),
        timeout_s=inherited.timeout_s,
        retry=inherited.retry,
        custom_host=None if host is None else host.rstrip("/"),
    )


def _check_host(url: str, path: str, hosts: Hosts) -> None:
    if hosts == "none":
        raise ConfigError(path, "only admin keys may name a host of their own", needs_admin=True)
    fault = check_host(url) if hosts == "any" else check_public_host(url)
    if fault is not None:
        raise ConfigError(path, fault)


def _finish(fields: Fields, reader: _Reader) -> None:
    """Nothing may be left: what is not understood would be believed to work."""
    for name in fields.rest():
        path = fields.at(name)
        if name in _HINTS:
            reader.notes.append(f"{path} is ignored: {_HINTS[name]}")
        elif any(word in name.lower().replace("-", "_") for word in _CREDENTIALS):
            raise ConfigError(path, "credentials do not live in configs; give them to 'anykey credentials add'")
        else:
            raise ConfigError(path, "this is not known here")
