"""The keys of `anykey.toml`, section by section: the one list that reading, errors and the reference page share."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from anykey.protocols.hosted import POLICIES
from anykey.providers.configured import Timeouts
from anykey.routing.configured import STRATEGIES
from anykey.routing.scenario import LONG_CONTEXT_TOKENS

Shape = Literal[
    "deployments",
    "number",
    "table",
    "text",
    "texts",
    "integer",
    "seconds",
    "boolean",
    "credential",
    "timeouts",
    "headers",
    "dialect",
]


class Key(NamedTuple):
    """One key: the shape of its value, its default (None: not set), the bounds of a number, the words a text may be."""

    shape: Shape
    default: Any = None
    least: float = 0
    most: float = float("inf")
    words: tuple[str, ...] = ()


EXPECTED: Mapping[Shape, str] = {
    "deployments": "a list of `provider/model`, each a text or a table with `model`",
    "number": "a number",
    "table": "a table",
    "text": "a text",
    "texts": "a list of texts",
    "integer": "a whole number",
    "seconds": "a number of seconds",
    "boolean": "true or false",
    "credential": 'a text, { env = "NAME" }, { file = "PATH" } or a list of such tables',
    "timeouts": "a table of seconds",
    "headers": "a table of texts",
    "dialect": "a table of tables, one a protocol",
}
"""What to say to whom wrote something else."""

SERVER: Mapping[str, Key] = {
    "host": Key("text", "127.0.0.1"),
    "port": Key("integer", 4000, 0, 65535),
    "max_body_bytes": Key("integer", 67_108_864, 1, 2**40),
    "keepalive_s": Key("seconds", 15.0, 0.1, 3600),
    "responses_websocket": Key("boolean", True),
    "environment_providers": Key("boolean", True),
    "discovery_hours": Key("integer", 6, 0, 8760),
    "trusted_proxies": Key("texts", ()),
}
RESPONSES: Mapping[str, Key] = {
    "store": Key("boolean", True),
    "ttl_days": Key("integer", 30, 1, 3650),
    "max_stored_bytes": Key("integer", 33_554_432, 1, 2**30),
}
DATABASE: Mapping[str, Key] = {
    "url": Key("text"),
}
VALKEY: Mapping[str, Key] = {
    "url": Key("text"),
}
LEDGER: Mapping[str, Key] = {
    "durability": Key("text", "process", words=("process", "power")),
    "every_call": Key("boolean", False),
    "assumed_output_tokens": Key("integer", 16_384, 1, 10_000_000),
}
LOGGING: Mapping[str, Key] = {
    "max_body_bytes": Key("integer", 1_048_576, 1024, 2**26),
}
RETENTION: Mapping[str, Key] = {
    "exchanges_days": Key("integer", 90, 0, 36_500),
    "charges_days": Key("integer", 0, 0, 36_500),
    "deliveries_days": Key("integer", 30, 0, 36_500),
}
UPSTREAM: Mapping[str, Key] = {
    "ca_file": Key("text"),
    "timeouts": Key("timeouts"),
}
TIMEOUTS: Mapping[str, Key] = {
    name: Key("seconds", getattr(Timeouts(), name), 0.001, 86_400) for name in Timeouts.__struct_fields__
}
PROVIDER: Mapping[str, Key] = {
    "kind": Key("text"),
    "protocol": Key("text"),
    "base_url": Key("text"),
    "region": Key("text"),
    "lane": Key("text"),
    "variables": Key("headers"),
    "auth": Key("text"),
    "api_key": Key("credential"),
    "models": Key("texts", ()),
    "timeouts": Key("timeouts"),
    "headers": Key("headers"),
    "dialect": Key("dialect"),
    "hosted_tools": Key("text", "drop", words=POLICIES),
    "native_state": Key("boolean", False),
}
CREDENTIAL: Mapping[str, Key] = {
    "env": Key("text"),
    "file": Key("text"),
    "label": Key("text"),
    "weight": Key("integer", 1, 1, 1000),
}
MODEL: Mapping[str, Key] = {
    "deployments": Key("deployments"),
    "strategy": Key("text", "priority", words=STRATEGIES),
    "sticky": Key("boolean", False),
    "aliases": Key("texts", ()),
    "larger": Key("texts", ()),
    "on_content_policy": Key("texts", ()),
    "shadow": Key("table"),
    "hosted_tools": Key("text", words=POLICIES),
}
DEPLOYMENT: Mapping[str, Key] = {
    "model": Key("text"),
    "weight": Key("integer", 1, 0, 1_000_000),
    "region": Key("text"),
    "timeout_s": Key("seconds", None, 0.001, 86_400),
}
SHADOW: Mapping[str, Key] = {
    "deployment": Key("text"),
    "percent": Key("number", None, 0, 100),
}
REWRITE: Mapping[str, Key] = {
    "match": Key("text"),
    "to": Key("text"),
}
CAP: Mapping[str, Key] = {
    "allowed_models": Key("texts"),
}
GROUP: Mapping[str, Key] = {
    "models": Key("texts"),
    "providers": Key("texts", ()),
    "price_multiplier": Key("text", "1"),
    "routes": Key("table"),
    "scenarios": Key("table"),
    "long_context_tokens": Key("integer", LONG_CONTEXT_TOKENS, 1, 2**31),
    "config": Key("text"),
}
ROUTE: Mapping[str, Key] = {name: MODEL[name] for name in ("deployments", "strategy", "sticky")}
SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "server": SERVER,
    "responses": RESPONSES,
    "database": DATABASE,
    "valkey": VALKEY,
    "ledger": LEDGER,
    "retention": RETENTION,
    "logging": LOGGING,
    "upstream": UPSTREAM,
    "timeouts": TIMEOUTS,
    "providers.NAME": PROVIDER,
    "providers.NAME.api_key": CREDENTIAL,
    "models.NAME": MODEL,
    "deployments": DEPLOYMENT,
    "models.NAME.shadow": SHADOW,
    "rewrites": REWRITE,
    "organisation": CAP,
    "teams.NAME": CAP,
    "groups.NAME": GROUP,
    "groups.NAME.routes.NAME": ROUTE,
}
"""All sections by the heading the reference page gives them."""
