"""The keys of `anykey.toml`, section by section: the one list that reading, errors and the reference page share."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from anykey.protocols.hosted import POLICIES
from anykey.providers.configured import Timeouts

Shape = Literal["text", "texts", "integer", "seconds", "boolean", "credential", "timeouts", "headers", "dialect"]


class Key(NamedTuple):
    """One key: the shape of its value, its default (None: not set), the bounds of a number, the words a text may be."""

    shape: Shape
    default: Any = None
    least: float = 0
    most: float = float("inf")
    words: tuple[str, ...] = ()


EXPECTED: Mapping[Shape, str] = {
    "text": "a text",
    "texts": "a list of texts",
    "integer": "a whole number",
    "seconds": "a number of seconds",
    "boolean": "true or false",
    "credential": 'a text, { env = "NAME" } or { file = "PATH" }',
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
}
RESPONSES: Mapping[str, Key] = {
    "store": Key("boolean", True),
    "ttl_days": Key("integer", 30, 1, 3650),
    "max_stored_bytes": Key("integer", 33_554_432, 1, 2**30),
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
    "auth": Key("text"),
    "api_key": Key("credential"),
    "models": Key("texts", ()),
    "timeouts": Key("timeouts"),
    "headers": Key("headers"),
    "dialect": Key("dialect"),
    "hosted_tools": Key("text", "drop", words=POLICIES),
    "native_state": Key("boolean", False),
}
MODEL: Mapping[str, Key] = {
    "deployments": Key("texts"),
    "hosted_tools": Key("text", words=POLICIES),
}
SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "server": SERVER,
    "responses": RESPONSES,
    "upstream": UPSTREAM,
    "timeouts": TIMEOUTS,
    "providers.NAME": PROVIDER,
    "models.NAME": MODEL,
}
"""All sections by the heading the reference page gives them."""
