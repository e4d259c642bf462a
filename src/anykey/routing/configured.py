"""Routing as an operator set it up: public models, groups, rewrites, caps. Names only; `building.py` makes the snapshot of them.

`anykey.settings` has checked every name before these values exist.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import msgspec

from anykey.protocols.hosted import HostedPolicy
from anykey.routing.scenario import ScenarioRules
from anykey.routing.tree import Node, Target

Strategy = Literal["priority", "weighted", "least_busy", "lowest_latency", "lowest_cost"]
STRATEGIES: tuple[Strategy, ...] = ("priority", "weighted", "least_busy", "lowest_latency", "lowest_cost")
DEFAULT_GROUP = "default"


class Shadow(msgspec.Struct, frozen=True):
    """A deployment that gets a copy of `percent` of the calls (0 to 100); its answers are thrown away."""

    deployment: str
    percent: float


class RouteSettings(msgspec.Struct, frozen=True):
    """Deployments (`provider/model`, or a Target where more is said) and how they share the calls."""

    deployments: tuple[str | Target, ...]
    strategy: Strategy = "priority"
    sticky: bool = False


class ModelSettings(msgspec.Struct, frozen=True):
    """A public model; its name may hold one `*`, and a `*` in a deployment stands for what that matched. `hosted_tools` None:
    each provider's own. `larger` and `on_content_policy` name models to go on with, `provider/model` or public."""

    name: str
    deployments: tuple[str | Target, ...]
    hosted_tools: HostedPolicy | None = None
    strategy: Strategy = "priority"
    sticky: bool = False
    aliases: tuple[str, ...] = ()
    larger: tuple[str, ...] = ()
    on_content_policy: tuple[str, ...] = ()
    shadow: Shadow | None = None


class GroupSettings(msgspec.Struct, frozen=True):
    """What the keys of a group may ask for and where that goes. `providers` empty: any, in the order of the configuration."""

    name: str = DEFAULT_GROUP
    models: tuple[str, ...] = ("*",)
    providers: tuple[str, ...] = ()
    price_multiplier: Fraction = Fraction(1)
    routes: Mapping[str, RouteSettings] = {}
    scenarios: ScenarioRules | None = None
    config: str | None = None


class Rewrite(msgspec.Struct, frozen=True):
    """A whole name that fits the regular expression `match` is read as `to`, `\\1` standing for its first group."""

    match: str
    to: str


class RoutingSettings(msgspec.Struct, frozen=True):
    """Everything that is not a provider and not a public model. `organisation_models` None: no cap."""

    groups: tuple[GroupSettings, ...] = ()
    organisation_models: tuple[str, ...] | None = None
    teams: Mapping[str, tuple[str, ...]] = {}
    rewrites: tuple[Rewrite, ...] = ()
    configs: Mapping[str, Node] = {}


def split_path(text: str) -> tuple[str, str]:
    """Return (provider, model) of `provider/model` or `@provider/model`; one of them empty where the text is no path."""
    provider, _, model = text.removeprefix("@").partition("/")
    return provider, model
