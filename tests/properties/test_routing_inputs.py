"""Laws of what people write for the router: overrides, gateway configs, directions."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.body_facts import read_body
from anykey.exchange.directions import directions_of
from anykey.exchange.overriding import apply_overrides
from anykey.protocols.codec import Headers
from anykey.routing.ask import Facts
from anykey.routing.config import MOST_NODES, ConfigError, parse_config
from anykey.routing.tree import Conditional, Node, Target

NAMES = st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
MODES = (
    "single",
    "fallback",
    "priority",
    "loadbalance",
    "weighted",
    "least_busy",
    "lowest_cost",
    "conditional",
    "nonsense",
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(["@a", "b", 3]),
        "model": st.sampled_from(["m", "@a/m", "x-*", None]),
        "weight": st.sampled_from([0, 1, 0.25, -1, 7]),
        "name": st.sampled_from(["one", "two"]),
        "override_params": OBJECTS,
        "retry": st.just({"attempts": 2}) | VALUES,
        "request_timeout": st.sampled_from([1, 1000, 0, "1"]),
    },
)
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {"then": st.sampled_from(["one", "two"]), "query": st.sampled_from([{"metadata.a": "1"}, {"x": 1}])}
    ),
    max_size=2,
)
CONFIGS: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {
            "strategy": st.fixed_dictionaries({"mode": st.sampled_from(MODES)}, optional={"conditions": CONDITIONS}),
            "targets": st.lists(inner, max_size=4),
        },
        optional={"weight": st.sampled_from([1, 0.5]), "name": st.sampled_from(["one", "two"])},
    ),
    max_leaves=12,
)


@given(OBJECTS, st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from([None, 2]))
def test_overrides_change_what_they_name_and_nothing_else(
    body: dict[str, Any], overrides: dict[str, Any], indent: int | None
) -> None:
    text = json.dumps(body, indent=indent).encode()
    changed = apply_overrides(text, [(name, json.dumps(value).encode()) for name, value in overrides.items()])
    kept = {name: value for name, value in (body | overrides).items() if not (name in overrides and value is None)}
    assert json.loads(changed) == kept
    assert [name for name in json.loads(changed) if name in body] == [name for name in body if name in kept]


@given(CONFIGS)
def test_a_config_is_a_tree_that_ends_or_is_refused_in_words(config: Any) -> None:
    read = _read(config)
    assert read if isinstance(read, str) else 1 <= _size(read) <= 2 * MOST_NODES


@given(VALUES)
def test_no_json_breaks_the_parser_of_configs(value: Any) -> None:
    read = _read(value)
    assert read if isinstance(read, str) else _size(read) == 1


@given(
    st.binary(max_size=200)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | OBJECTS.map(lambda o: json.dumps({"messages": [o], "tools": [o], "system": o}).encode())
)
def test_no_body_breaks_the_reader_of_facts(body: bytes) -> None:
    assert read_body(body).tokens >= 1


@given(
    st.sampled_from(["x-anykey-provider", "x-portkey-config", "x-anykey-metadata", "x-anykey-trace-id", "traceparent",
                     "x-anykey-region", "x-portkey-custom-host", "x-anykey-timeout"]),
    st.binary(max_size=120),
    st.booleans(),
)  # fmt: skip
def test_no_header_breaks_the_reader_of_directions(name: str, value: bytes, admin: bool) -> None:
    failure = _refusal(((name.encode(), value),), admin=admin)
    assert failure is None or (failure.param == name and failure.kind in {"invalid_request", "permission"})


def _read(config: Any) -> Node | str:
    """The tree, or what is wrong with the config."""
    try:
        return parse_config(json.dumps(config))
    except ConfigError as error:
        return error.what


def _refusal(headers: Headers, *, admin: bool) -> Failure | None:
    try:
        directions_of(headers, admin=admin)
    except FailureError as error:
        return error.failure
    return None


def _size(node: Node) -> int:
    """Nodes of a tree; its conditions can be asked."""
    if isinstance(node, Target):
        return 1
    if isinstance(node, Conditional):
        assert all(branch.holds(Facts(model="m", protocol="p")) in {True, False} for branch in node.branches)
        inside = [branch.node for branch in node.branches]
        return 1 + sum(map(_size, inside)) + (_size(node.otherwise) if node.otherwise is not None else 0)
    return 1 + sum(map(_size, node.nodes))
