"""The models of the configured providers, as operators and the background job ask for them: refresh, pin."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.provider_calls import ProviderCaller
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.providers.configured import ProviderSettings
from anykey.providers.model_lists import read_models
from anykey.providers.models import ModelFacts
from anykey.providers.records import EndpointRow
from anykey.routing.names import providers_by_name
from anykey.settings import Settings
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.provider_models import keep_seen, set_pinned
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.tokens import TokenRefused

PAGES: Mapping[str, str] = {"anthropic_messages": "limit=1000", "gemini_generate": "pageSize=1000"}
"""How a protocol's list is asked for all at once; the others give all unasked."""


class Refreshed(msgspec.Struct, frozen=True):
    """What became of a provider's list: how many models, whether they differ from before, or why the old list stays."""

    provider: str
    models: int = 0
    changed: bool = False
    problem: str | None = None


def has_list(provider: ProviderSettings) -> bool:
    """Whether the provider may be asked for its models: it has a list, and a credential unless the list needs none."""
    kind = provider.kind
    known = provider.credential is not None or kind.probe_auth_optional or kind.auth == "none"
    return known and not kind.built_in and _list_door(provider) is not None


async def refresh(
    client: UpstreamClient, database: Database, provider: ProviderSettings, *, actor: Actor | None = None
) -> Refreshed:
    """Ask a provider for its models and keep them. Never raises for what the provider does; the old list then stays. `actor`
    None: the gateway does it by itself, which is in no audit log."""
    if actor is not None:
        require(actor, "models:write", None)
    try:
        now = int(time.time())
        models = await _fetch(client, provider, datetime.fromtimestamp(now, UTC).date().isoformat())
        if not models:
            return Refreshed(provider.name, problem="the list is empty")
        author = None if actor is None else actor.name
        changed = await asyncio.to_thread(keep_seen, database, provider.name, models, now, author)
    except (UpstreamError, TokenRefused, ValueError, StorageError) as error:
        return Refreshed(provider.name, problem=str(error))
    return Refreshed(provider.name, len(models), changed)


async def refresh_all(
    client: UpstreamClient,
    database: Database,
    providers: Sequence[ProviderSettings],
    *,
    actor: Actor | None = None,
) -> list[Refreshed]:
    """Refresh several, a few at a time."""
    few = asyncio.Semaphore(8)

    async def one(provider: ProviderSettings) -> Refreshed:
        async with few:
            return await refresh(client, database, provider, actor=actor)

    return list(await asyncio.gather(*map(one, providers)))


def pin(home: Home, settings: Settings, provider: str, models: Sequence[str], *, actor: Actor = LOCAL) -> int:
    """Pin models of a configured provider: they are what is listed for it. Returns how many were not pinned yet."""
    require(actor, "models:write", None)
    for model in models:
        if not model or len(model) > 256 or not model.isprintable():
            raise AdministrationError("models.bad_name", model=repr(model))
    name = configured(settings, provider).name
    return set_pinned(home.database, name, models, pinned=True, author=actor.name)


def unpin(home: Home, settings: Settings, provider: str, models: Sequence[str], *, actor: Actor = LOCAL) -> int:
    """Take pins away, also of a provider that is not configured any more. Returns how many there were."""
    require(actor, "models:write", None)
    found = providers_by_name(settings.providers).get(provider)
    name = found.name if found is not None else provider
    return set_pinned(home.database, name, models, pinned=False, author=actor.name)


def is_asked_unbidden(provider: ProviderSettings) -> bool:
    """Whether the gateway asks for its list by itself: at the addresses of the catalogue, and at any address of a server of one's
    own. What stands at an operator's own address for a vendor may bill or log each call, so it is asked when told to."""
    door = _list_door(provider)
    if door is None or not has_list(provider):
        return False
    rows = provider.kind.endpoints
    return provider.kind.group == "local" or any("{" in row.base_url or row.base_url == door.base_url for row in rows)


def configured(settings: Settings, name: str) -> ProviderSettings:
    """The configured provider of that name, kind or alias. Raises AdministrationError."""
    found = providers_by_name(settings.providers).get(name)
    if found is None:
        known = ", ".join(provider.name for provider in settings.providers)
        raise AdministrationError("models.no_provider", name=name, known=known)
    return found


def _list_door(provider: ProviderSettings) -> EndpointRow | None:
    """The first door with a list; an address that still has a `{variable}` cannot be asked."""
    return next((door for door in provider.endpoints if door.models_url and "{" not in door.models_url), None)


async def _fetch(client: UpstreamClient, provider: ProviderSettings, day: str) -> tuple[ModelFacts, ...]:
    door = _list_door(provider)
    if door is None or door.models_url is None:
        raise ValueError("it has no list of models")
    page = PAGES.get(door.protocol, "")
    url = door.models_url + (("&" if "?" in door.models_url else "?") + page if page else "")
    codec = UPSTREAM_CODECS[door.protocol]
    dialect = codec.dialect(dict(provider.kind.dialect.get(door.protocol, {})))
    headers = codec.request_headers((), dialect, verbatim=False)
    answer = await ProviderCaller(client, provider).get(door, url, headers)
    if answer.status != 200:
        raise ValueError(f"it answers with status {answer.status}")
    return read_models(answer.body, provider.kind.id, day)
