"""Gateway configs: Portkey's shape and ours become the planner's tree, and what is wrong is named by its path."""

import json
import tomllib
from typing import Any

import pytest

from anykey.routing.ask import Facts
from anykey.routing.config import LONGEST_CONFIG, MOST_DEPTH, MOST_NODES, ConfigError, parse_config, read_config
from anykey.routing.tree import Balance, Conditional, Fallback, Retry, Target

A, B = {"provider": "@a", "model": "m"}, {"provider": "b"}


def test_a_single_target() -> None:
    assert parse_config(b'{"provider": "@a", "model": "m"}') == Target("a", "m")
    assert parse_config('{"strategy": {"mode": "single"}, "targets": [{"provider": "a"}]}') == Target("a")
    assert parse_config({}) == Target(), "whoever serves the model that is asked for"
    assert parse_config({"override_params": {"model": "@a/x/y"}}) == Target("a", "x/y")
    assert parse_config({"virtual_key": "a"}) == Target("a"), "Portkey's older word"


def test_a_target_has_all_its_members() -> None:
    target = parse_config(
        {
            "name": "t",
            "provider": "@a",
            "override_params": {"model": "m", "temperature": 0.5, "stop": None},
            "region": "eu-west-1",
            "request_timeout": 2500,
            "retry": {"attempts": 2, "on_status_codes": [429, 503], "use_retry_after_headers": True},
            "custom_host": "https://api.example.com/v1/",
        }
    )
    assert target == Target(
        "a",
        "m",
        name="t",
        region="eu-west-1",
        overrides=(("temperature", b"0.5"), ("stop", b"null")),
        timeout_s=2.5,
        retry=Retry(2, frozenset({429, 503})),
        custom_host="https://api.example.com/v1",
    )


def test_fallback_with_statuses() -> None:
    config = {"strategy": {"mode": "fallback", "on_status_codes": [429]}, "targets": [A, B]}
    assert parse_config(config) == Fallback((Target("a", "m"), Target("b")), frozenset({429}))
    sticky = {"strategy": {"mode": "priority", "sticky": True}, "targets": [A, B]}
    assert parse_config(sticky) == Fallback((Target("a", "m"), Target("b")), sticky=True)


@pytest.mark.parametrize(
    ("mode", "by", "falls_back"),
    [
        ("loadbalance", "weighted", False),
        ("weighted", "weighted", True),
        ("least_busy", "least_busy", True),
        ("lowest_latency", "lowest_latency", True),
        ("lowest_cost", "lowest_cost", True),
    ],
)
def test_balances(mode: str, by: str, falls_back: bool) -> None:
    node = parse_config({"strategy": {"mode": mode}, "targets": [A, B]})
    assert isinstance(node, Balance)
    assert (node.by, node.falls_back, len(node.nodes)) == (by, falls_back, 2)


@pytest.mark.parametrize(
    ("given", "whole"),
    [([3, 1], [3, 1]), ([0.7, 0.3], [7, 3]), ([0.125, 1], [1, 8]), ([None, 0], [1, 0]), ([1.5, None], [3, 2])],
)
def test_weights_keep_their_proportions(given: list[Any], whole: list[int]) -> None:
    targets = [{"provider": "a"} | ({} if weight is None else {"weight": weight}) for weight in given]
    node = parse_config({"strategy": {"mode": "weighted"}, "targets": targets})
    assert isinstance(node, Balance)
    assert [child.weight for child in node.nodes] == whole


def test_what_a_node_says_holds_for_all_below_it() -> None:
    node = parse_config(
        {
            "strategy": {"mode": "fallback"},
            "retry": {"attempts": 1},
            "request_timeout": 1000,
            "override_params": {"temperature": 0, "model": "m"},
            "targets": [
                {"provider": "a", "override_params": {"temperature": 1}},
                {"provider": "b", "request_timeout": 50},
            ],
        }
    )
    assert isinstance(node, Fallback)
    first, second = node.nodes
    assert isinstance(first, Target)
    assert isinstance(second, Target)
    assert (first.model, first.overrides, first.timeout_s, first.retry) == ("m", (("temperature", b"1"),), 1, Retry(1))
    assert (second.model, second.overrides, second.timeout_s) == ("m", (("temperature", b"0"),), 0.05)


def test_conditions_lead_to_targets_by_name() -> None:
    node = parse_config(
        {
            "strategy": {
                "mode": "conditional",
                "conditions": [
                    {"query": {"metadata.plan": {"$eq": "paid"}}, "then": "good"},
                    {"when": "tokens > 1000", "then": "big"},
                ],
                "default": "cheap",
            },
            "targets": [
                {"name": "good", "provider": "a"},
                {"name": "cheap", "provider": "b"},
                {"name": "big", "strategy": {"mode": "fallback"}, "targets": [A, B]},
            ],
        }
    )
    assert isinstance(node, Conditional)
    assert node.otherwise == Target("b", name="cheap")
    paid = Facts(model="m", protocol="openai_chat", metadata={"plan": "paid"})
    long = Facts(model="m", protocol="openai_chat", tokens=1001)
    assert [branch.holds(paid) for branch in node.branches] == [True, False]
    assert [branch.holds(long) for branch in node.branches] == [False, True]
    assert [branch.source for branch in node.branches] == ['{"metadata.plan":{"$eq":"paid"}}', "tokens > 1000"]
    assert isinstance(node.branches[1].node, Fallback)


def test_toml_says_the_same() -> None:
    table = tomllib.loads("""
        strategy = { mode = "weighted" }
        [[targets]]
        provider = "@a"
        weight = 2
        [[targets]]
        provider = "b"
        override_params = { temperature = 0.5 }
    """)
    assert parse_config(table) == parse_config(json.dumps(table))


def test_hints_are_noted_and_not_obeyed() -> None:
    config = read_config({"provider": "a", "cache": {"mode": "semantic", "max_age": 60}})
    assert config.node == Target("a")
    assert config.notes == ("cache is ignored: answers are not cached here",)


@pytest.mark.parametrize(
    ("config", "path", "what"),
    [
        ("[]", "", "expected an object"),
        ("{", "", "not JSON"),
        ("{" + " " * LONGEST_CONFIG + "}", "", "larger"),
        ({"api_key": "sk-1"}, "api_key", "credentials do not live in configs"),
        (
            {"targets": [{"provider": "a", "aws_secret_access_key": "x"}]},
            "targets[0].aws_secret_access_key",
            "credentials",
        ),
        ({"provder": "a"}, "provder", "not known"),
        ({"provider": 3}, "provider", "expected a string"),
        ({"provider": "a/b"}, "provider", "name"),
        ({"strategy": {"mode": "random"}, "targets": [A]}, "strategy.mode", "no strategy"),
        ({"strategy": {"mode": "fallback"}}, "targets", "no targets"),
        ({"strategy": {"mode": "fallback", "speed": 1}, "targets": [A]}, "strategy.speed", "not known"),
        (
            {"strategy": {"mode": "fallback", "on_status_codes": [42]}, "targets": [A]},
            "strategy.on_status_codes[0]",
            "HTTP",
        ),
        ({"targets": [A, B]}, "targets", "choose a strategy.mode"),
        ({"targets": ["a"]}, "targets[0]", "expected an object"),
        ({"strategy": {"mode": "weighted"}, "targets": [A, B | {"weight": -1}]}, "targets[1].weight", "from 0"),
        ({"strategy": {"mode": "weighted"}, "targets": [A, B | {"weight": "2"}]}, "targets[1].weight", "from 0"),
        ({"retry": {"attempts": 99}}, "retry.attempts", "from 0 to"),
        ({"retry": {"attempts": 1, "delay": 2}}, "retry.delay", "not known"),
        ({"request_timeout": 0}, "request_timeout", "milliseconds"),
        ({"override_params": {"stream": True}}, "override_params.stream", "cannot be overridden"),
        ({"override_params": {"model": 3}}, "override_params.model", "expected a name"),
        ({"custom_host": "http://example.com"}, "custom_host", "https"),
        ({"name": "x" * 300}, "name", "at most"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(config: Any, path: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(config)
    assert refused.value.path == path
    assert what in refused.value.what


@pytest.mark.parametrize(
    ("condition", "path", "what"),
    [
        ({"then": "a"}, "strategy.conditions[0]", "either"),
        ({"when": "stream", "query": {"metadata.a": 1}, "then": "a"}, "strategy.conditions[0]", "either"),
        ({"when": "strem", "then": "a"}, "strategy.conditions[0].when", "no 'strem'"),
        ({"when": "stream", "then": "z"}, "strategy.conditions[0].then", "no target named 'z'"),
        ({"when": "stream"}, "strategy.conditions[0].then", "required"),
        ({"query": {"a": 1}, "then": "a"}, "strategy.conditions[0].query.a", "metadata.NAME"),
        ({"when": "stream", "then": "a", "else": "b"}, "strategy.conditions[0].else", "not known"),
    ],
)
def test_conditions_are_checked(condition: Any, path: str, what: str) -> None:
    strategy = {"mode": "conditional", "conditions": [condition]}
    with pytest.raises(ConfigError) as refused:
        parse_config({"strategy": strategy, "targets": [{"name": "a", "provider": "a"}]})
    assert refused.value.path == path
    assert what in refused.value.what


def test_names_that_conditions_use_are_unique() -> None:
    targets = [{"name": "a", "provider": "a"}, {"name": "a", "provider": "b"}, {"provider": "c"}, {"provider": "d"}]
    strategy = {"mode": "conditional", "conditions": [{"when": "stream", "then": "a"}]}
    with pytest.raises(ConfigError, match="two targets are named 'a'"):
        parse_config({"strategy": strategy, "targets": targets})
    assert isinstance(parse_config({"strategy": strategy, "targets": targets[1:]}), Conditional)


def test_a_conditional_needs_a_condition() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        parse_config({"strategy": {"mode": "conditional"}, "targets": [A]})


def test_size_and_depth_are_bounded() -> None:
    many = {"strategy": {"mode": "fallback"}, "targets": [B] * MOST_NODES}
    deep: dict[str, Any] = dict(B)
    for _ in range(MOST_DEPTH + 1):
        deep = {"targets": [deep]}
    for config in (many, deep):
        with pytest.raises(ConfigError, match="at most"):
            parse_config(config)


WHEN = {
    "strategy": {"mode": "conditional", "conditions": [{"when": "stream", "then": "a"}]},
    "targets": [{"name": "a", "provider": "a"}],
}
PATTERN = {
    "strategy": {"mode": "conditional", "conditions": [{"query": {"params.model": {"$regex": "g"}}, "then": "a"}]},
    "targets": [{"name": "a", "provider": "a"}],
}


def test_a_stranger_may_say_less_than_an_admin_and_an_admin_less_than_the_operator() -> None:
    public, local = {"custom_host": "https://api.example.com"}, {"custom_host": "http://127.0.0.1:11434"}
    for config in (public, WHEN, PATTERN):
        parse_config(config, hosts="public")
        with pytest.raises(ConfigError, match="admin keys") as refused:
            parse_config(config, hosts="none")
        assert refused.value.needs_admin
    assert parse_config(local) == Target(custom_host="http://127.0.0.1:11434")
    with pytest.raises(ConfigError, match="https"):
        parse_config(local, hosts="public")


def test_what_was_written_is_left_as_it_is() -> None:
    written = {"provider": "a", "override_params": {"model": "m", "temperature": 0.5}}
    parse_config(written)
    assert written == {"provider": "a", "override_params": {"model": "m", "temperature": 0.5}}
