"""What a planned call is, in the words of the price book."""

from collections.abc import Iterator

from anykey.providers.price_book import Sale
from anykey.routing.planned import PlanStep
from anykey.routing.snapshot import Provider, Snapshot
from anykey.routing.tree import leaves_of

USUAL_REGION = "global"
"""Where a door is that has no region of its own."""


def sale_of(snapshot: Snapshot, step: PlanStep, model: str, tier: str | None, at_s: int) -> Sale:
    """Return the sale of one step of a plan. `model` is the public name as the plan understood it (`Plan.model`), `tier` the
    service tier that the answer or, before there is one, the request names; `at_s` Unix seconds."""
    deployment, door = step.deployment, step.endpoint
    provider = snapshot.by_name.get(deployment.provider)
    kind, lane = (provider.settings.kind.id, provider.lane) if provider is not None else ("", "")
    return Sale(model, deployment.model, deployment.provider, kind, lane, door.region or USUAL_REGION, tier, at_s)


def listed_sales(snapshot: Snapshot, at_s: int) -> Iterator[tuple[str, Sale]]:
    """Yield each name that is listed with each sale it may lead to: a public name's deployments, then the providers' models."""
    for name, public in snapshot.public.items():
        for leaf in leaves_of(public.node):
            provider = snapshot.by_name.get((leaf.provider or "").removeprefix("@"))
            if provider is not None and "*" not in name:
                yield name, _sale_at(provider, public.name, leaf.model or name, at_s)
    for provider in snapshot.providers:
        for model in snapshot.shown.get(provider.name, ()):
            yield f"{provider.name}/{model}", _sale_at(provider, model, model, at_s)


def _sale_at(provider: Provider, model: str, upstream_model: str, at_s: int) -> Sale:
    """The sale at a provider's first door, in the usual tier."""
    region = next((door.region for door in provider.endpoints.values()), "") or USUAL_REGION
    return Sale(model, upstream_model, provider.name, provider.settings.kind.id, provider.lane, region, None, at_s)
