"""Configurations for routing tests, made of values, without a file."""

import msgspec

from anykey.providers.configured import ModelSettings, ProviderSettings
from anykey.providers.load import find
from anykey.providers.secret import Secret
from anykey.routing.snapshot import Snapshot, build_snapshot
from anykey.settings.doors import default_doors, moved


class Given(msgspec.Struct, frozen=True):
    """A configuration as `build_snapshot` takes it."""

    providers: tuple[ProviderSettings, ...]
    models: tuple[ModelSettings, ...] = ()


def provider(kind: str, name: str = "", **settings: object) -> ProviderSettings:
    """Return a provider of `kind` with its default doors and a credential."""
    row = find(kind)
    assert row is not None
    doors = default_doors(row)
    if not doors[0].base_url:
        doors = moved(doors, "http://127.0.0.1:9")
    made = ProviderSettings(name or kind, row, doors, Secret("k-1"))
    return msgspec.structs.replace(made, **settings)


def snapshot(*providers: ProviderSettings, **models: tuple[str, ...]) -> Snapshot:
    """Return the snapshot of these providers and public models."""
    public = tuple(ModelSettings(name, deployments) for name, deployments in models.items())
    return build_snapshot(Given(providers, public))
