"""Reads who may ask for what and where it goes: `[organisation]`, `[teams.NAME]`, `[groups.NAME]`, `[configs.NAME]`."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from anykey.routing.config import ConfigError, parse_config
from anykey.routing.configured import GroupSettings, ModelSettings, RouteSettings
from anykey.routing.scenario import SCENARIOS, ScenarioRules
from anykey.routing.tree import Node
from anykey.settings.models import Known, check_model, read_route
from anykey.settings.schema import CAP, GROUP
from anykey.settings.section import Path, Source, Table, as_table, read_section, wrong_type

_LARGEST_MULTIPLIER = 1000
_LONGEST_MULTIPLIER = 30


def read_cap(source: Source, path: Path, table: object) -> tuple[str, ...] | None:
    """Return the globs of `allowed_models`, or None where there are none."""
    globs = read_section(source, path, table, CAP)["allowed_models"]
    return None if globs is None else tuple(globs)


def read_teams(source: Source, table: object) -> dict[str, tuple[str, ...]]:
    """Read `[teams]`: the globs of each team that has some."""
    caps = {name: read_cap(source, ("teams", name), team) for name, team in as_table(source, ("teams",), table).items()}
    return {name: globs for name, globs in caps.items() if globs is not None}


def read_groups(
    source: Source, table: object, models: Iterable[ModelSettings], known: Known
) -> tuple[GroupSettings, ...]:
    """Read `[groups]`. Problems go to `source`."""
    public = list(models)
    groups = as_table(source, ("groups",), table).items()
    return tuple(_group(source, ("groups", name), group, public, known) for name, group in groups)


def read_configs(source: Source, table: object) -> dict[str, Node]:
    """Read `[configs]`: gateway configs as tables."""
    found: dict[str, Node] = {}
    for name, config in as_table(source, ("configs",), table).items():
        path = ("configs", name)
        try:
            found[name] = parse_config(as_table(source, path, config))
        except ConfigError as error:
            source.problem(path, "settings.bad_gateway_config", reason=str(error))
    return found


def _group(source: Source, path: Path, table: Any, models: list[ModelSettings], known: Known) -> GroupSettings:
    values = read_section(source, path, table, GROUP)
    for provider in values["providers"]:
        if not known.has(provider):
            source.unknown((*path, "providers"), "settings.unknown_provider", provider, known.names())
    return GroupSettings(
        name=path[1],
        models=("*",) if values["models"] is None else tuple(values["models"]),
        providers=tuple(values["providers"]),
        price_multiplier=_multiplier(source, (*path, "price_multiplier"), values["price_multiplier"]),
        routes=_routes(source, (*path, "routes"), values["routes"] or {}, known),
        scenarios=_scenarios(source, path, values, models, known),
        config=values["config"],
    )


def _routes(source: Source, path: Path, table: Table, known: Known) -> dict[str, RouteSettings]:
    found: dict[str, RouteSettings] = {}
    for name, value in table.items():
        if name.count("*") > 1:
            source.problem((*path, name), "settings.two_stars", found=repr(name))
        route = read_route(source, (*path, name), value, name, known)
        if route is not None:
            found[name] = route
    return found


def _scenarios(
    source: Source, path: Path, values: Table, models: list[ModelSettings], known: Known
) -> ScenarioRules | None:
    named: dict[str, str] = {}
    table: Table = values["scenarios"] or {}
    for scenario, model in table.items():
        place = (*path, "scenarios", scenario)
        if scenario not in SCENARIOS:
            source.unknown(place, "settings.unknown_key", scenario, SCENARIOS)
        elif not isinstance(model, str):
            wrong_type(source, place, "a text", model)
        else:
            check_model(source, place, model, models, known)
            named[scenario] = model
    return ScenarioRules(named, values["long_context_tokens"]) if named else None


def _multiplier(source: Source, path: Path, text: str) -> Fraction:
    """The number as it is written, exactly: it is multiplied with money."""
    try:
        found = Decimal(text) if len(text) <= _LONGEST_MULTIPLIER else Decimal(-1)
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or not 0 <= found <= _LARGEST_MULTIPLIER:
        source.problem(path, "settings.bad_multiplier", found=repr(text[:_LONGEST_MULTIPLIER]))
        return Fraction(1)
    return Fraction(found)
