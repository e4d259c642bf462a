"""Chooses the doors of a provider: those of its kind, narrowed by protocol, lane and region, at the right address."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from anykey.providers.addresses import filled, is_value, values_of, variables_in
from anykey.providers.records import PROTOCOLS, EndpointRow, ProviderKind
from anykey.routing.snapshot import request_url
from anykey.settings.lanes import check_address
from anykey.settings.problems import listed
from anykey.settings.section import Path, Source, Table, wrong_type


def choose_doors(
    source: Source, path: Path, kind: ProviderKind, values: Table, environ: Mapping[str, str]
) -> tuple[EndpointRow, ...]:
    """Return the kind's doors that fit `protocol`, `lane` and `region` (each optional), moved to `base_url` if given, the
    variables of their addresses filled from `variables` and the environment.

    Without a lane or region those of the first fitting door are taken. Problems go to `source`.
    """
    protocol, base_url = values["protocol"], values["base_url"]
    if protocol is not None and protocol not in PROTOCOLS:
        source.unknown((*path, "protocol"), "settings.unknown_value", protocol, PROTOCOLS)
        return ()
    addressless = not kind.endpoints[0].base_url and not kind.built_in
    for key in ("protocol", "base_url"):
        if addressless and values[key] is None:
            source.problem((*path, key), "settings.missing")
    doors = kind.endpoints
    for key in ("protocol", "lane", "region"):
        doors = _narrowed(source, path, doors, (kind, key, values[key]))
    if base_url is not None and doors:
        fault = fault_of_url(base_url)
        if fault:
            source.problem((*path, "base_url"), "settings.bad_url", reason=fault)
        else:
            check_address(source, (*path, "base_url"), kind, base_url)
        doors = moved(doors, base_url)
    return _filled(source, (*path, "variables"), kind, doors, (values["variables"] or {}, environ))


def unfilled(kind: ProviderKind, doors: Iterable[EndpointRow]) -> Mapping[str, str]:
    """Return the variables that `doors` still need, each with what may be set for it in the environment."""
    envs = {variable.name: " or ".join(variable.envs) for variable in kind.variables}
    return {name: envs[name] for name in variables_in(doors) if name in envs}


def default_doors(kind: ProviderKind) -> tuple[EndpointRow, ...]:
    """Return the doors of the kind's default lane and region, those of its first door."""
    first = kind.endpoints[0]
    return tuple(door for door in kind.endpoints if (door.lane, door.region) == (first.lane, first.region))


def moved(doors: tuple[EndpointRow, ...], base_url: str) -> tuple[EndpointRow, ...]:
    """Return the doors that share the first one's address, at `base_url` instead; the others are left out.

    A list of models below the vendor's address is looked for below the new one, and one elsewhere is left out.
    """
    first = doors[0].base_url
    base = base_url.rstrip("/")
    return tuple(
        msgspec.structs.replace(door, base_url=base, models_url=_moved_list(door, base))
        for door in doors
        if door.base_url == first
    )


def _moved_list(door: EndpointRow, base: str) -> str | None:
    listed = door.models_url
    if listed is None or not listed.startswith(door.base_url):
        return None
    return request_url(base, listed.removeprefix(door.base_url))


def fault_of_url(url: str) -> str | None:
    """Say what is wrong with a base URL, or None. The URL itself is not repeated: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it cannot be parsed"
    faults = {
        "it must begin with http:// or https://": parts.scheme not in {"http", "https"},
        "it has no host": not parts.hostname,
        "it must not hold a user name or password": "@" in parts.netloc,
        "it must not hold a query or a fragment": bool(parts.query or parts.fragment) or url.endswith(("?", "#")),
        "its port must be between 1 and 65535": port == 0,
        "it holds a blank or a control character": any(mark <= " " or mark > "~" for mark in url),
    }
    return next((reason for reason, found in faults.items() if found), None)


def _filled(
    source: Source,
    path: Path,
    kind: ProviderKind,
    doors: tuple[EndpointRow, ...],
    said: tuple[Table, Mapping[str, str]],
) -> tuple[EndpointRow, ...]:
    """Fill the doors' variables from what is `said`: the provider's own table, and the environment."""
    table, environ = said
    known = [variable.name for variable in kind.variables]
    for name, value in table.items():
        if name not in known:
            source.unknown((*path, name), "settings.unknown_key", name, known)
        elif not isinstance(value, str):
            wrong_type(source, (*path, name), "a text", value)
    values = values_of(kind, {name: value for name, value in table.items() if isinstance(value, str)}, environ)
    for name in variables_in(doors):
        if name in values and not is_value(values[name]):
            source.problem((*path, name), "settings.bad_variable", name=name)
    there = filled(doors, values)
    for name, variables in unfilled(kind, there).items():
        source.problem((*path, name), "settings.no_variable", kind=kind.id, name=name, variables=variables)
    return there


def _narrowed(
    source: Source, path: Path, doors: tuple[EndpointRow, ...], wanted: tuple[ProviderKind, str, Any]
) -> tuple[EndpointRow, ...]:
    """Keep the doors whose `key` is the wanted value; without one, lane and region are those of the first door."""
    kind, key, value = wanted
    if not doors or (value is None and key == "protocol"):
        return doors
    chosen = value if value is not None else getattr(doors[0], key)
    fitting = tuple(door for door in doors if getattr(door, key) == chosen)
    if not fitting:
        known = dict.fromkeys(f"{key} {getattr(door, key)}" for door in doors)
        source.problem(
            (*path, key), "settings.no_endpoint", kind=kind.id, wanted=f"{key} {chosen!r}", known=listed(known)
        )
    return fitting
