"""Provider names as callers write them: the configured name first, then its kind's id and aliases."""

from collections.abc import Iterable

from anykey.providers.configured import ProviderSettings


def providers_by_name(providers: Iterable[ProviderSettings]) -> dict[str, ProviderSettings]:
    """Return every name a provider answers to. Configured names win over kinds and aliases, earlier over later."""
    listed = list(providers)
    found = {provider.name: provider for provider in listed}
    for provider in listed:
        for name in (provider.kind.id, *provider.kind.aliases):
            found.setdefault(name, provider)
    return found
