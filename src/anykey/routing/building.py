"""Builds the snapshot of a configuration whose names the settings have checked."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from anykey.providers.auth import auth_headers
from anykey.providers.auth.binding import may_send
from anykey.providers.configured import ProviderSettings
from anykey.providers.models import ModelCatalogue, ModelFacts, ModelPrices, ProviderModel
from anykey.providers.price_book import ListPrice, PriceBook
from anykey.providers.rate_cards import ONE, RateCard
from anykey.providers.records import DEFAULT_PATHS, EndpointRow
from anykey.providers.shipped_models import shipped
from anykey.routing.configured import (
    GroupSettings,
    ModelSettings,
    RouteSettings,
    RoutingSettings,
    split_path,
)
from anykey.routing.names import Wildcard, providers_by_name, wildcard
from anykey.routing.snapshot import (
    SERVED_PROTOCOLS,
    Doors,
    Endpoint,
    Group,
    Provider,
    PublicModel,
    Snapshot,
    joined_facts,
    request_url,
)
from anykey.routing.tree import Balance, Fallback, Node, Target

_Meaning = TypeVar("_Meaning")


class Configuration(Protocol):
    """What a snapshot is built from; `anykey.settings.Settings` is one."""

    @property
    def providers(self) -> tuple[ProviderSettings, ...]: ...
    @property
    def models(self) -> tuple[ModelSettings, ...]: ...
    @property
    def routing(self) -> RoutingSettings: ...


def build_snapshot(
    configuration: Configuration,
    catalogue: ModelCatalogue | None = None,
    provider_models: Mapping[str, tuple[ProviderModel, ...]] | None = None,
    stored_configs: Mapping[str, Node] | None = None,
    rate_cards: Iterable[RateCard] = (),
) -> Snapshot:
    """Compute the snapshot.

    `catalogue` is what is known of models (default: what is shipped), `provider_models` what was pinned and discovered, by
    provider; `stored_configs` are the gateway configs that the file does not hold, by name and `name@version`; the file's win.
    `rate_cards` are those that were set here: they go before the catalogue's list prices.
    """
    routing = configuration.routing
    providers = tuple(map(provider_of, configuration.providers))
    known = {provider.name: (provider_models or {}).get(provider.name, ()) for provider in providers}
    shown = {provider.name: _shown(provider.settings, known[provider.name]) for provider in providers}
    pinned = {name: tuple(model.model for model in models if model.pinned) for name, models in known.items()}
    of_settings = {provider.name: provider for provider in providers}
    by_name = {
        name: of_settings[settings.name] for name, settings in providers_by_name(configuration.providers).items()
    }
    real = [provider for provider in providers if not provider.settings.kind.built_in]
    public = _public(configuration.models, by_name)
    catalogue = catalogue or shipped()
    discovered = {
        name: {model.model: model.facts for model in models if model.facts is not None}
        for name, models in known.items()
    }
    return Snapshot(
        providers=providers,
        by_name=by_name,
        public=public,
        wildcards=_wild(public.items()),
        pinned=_by_model((provider, provider.settings.models + pinned[provider.name]) for provider in providers),
        listed=_by_model((provider, shown[provider.name]) for provider in providers),
        sole=real[0] if len(real) == 1 else None,
        groups={group.name: _group(group, by_name) for group in (GroupSettings(), *routing.groups)},
        rewrites=tuple((re.compile(rule.match), rule.to) for rule in routing.rewrites),
        organisation_models=routing.organisation_models,
        teams=routing.teams,
        configs={**(stored_configs or {}), **routing.configs},
        plans={},
        standings={},
        catalogue=catalogue,
        discovered=discovered,
        shown=shown,
        prices=PriceBook(rate_cards, _list_price(of_settings, catalogue, discovered)),
    )


def provider_of(settings: ProviderSettings) -> Provider:
    """Return the provider with the doors that can be routed to."""
    return Provider(settings, _doors(settings, settings.endpoints), _regions(settings))


def target_of(deployment: str | Target) -> Target:
    """Return the leaf that `provider/model` means, or a model of any provider where the text is no path."""
    if isinstance(deployment, Target):
        return deployment
    provider, model = split_path(deployment)
    return Target(provider, model) if model else Target(None, deployment)


def node_of(route: RouteSettings | ModelSettings) -> Node:
    """Return the tree of deployments that share calls by a strategy."""
    targets = tuple(map(target_of, route.deployments))
    if len(targets) == 1:
        return targets[0]
    if route.strategy == "priority":
        return Fallback(targets, sticky=route.sticky)
    return Balance(targets, route.strategy, sticky=route.sticky)


def _public(models: Iterable[ModelSettings], by_name: Mapping[str, Provider]) -> dict[str, PublicModel]:
    found: dict[str, PublicModel] = {}
    for model in models:
        made = PublicModel(
            name=model.name,
            node=node_of(model),
            by_priority=model.strategy == "priority",
            hosted_tools=model.hosted_tools,
            larger=tuple(_further(name, by_name) for name in model.larger),
            on_content_policy=tuple(_further(name, by_name) for name in model.on_content_policy),
            shadow=(target_of(model.shadow.deployment), model.shadow.percent) if model.shadow else None,
        )
        for name in (model.name, *model.aliases):
            found.setdefault(name, made)
    return found


def _further(name: str, by_name: Mapping[str, Provider]) -> Target:
    """A model to go on with: `provider/model`, else a name to be understood like any other."""
    provider, model = split_path(name)
    return Target(provider, model) if model and provider in by_name else Target(None, name)


def _wild(named: Iterable[tuple[str, _Meaning]]) -> tuple[tuple[Wildcard, _Meaning], ...]:
    """The names that hold a `*`, the most telling first: what is written out at length is meant before a catch-all."""
    found = [(fit, meaning) for name, meaning in named if (fit := wildcard(name)) is not None]
    return tuple(sorted(found, key=lambda pair: -len(pair[0].before + pair[0].after)))


def _group(group: GroupSettings, by_name: Mapping[str, Provider]) -> Group:
    nodes = {name: node_of(route) for name, route in group.routes.items()}
    return Group(
        name=group.name,
        models=group.models,
        providers=tuple(by_name[name].name for name in group.providers if name in by_name),
        price_multiplier=ONE if group.price_multiplier == 1 else group.price_multiplier,
        routes=nodes,
        wild_routes=_wild(nodes.items()),
        scenarios=group.scenarios,
        config=group.config,
    )


def _regions(settings: ProviderSettings) -> dict[str, Doors]:
    """The doors of the provider's lane and protocols by region. A provider at an address of its own has no other regions: nobody
    knows where they would be."""
    chosen = settings.endpoints
    rows = settings.kind.endpoints
    if not chosen or any(all(door.base_url != row.base_url for row in rows) for door in chosen):
        return {}
    protocols = {door.protocol for door in chosen}
    found: dict[str, list[EndpointRow]] = {}
    for row in rows:
        if row.lane == chosen[0].lane and row.protocol in protocols and "{" not in row.base_url:
            found.setdefault(row.region, []).append(row)
    return {region: _doors(settings, doors) for region, doors in found.items()}


def _doors(settings: ProviderSettings, doors: Iterable[EndpointRow]) -> Doors:
    return {door.protocol: _endpoint(settings, door) for door in doors if door.protocol in SERVED_PROTOCOLS}


def _endpoint(settings: ProviderSettings, door: EndpointRow) -> Endpoint:
    url = request_url(door.base_url, door.path or DEFAULT_PATHS[door.protocol])
    headers = {**door.headers, **dict(settings.headers)}
    scheme = settings.auth or door.auth or settings.kind.auth
    credentials = tuple(
        held for held in settings.all_credentials() if held.origin is None or may_send(held.origin, url)
    )
    return Endpoint(
        provider=settings.name,
        protocol=door.protocol,
        url=url,
        counts_tokens=door.count_tokens,
        models_url=door.models_url,
        auth_headers=auth_headers(scheme, credentials[0].secret if credentials else None),
        headers=tuple((name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()),
        timeouts=settings.timeouts,
        dialect=settings.kind.dialect.get(door.protocol, {}) | settings.dialect.get(door.protocol, {}),
        region=door.region,
        auth=scheme,
        credentials=credentials,
        built_in=settings.kind.built_in,
    )


def _list_price(
    providers: Mapping[str, Provider], catalogue: ModelCatalogue, discovered: Mapping[str, Mapping[str, ModelFacts]]
) -> ListPrice:
    """What the vendors ask, by the configured name of a provider and the upstream's of a model."""

    def of(provider: str, model: str) -> ModelPrices | None:
        seller = providers.get(provider)
        facts = None if seller is None else joined_facts(catalogue, discovered, seller, model)
        return facts.prices if facts is not None else None

    return of


def _by_model(models: Iterable[tuple[Provider, tuple[str, ...]]]) -> dict[str, tuple[Provider, ...]]:
    found: dict[str, tuple[Provider, ...]] = {}
    for provider, names in models:
        for name in names:
            found[name] = (*found.get(name, ()), provider)
    return found


def _shown(settings: ProviderSettings, known: tuple[ProviderModel, ...]) -> tuple[str, ...]:
    """Pinned models, the file's first, are the whole list, for then somebody said what it is. Else it is the provider's own, led
    by the catalogue's few that are on it; else the catalogue's few."""
    pinned = dict.fromkeys((*settings.models, *(model.model for model in known if model.pinned)))
    if pinned:
        return tuple(pinned)
    seen = dict.fromkeys(model.model for model in known if model.facts is not None)
    few = settings.listed_models()
    return tuple(dict.fromkeys((*(model for model in few if model in seen), *seen))) if seen else few
