"""Groups, caps, teams and configs, as the file says them."""

from fractions import Fraction
from pathlib import Path

import pytest

from anykey.routing.configured import GroupSettings, RouteSettings
from anykey.routing.scenario import ScenarioRules
from anykey.routing.tree import Fallback, Target
from tests.unit.settings.reading import problems, read

HEAD = """\
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9001/v1"
[models.house]
deployments = ["lab/x"]
"""


def test_everything_a_group_may_say(tmp_path: Path) -> None:
    routing = read(
        tmp_path,
        HEAD
        + """
[organisation]
allowed_models = ["*"]
[teams.red]
allowed_models = ["claude-*"]
[teams.blue]
[groups.small]
models = ["claude-*"]
providers = ["lab"]
price_multiplier = "1.10"
routes = { "claude-*" = ["lab/seed-*"], fast = { deployments = ["lab/a", "lab/b"], strategy = "least_busy", sticky = true } }
scenarios = { background = "house", longContext = "lab/big" }
long_context_tokens = 9000
config = "steer"
[configs.steer]
strategy = { mode = "fallback" }
targets = [{ provider = "@lab", model = "a" }, { provider = "lab", model = "b" }]
""",
    ).routing
    assert (routing.organisation_models, routing.teams) == (("*",), {"red": ("claude-*",)})
    assert routing.groups == (
        GroupSettings(
            "small",
            models=("claude-*",),
            providers=("lab",),
            price_multiplier=Fraction(11, 10),
            routes={
                "claude-*": RouteSettings(("lab/seed-*",)),
                "fast": RouteSettings(("lab/a", "lab/b"), "least_busy", sticky=True),
            },
            scenarios=ScenarioRules({"background": "house", "longContext": "lab/big"}, 9000),
            config="steer",
        ),
    )
    steer = routing.configs["steer"]
    assert isinstance(steer, Fallback)
    assert [node.model for node in steer.nodes if isinstance(node, Target)] == ["a", "b"]


def test_nothing_said_is_no_cap(tmp_path: Path) -> None:
    routing = read(tmp_path, HEAD).routing
    assert (routing.organisation_models, routing.teams, routing.groups, dict(routing.configs)) == (None, {}, (), {})


@pytest.mark.parametrize(
    ("text", "key", "code"),
    [
        ('providers = ["lub"]', "groups.g.providers", "unknown_provider"),
        ('price_multiplier = "1,5"', "groups.g.price_multiplier", "bad_multiplier"),
        ('price_multiplier = "-1"', "groups.g.price_multiplier", "bad_multiplier"),
        ('price_multiplier = "1e999999999"', "groups.g.price_multiplier", "bad_multiplier"),
        ('price_multiplier = "NaN"', "groups.g.price_multiplier", "bad_multiplier"),
        ('scenarios = { longcontext = "house" }', "groups.g.scenarios.longcontext", "unknown_key"),
        ('scenarios = { think = "huose" }', "groups.g.scenarios.think", "unknown_model"),
        ("scenarios = { think = 7 }", "groups.g.scenarios.think", "wrong_type"),
        ('routes = { fast = ["lub/x"] }', "groups.g.routes.fast", "unknown_provider"),
        ('routes = { fast = ["lab/*"] }', "groups.g.routes.fast", "star_without"),
        ('routes = { "a*b*" = ["lab/x"] }', 'groups.g.routes."a*b*"', "two_stars"),
        ('routes = { fast = "lab/x" }', "groups.g.routes.fast", "wrong_type"),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, text: str, key: str, code: str) -> None:
    assert problems(tmp_path, f"{HEAD}[groups.g]\n{text}\n")[0] == (8, key, code)


def test_a_config_that_is_none(tmp_path: Path) -> None:
    found = problems(tmp_path, HEAD + '[configs.c]\nstrategy = { mode = "falback" }\ntargets = []\n')
    assert found == [(7, "configs.c", "bad_gateway_config")]
