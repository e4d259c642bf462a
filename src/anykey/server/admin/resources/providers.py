"""Providers: the configured ones with how they are, and the kinds that the catalogue knows."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from anykey.administration.health import HealthView, enable, provider_health
from anykey.administration.models import configured, pin, unpin
from anykey.administration.providers import KindRow, KindView, describe_kind, list_kinds
from anykey.providers.configured import ProviderSettings
from anykey.server.admin.configuration import provider_in_force, providers_in_force, settings_now
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Id, Listed, Paged, Told, Word, listed
from anykey.storage.paging import page_of

PROVIDERS = Resource("providers")


class EndpointTold(Told):
    """One address of a provider. Of headers that the operator added only the names are told."""

    protocol: str
    lane: str
    region: str
    auth: str
    base_url: str


class ProviderTold(Told):
    """A configured provider. `credentials` are names, `provider#label`."""

    name: str
    kind: str
    origin: str
    credentials: list[str]
    pinned_models: list[str]
    header_names: list[str]
    endpoints: list[EndpointTold]


class HealthTold(Told):
    """One credential of a provider, or one deployment with it. Times are Unix milliseconds."""

    provider: str
    deployment: str | None
    credential: str | None
    state: str
    since_ms: int | None
    until_ms: int | None
    failure: str | None
    reason: str | None
    told_by: str | None


class HealthList(Told):
    """How a provider is: each credential, and each deployment that is not well."""

    items: list[HealthTold]


class ModelNames(Asked):
    """Upstream's names of models."""

    models: Annotated[list[Word], Field(min_length=1, max_length=1000)]


class Changed(Told):
    """How many were changed."""

    changed: int


class KindTold(Told):
    """A kind of provider that the catalogue knows. `configured`: the providers here that are of it."""

    kind: str
    names: dict[str, str]
    group: str
    protocols: list[str]
    lanes: list[str]
    regions: list[str]
    credential_envs: list[str]
    configured: list[str]


class KindInFull(Told):
    """A kind with its addresses."""

    kind: str
    names: dict[str, str]
    group: str
    auth_scheme: str
    credential_envs: list[str]
    aliases: list[str]
    default_model: str
    models: list[str]
    endpoints: list[EndpointTold]
    docs: str
    notes: dict[str, str]


class KindFilter(Filter):
    """Those of a group, such as `cloud` or `local`."""

    group: Word | None = None


@PROVIDERS.operation("GET", "/admin/v1/providers", permission="providers:read")
def providers_list(caller: Calling, query: Paged) -> Listed[ProviderTold]:
    """List the providers that calls go to now."""
    return listed(page_of(providers_in_force(caller), lambda one: (one.name,), query.cursor, query.limit), told)


@PROVIDERS.operation("GET", "/admin/v1/providers/{name}", permission="providers:read")
def providers_get(caller: Calling, name: Id) -> ProviderTold:
    """Show one provider."""
    return told(provider_in_force(caller, name))


@PROVIDERS.operation("GET", "/admin/v1/providers/{name}/health", permission="health:read")
def providers_health(caller: Calling, name: Id) -> HealthList:
    """Say how a provider is, as the running gateways told each other."""
    views = provider_health(caller.home, [provider_in_force(caller, name)], caller.premises.valkey)
    return HealthList(items=[health_told(view) for view in views])


@PROVIDERS.operation("POST", "/admin/v1/providers/{name}/enable", permission="providers:write")
def providers_enable(caller: Calling, name: Id) -> HealthList:
    """Use a provider (`name`), or one credential of it (`name#label`, escaped), again at once. Answers with what was not well."""
    provider_in_force(caller, name.partition("#")[0])
    found = enable(caller.home, name, actor=caller.actor, valkey=caller.premises.valkey)
    return HealthList(items=[health_told(view) for view in found])


@PROVIDERS.operation("POST", "/admin/v1/providers/{name}/pin", permission="models:write")
def providers_pin(caller: Calling, name: Id, body: ModelNames) -> Changed:
    """Have these models listed for a provider, and no others."""
    settings = settings_now(caller)
    return Changed(changed=pin(caller.home, settings, configured(settings, name).name, body.models, actor=caller.actor))


@PROVIDERS.operation("POST", "/admin/v1/providers/{name}/unpin", permission="models:write")
def providers_unpin(caller: Calling, name: Id, body: ModelNames) -> Changed:
    """Take pins away."""
    return Changed(changed=unpin(caller.home, settings_now(caller), name, body.models, actor=caller.actor))


@PROVIDERS.operation("GET", "/admin/v1/provider-kinds", permission="catalogue:read")
def kinds_list(caller: Calling, query: Annotated[KindFilter, Query()]) -> Listed[KindTold]:
    """List the kinds of providers that the catalogue knows."""
    rows = [row for row in list_kinds(providers_in_force(caller)) if query.group in (None, row.group)]
    return listed(page_of(rows, lambda row: (row.kind,), query.cursor, query.limit), _kind)


@PROVIDERS.operation("GET", "/admin/v1/provider-kinds/{kind}", permission="catalogue:read")
def kinds_get(caller: Calling, kind: Id) -> KindInFull:  # noqa: ARG001 - who it is was checked
    """Show one kind, by its id or an alias."""
    return _in_full(describe_kind(kind))


def told(provider: ProviderSettings) -> ProviderTold:
    """The provider without its secrets."""
    doors = [
        EndpointTold(
            protocol=door.protocol,
            lane=door.lane,
            region=door.region,
            auth=provider.auth or door.auth or provider.kind.auth,
            base_url=door.base_url,
        )
        for door in provider.endpoints
    ]
    return ProviderTold(
        name=provider.name,
        kind=provider.kind.id,
        origin=provider.origin,
        credentials=[credential.id for credential in provider.all_credentials()],
        pinned_models=list(provider.models),
        header_names=[name for name, _ in provider.headers],
        endpoints=doors,
    )


def health_told(view: HealthView) -> HealthTold:
    """How it is."""
    return HealthTold(
        provider=view.provider,
        deployment=view.deployment,
        credential=view.credential,
        state=view.state,
        since_ms=view.since_ms,
        until_ms=view.until_ms,
        failure=view.failure,
        reason=view.reason,
        told_by=view.told_by,
    )


def _kind(row: KindRow) -> KindTold:
    return KindTold(
        kind=row.kind,
        names=row.names,
        group=row.group,
        protocols=list(row.protocols),
        lanes=list(row.lanes),
        regions=list(row.regions),
        credential_envs=list(row.credential_envs),
        configured=list(row.configured),
    )


def _in_full(view: KindView) -> KindInFull:
    return KindInFull(
        kind=view.kind,
        names=view.names,
        group=view.group,
        auth_scheme=view.auth_scheme,
        credential_envs=list(view.credential_envs),
        aliases=list(view.aliases),
        default_model=view.default_model,
        models=list(view.models),
        endpoints=[
            EndpointTold(
                protocol=door.protocol, lane=door.lane, region=door.region, auth=door.auth, base_url=door.base_url
            )
            for door in view.endpoints
        ],
        docs=view.docs,
        notes=view.notes,
    )
