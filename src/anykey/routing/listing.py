"""The list of models to show: what `GET /v1/models` and `anykey models` are made of."""

from collections.abc import Callable

from anykey.routing.snapshot import ModelEntry, Provider, Snapshot, facts_of
from anykey.routing.tree import leaves_of


def list_models(snapshot: Snapshot, allowed: Callable[[str], bool] | None = None) -> tuple[ModelEntry, ...]:
    """Return the models to show, of those that are `allowed` (by the name that is asked for; default: all): public names first,
    then each provider's pinned, discovered or catalogue models. A name with a `*` is none to ask for."""
    entries: dict[str, ModelEntry] = {}
    for name, public in snapshot.public.items():
        leaf = next(leaves_of(public.node), None)
        provider = snapshot.by_name.get((leaf.provider or "").removeprefix("@")) if leaf else None
        if provider is not None and leaf is not None and "*" not in name:
            entries[name] = _entry(snapshot, name, provider, leaf.model or name)
    for provider in snapshot.providers:
        for model in snapshot.shown.get(provider.name, ()):
            name = f"{provider.name}/{model}"
            if name not in entries:
                entries[name] = _entry(snapshot, name, provider, model)
    return tuple(entry for entry in entries.values() if allowed is None or allowed(entry.id))


def _entry(snapshot: Snapshot, name: str, provider: Provider, model: str) -> ModelEntry:
    protocols, kind = tuple(provider.endpoints), provider.settings.kind.id
    return ModelEntry(name, provider.name, kind, protocols, facts_of(snapshot, provider, model))
