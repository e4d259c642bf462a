"""The configuration as operations read it: what the file, the environment and the database say at this moment."""

from msgspec import structs

from anykey.providers.configured import ProviderSettings
from anykey.routing.names import providers_by_name
from anykey.server.admin.caller import Caller
from anykey.server.admin.refusals import Refusal, missing
from anykey.settings import Settings, SettingsError


def settings_now(caller: Caller) -> Settings:
    """The settings. Raises Refusal (409) where they cannot be read: the gateway then goes on with what it has, and changes that
    depend on them would be made blindly."""
    try:
        return caller.premises.load()
    except SettingsError as error:
        raise Refusal(409, "settings.wrong", f"The configuration cannot be read: {error.problems[0]}") from None


def settings_without_stored(caller: Caller) -> Settings:
    """The settings as if nothing were stored beside them: what a stored credential is checked against."""
    settings = settings_now(caller)
    providers = [
        structs.replace(provider, credentials=tuple(one for one in provider.credentials if one.origin is None))
        for provider in settings.providers
    ]
    return structs.replace(settings, providers=tuple(providers))


def providers_in_force(caller: Caller) -> list[ProviderSettings]:
    """The providers that calls go to now."""
    return [provider.settings for provider in caller.premises.gateway.snapshot.providers]


def provider_in_force(caller: Caller, name: str) -> ProviderSettings:
    """The provider of this name, kind or alias. Raises Refusal (404)."""
    found = providers_by_name(providers_in_force(caller)).get(name)
    if found is None:
        raise missing("models.no_provider", f"No configured provider is called {name!r}.")
    return found
