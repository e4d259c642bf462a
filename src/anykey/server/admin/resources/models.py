"""Models: those that are served here, and what the catalogue knows of any."""

from functools import partial
from typing import Annotated, Literal

from fastapi import Query

from anykey.administration.catalogue import KnownModel, find_models, list_sources
from anykey.providers.models import ModelFacts
from anykey.routing.groups import may_ask, standing_of
from anykey.routing.listing import list_models
from anykey.routing.snapshot import ModelEntry
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Filter, Listed, Paged, Told, Word, listed
from anykey.storage.paging import page_of

MODELS = Resource("models")


class ModelFilter(Filter):
    """`allowed`: only those that the calling key may ask for itself."""

    provider: Word | None = None
    allowed: Literal["any", "mine"] = "any"


class FactsTold(Told):
    """What is known of a model: who says so (`source`) and when they said it."""

    vendor: str
    model: str
    context_tokens: int | None
    max_output_tokens: int | None
    abilities: list[str]
    released_on: str | None
    deprecated_on: str | None
    source: str
    observed_on: str


class ModelTold(Told):
    """A model as it is asked for here. `provider`: the first that serves it."""

    id: str
    provider: str
    owned_by: str
    protocols: list[str]
    facts: FactsTold | None


class KnownTold(Told):
    """All that is known of a model together, and what each source said."""

    facts: FactsTold
    sources: list[FactsTold]


class KnownList(Told):
    """The models of that name, one for each vendor."""

    items: list[KnownTold]


class CatalogueQuery(Told):
    """A model's name, or `vendor/name`."""

    name: Word


class SourceTold(Told):
    """A source of facts: how many models of it were imported here, and the newest day of its rows."""

    source: str
    models: int
    observed_on: str | None
    home: str
    licence: str


@MODELS.operation("GET", "/admin/v1/models", permission="models:read")
def models_list(caller: Calling, query: Annotated[ModelFilter, Query()]) -> Listed[ModelTold]:
    """List the models that are served."""
    snapshot = caller.premises.gateway.snapshot
    allowed = None
    if query.allowed == "mine":
        allowed = partial(may_ask, snapshot, standing_of(caller.key, snapshot).grant)
    entries = [entry for entry in list_models(snapshot, allowed) if query.provider in (None, entry.provider)]
    return listed(page_of(entries, lambda entry: (entry.id,), query.cursor, query.limit), told)


@MODELS.operation("GET", "/admin/v1/catalogue/models", permission="catalogue:read")
def catalogue_find(caller: Calling, query: Annotated[CatalogueQuery, Query()]) -> KnownList:
    """Look a model up in the catalogue, whether or not it is served."""
    return KnownList(items=[_known(found) for found in find_models(caller.home, query.name)])


@MODELS.operation("GET", "/admin/v1/catalogue/sources", permission="catalogue:read")
def catalogue_sources(caller: Calling, query: Paged) -> Listed[SourceTold]:
    """List the sources of facts."""
    rows = list_sources(caller.home)
    page = page_of(rows, lambda row: (row.source,), query.cursor, query.limit)
    return listed(
        page,
        lambda row: SourceTold(
            source=row.source, models=row.models, observed_on=row.observed_on, home=row.home, licence=row.licence
        ),
    )


def told(entry: ModelEntry) -> ModelTold:
    """The model as a line of the list."""
    return ModelTold(
        id=entry.id,
        provider=entry.provider,
        owned_by=entry.owned_by,
        protocols=list(entry.protocols),
        facts=None if entry.facts is None else _facts(entry.facts),
    )


def _known(found: KnownModel) -> KnownTold:
    return KnownTold(facts=_facts(found.facts), sources=[_facts(row.facts, row.source) for row in found.rows])


def _facts(facts: ModelFacts, source: str | None = None) -> FactsTold:
    return FactsTold(
        vendor=facts.vendor,
        model=facts.model,
        context_tokens=facts.context_tokens,
        max_output_tokens=facts.max_output_tokens,
        abilities=list(facts.abilities),
        released_on=facts.released_on,
        deprecated_on=facts.deprecated_on,
        source=facts.source if source is None else source,
        observed_on=facts.observed_on,
    )
