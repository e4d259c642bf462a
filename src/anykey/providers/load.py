"""Reads the catalogue: every `catalogue/*.toml` of this package, once, as `ProviderKind` records."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec

from anykey.providers.records import ProviderKind


@cache
def catalogue() -> Mapping[str, ProviderKind]:
    """Return all kinds by id, in the order of their ids. Read once per process."""
    kinds: dict[str, ProviderKind] = {}
    folder = resources.files("anykey.providers") / "catalogue"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            row: dict[str, object] = {"id": file.name.removesuffix(".toml"), **tomllib.loads(file.read_text("utf-8"))}
            kind = msgspec.convert(row, ProviderKind)
            kinds[kind.id] = kind
    return MappingProxyType(kinds)


@cache
def _kinds_by_name() -> Mapping[str, ProviderKind]:
    return {name: kind for kind in catalogue().values() for name in (kind.id, *kind.aliases)}


def find(name: str) -> ProviderKind | None:
    """Return the kind called `name`, by its id or one of its aliases; None when there is none."""
    return _kinds_by_name().get(name)
