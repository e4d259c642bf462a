"""The snapshot: everything the request path must know of providers and models, computed once, never changed.

A configuration change builds a new snapshot and swaps the reference; who holds the old one finishes on it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from anykey.conversation.parts import ProtocolName
from anykey.protocols.hosted import HostedPolicy
from anykey.providers.auth import HeaderPairs, auth_headers
from anykey.providers.configured import ModelSettings, ProviderSettings, Timeouts
from anykey.providers.records import DEFAULT_PATHS, DialectValue, EndpointRow
from anykey.routing.names import providers_by_name

SERVED_PROTOCOLS: tuple[ProtocolName, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini_generate",
)
"""The protocols that have a codec, so that a call can be routed to them."""


class Configuration(Protocol):
    """What a snapshot is built from; `anykey.settings.Settings` is one."""

    @property
    def providers(self) -> tuple[ProviderSettings, ...]: ...
    @property
    def models(self) -> tuple[ModelSettings, ...]: ...


class Endpoint(msgspec.Struct, frozen=True):
    """One door of a configured provider, ready to be called."""

    provider: str
    protocol: ProtocolName
    url: str
    """The full request URL."""
    counts_tokens: bool
    """It also tells how many tokens a request has."""
    models_url: str | None
    auth_headers: HeaderPairs
    headers: HeaderPairs
    """Further headers of the kind and the operator, names lower case."""
    timeouts: Timeouts
    dialect: dict[str, DialectValue]
    """The dialect fields of this door; on a Deployment's endpoint, those for its model."""

    def __repr__(self) -> str:
        # The headers hold credentials.
        return f"Endpoint({self.provider!r}, {self.protocol!r}, {self.url!r})"


class Provider(msgspec.Struct, frozen=True):
    """A configured provider with its doors that can be routed to, in the order of preference."""

    settings: ProviderSettings
    endpoints: Mapping[ProtocolName, Endpoint]

    @property
    def name(self) -> str:
        """The configured name."""
        return self.settings.name


class Deployment(msgspec.Struct, frozen=True):
    """A model at a provider. `endpoints` are the doors to it by protocol, their dialects fit to this model."""

    id: str
    """`provider/model`, with the configured provider name."""
    provider: str
    model: str
    """The upstream's name of the model."""
    endpoints: Mapping[ProtocolName, Endpoint]


class ModelEntry(msgspec.Struct, frozen=True):
    """One row of the list of models. `protocols` are the upstream's; callers may use any."""

    id: str
    provider: str
    """The configured name of the (first) provider that serves it."""
    owned_by: str
    """The id of that provider's kind."""
    protocols: tuple[ProtocolName, ...]


class Snapshot(msgspec.Struct, frozen=True):
    """Providers by every name they answer to, public models, and a place for plans already made."""

    providers: tuple[Provider, ...]
    by_name: Mapping[str, Provider]
    models: Mapping[str, tuple[str, ...]]
    """Public name to deployments, `provider/model`."""
    hosted_tools: Mapping[str, HostedPolicy]
    """Public names that say themselves what becomes of hosted tools that only other providers run."""
    pinned: Mapping[str, Provider]
    """Models an operator pinned, by bare name, to the first provider that has them."""
    listed: Mapping[str, Provider]
    """The catalogue's models of the configured providers, in the same way."""
    sole: Provider | None
    """The one provider that is not built in, if there is exactly one: it gets every other name."""
    plans: dict[tuple[str, str], Any]
    """Plans made before; `plan.py` keeps it bounded. The only thing here that grows."""


def build_snapshot(configuration: Configuration) -> Snapshot:
    """Compute the snapshot of a configuration whose provider and deployment names were checked by the settings."""
    providers = tuple(
        Provider(settings, {endpoint.protocol: endpoint for endpoint in _endpoints(settings)})
        for settings in configuration.providers
    )
    of_settings = {provider.name: provider for provider in providers}
    real = [provider for provider in providers if not provider.settings.kind.built_in]
    return Snapshot(
        providers=providers,
        by_name={
            name: of_settings[settings.name] for name, settings in providers_by_name(configuration.providers).items()
        },
        models={model.name: model.deployments for model in configuration.models},
        hosted_tools={
            model.name: model.hosted_tools for model in configuration.models if model.hosted_tools is not None
        },
        pinned=_first_by_model((provider, provider.settings.models) for provider in providers),
        listed=_first_by_model((provider, provider.settings.listed_models()) for provider in providers),
        sole=real[0] if len(real) == 1 else None,
        plans={},
    )


def deployment_of(provider: Provider, model: str) -> Deployment:
    """Return the deployment of the upstream model `model` at `provider`, whether or not it is listed anywhere."""
    settings = provider.settings
    endpoints: dict[ProtocolName, Endpoint] = {}
    for protocol, endpoint in provider.endpoints.items():
        dialect = settings.kind.dialect_of(protocol, model) | settings.dialect.get(protocol, {})
        endpoints[protocol] = msgspec.structs.replace(endpoint, dialect=dialect)
    return Deployment(f"{provider.name}/{model}", provider.name, model, endpoints)


def list_models(snapshot: Snapshot) -> tuple[ModelEntry, ...]:
    """Return the models to show: public names first, then each provider's pinned or catalogue models."""
    entries = {
        name: _entry(name, snapshot.by_name[deployments[0].removeprefix("@").partition("/")[0]])
        for name, deployments in snapshot.models.items()
    }
    for provider in snapshot.providers:
        for model in provider.settings.listed_models():
            name = f"{provider.name}/{model}"
            entries.setdefault(name, _entry(name, provider))
    return tuple(entries.values())


def request_url(base_url: str, path: str) -> str:
    """Join a door's base and path; what users often write into the base already, the version or all, is not doubled."""
    base = base_url.rstrip("/")
    if base.endswith(path):
        return base
    version = "/" + path.split("/", 2)[1]
    return base.removesuffix(version) + path if version in {"/v1", "/v1beta"} else base + path


def _endpoints(settings: ProviderSettings) -> Iterable[Endpoint]:
    for door in settings.endpoints:
        if door.protocol in SERVED_PROTOCOLS:
            yield _endpoint(settings, door)


def _endpoint(settings: ProviderSettings, door: EndpointRow) -> Endpoint:
    url = request_url(door.base_url, door.path or DEFAULT_PATHS[door.protocol])
    headers = {**door.headers, **dict(settings.headers)}
    scheme = settings.auth or door.auth or settings.kind.auth
    return Endpoint(
        provider=settings.name,
        protocol=door.protocol,
        url=url,
        counts_tokens=door.count_tokens,
        models_url=door.models_url,
        auth_headers=auth_headers(scheme, settings.credential),
        headers=tuple((name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()),
        timeouts=settings.timeouts,
        dialect=settings.kind.dialect.get(door.protocol, {}) | settings.dialect.get(door.protocol, {}),
    )


def _first_by_model(models: Iterable[tuple[Provider, tuple[str, ...]]]) -> dict[str, Provider]:
    found: dict[str, Provider] = {}
    for provider, names in models:
        for name in names:
            found.setdefault(name, provider)
    return found


def _entry(name: str, provider: Provider) -> ModelEntry:
    return ModelEntry(name, provider.name, provider.settings.kind.id, tuple(provider.endpoints))
