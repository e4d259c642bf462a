"""The snapshot: everything the request path must know of providers, models and groups, computed once, never changed.

A configuration change builds a new snapshot (`building.py`) and swaps the reference; who holds the old one finishes on it.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec

from anykey.conversation.parts import ProtocolName
from anykey.protocols.hosted import HostedPolicy
from anykey.providers.auth import HeaderPairs
from anykey.providers.configured import ProviderSettings, StoredCredential, Timeouts
from anykey.providers.models import ModelCatalogue, ModelFacts
from anykey.providers.price_book import PriceBook
from anykey.providers.records import DialectValue
from anykey.routing.names import Wildcard
from anykey.routing.scenario import ScenarioRules
from anykey.routing.tree import Node, Target

SERVED_PROTOCOLS: tuple[ProtocolName, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini_generate",
    "bedrock_converse",
)
"""The protocols that have a codec, so that a call can be routed to them."""


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
    auth: str = ""
    """The scheme of those credentials that name none themselves."""
    credentials: tuple[StoredCredential, ...] = ()
    """Those that may be shown here; empty: it wants none, or there is none."""
    region: str = ""
    built_in: bool = False
    """The gateway runs it itself."""

    def __repr__(self) -> str:
        # The headers hold credentials.
        return f"Endpoint({self.provider!r}, {self.protocol!r}, {self.url!r})"


Doors = Mapping[ProtocolName, Endpoint]


class Provider(msgspec.Struct, frozen=True):
    """A configured provider with its doors that can be routed to, in the order of preference."""

    settings: ProviderSettings
    endpoints: Doors
    regions: Mapping[str, Doors] = {}
    """The doors of its lane in every region its kind has, the configured one too; empty where its address is its own."""

    @property
    def name(self) -> str:
        """The configured name."""
        return self.settings.name

    @property
    def lane(self) -> str:
        """The lane of its doors: what it bills by."""
        doors = self.settings.endpoints
        return doors[0].lane if doors else ""


class Deployment(msgspec.Struct, frozen=True):
    """A model at a provider. `endpoints` are the doors to it by protocol, their dialects fit to this model."""

    id: str
    """`provider/model`, with the configured provider name; `provider/model@region` outside the configured region."""
    provider: str
    model: str
    """The upstream's name of the model."""
    endpoints: Doors


class PublicModel(msgspec.Struct, frozen=True):
    """A public model. `by_priority`: its deployments are tried in a fixed order, which a group may change."""

    name: str
    node: Node
    by_priority: bool = True
    hosted_tools: HostedPolicy | None = None
    larger: tuple[Target, ...] = ()
    on_content_policy: tuple[Target, ...] = ()
    shadow: tuple[Target, float] | None = None
    """A leaf, and the percentage of calls that it gets a copy of."""


class Group(msgspec.Struct, frozen=True):
    """A routing group. `providers` are configured names; empty: any."""

    name: str
    models: tuple[str, ...] = ("*",)
    providers: tuple[str, ...] = ()
    price_multiplier: Fraction = Fraction(1)
    routes: Mapping[str, Node] = {}
    wild_routes: tuple[tuple[Wildcard, Node], ...] = ()
    scenarios: ScenarioRules | None = None
    config: str | None = None


class ModelEntry(msgspec.Struct, frozen=True):
    """One row of the list of models. `protocols` are the upstream's; callers may use any."""

    id: str
    provider: str
    """The configured name of the (first) provider that serves it."""
    owned_by: str
    """The id of that provider's kind."""
    protocols: tuple[ProtocolName, ...]
    facts: ModelFacts | None = None
    """Limits, abilities and prices, of the first deployment; None where nothing is known."""


class Snapshot(msgspec.Struct, frozen=True):
    """Providers by every name they answer to, public models, groups, and a place for plans already made."""

    providers: tuple[Provider, ...]
    by_name: Mapping[str, Provider]
    public: Mapping[str, PublicModel]
    """Public models by name and alias, those with a `*` too."""
    wildcards: tuple[tuple[Wildcard, PublicModel], ...]
    """The public models with a `*`, the one with the most letters first."""
    pinned: Mapping[str, tuple[Provider, ...]]
    """Models an operator pinned, by bare name, to the providers that have them."""
    listed: Mapping[str, tuple[Provider, ...]]
    """The catalogue's models of the configured providers, in the same way."""
    sole: Provider | None
    """The one provider that is not built in, if there is exactly one: it gets every other name."""
    groups: Mapping[str, Group]
    """By name; `default` is always there."""
    rewrites: tuple[tuple[re.Pattern[str], str], ...]
    organisation_models: tuple[str, ...] | None
    teams: Mapping[str, tuple[str, ...]]
    configs: Mapping[str, Node]
    """Gateway configs by name, and by `name@version` where they have versions."""
    plans: dict[Any, Any]
    """Plans and meanings of names found before; `plan.py` keeps it bounded. This and `standings` alone grow."""
    standings: dict[str, Any]
    """What each key may do here, by its id; `groups.py` keeps it."""
    catalogue: ModelCatalogue
    """What is known of models, by kind of provider."""
    discovered: Mapping[str, Mapping[str, ModelFacts]]
    """What a provider's own list says of its models, by the provider's configured name and the model's."""
    shown: Mapping[str, tuple[str, ...]]
    """The models to list for each provider."""
    prices: PriceBook
    """What each sale costs; it keeps its own answers, bounded."""


def facts_of(snapshot: Snapshot, provider: Provider, model: str) -> ModelFacts | None:
    """Return what is known of the upstream model `model` at `provider`: the catalogue's facts, under those of its own list."""
    return joined_facts(snapshot.catalogue, snapshot.discovered, provider, model)


def joined_facts(
    catalogue: ModelCatalogue, discovered: Mapping[str, Mapping[str, ModelFacts]], provider: Provider, model: str
) -> ModelFacts | None:
    """Return what `facts_of` does, of what a snapshot will hold."""
    known = catalogue.facts_of(provider.settings.kind.id, model)
    seen = discovered.get(provider.name, {}).get(model)
    return known.under(seen) if known is not None and seen is not None else seen or known


def deployment_of(provider: Provider, model: str, region: str | None = None) -> Deployment:
    """Return the deployment of the upstream model `model` at `provider`, whether or not it is listed anywhere. `region` is one
    of `provider.regions`; None: the configured one."""
    settings = provider.settings
    doors = provider.endpoints if region is None else provider.regions[region]
    endpoints: dict[ProtocolName, Endpoint] = {}
    for protocol, endpoint in doors.items():
        dialect = settings.kind.dialect_of(protocol, model) | settings.dialect.get(protocol, {})
        endpoints[protocol] = msgspec.structs.replace(endpoint, dialect=dialect)
    elsewhere = region is not None and doors != provider.endpoints
    return Deployment(f"{provider.name}/{model}{f'@{region}' if elsewhere else ''}", provider.name, model, endpoints)


def request_url(base_url: str, path: str) -> str:
    """Join a door's base and path; what users often write into the base already, the version or all, is not doubled.

    A path may end in a query, which stays at the end."""
    base = base_url.rstrip("/")
    steps, mark, query = path.partition("?")
    if base.endswith(steps):
        return base + mark + query
    version = "/" + steps.split("/", 2)[1]
    return base.removesuffix(version) + path if version in {"/v1", "/v1beta"} else base + path
