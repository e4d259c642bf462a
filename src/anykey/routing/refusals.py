"""What a caller is told whose call nothing here may answer: what is wrong, and what there is instead."""

from collections.abc import Iterable
from difflib import get_close_matches

from anykey.routing.ask import Grant
from anykey.routing.groups import may_ask
from anykey.routing.listing import list_models
from anykey.routing.planned import LeftOut, Unroutable
from anykey.routing.snapshot import Snapshot

_MOST_COMPARED = 500
"""Names; to compare one takes 30 µs, and whoever asks for a model that is not there must not hold the gateway up."""


def unknown(snapshot: Snapshot, model: str, grant: Grant) -> Unroutable:
    """Nothing is called `model`. Only names that the key may ask for are told."""
    provider = model[1:].partition("/")[0]
    if model.startswith("@") and provider not in snapshot.by_name:
        return Unroutable("provider_not_found", _no_provider(snapshot, provider))
    return Unroutable("model_not_found", _no_model(snapshot, model, grant))


def nowhere(left_out: Iterable[LeftOut]) -> Unroutable:
    """The name is understood, but none of those behind it may or can be asked."""
    found = list(left_out)
    if not found:
        return Unroutable("no_endpoint", "The gateway config leads to no deployment.")
    reasons = dict.fromkeys(
        out.why if out.deployment in out.why else f"{out.deployment}: {out.why}" for out in found[:8]
    )
    return Unroutable(found[0].code, "; ".join(reasons) + ".")


def _no_provider(snapshot: Snapshot, name: str) -> str:
    names = [provider.name for provider in snapshot.providers]
    near = get_close_matches(name[:80], snapshot.by_name, n=1)
    meant = f" Did you mean '@{near[0]}/...'?" if near else ""
    return f"There is no provider '{name[:80]}' here.{meant} Configured: {', '.join(names)}."


def _no_model(snapshot: Snapshot, model: str, grant: Grant) -> str:
    ids = [entry.id for entry in list_models(snapshot, lambda name: may_ask(snapshot, grant, name))]
    bare = [name for name in snapshot.listed if name not in snapshot.public and may_ask(snapshot, grant, name)]
    near = get_close_matches(model[:80], (ids + bare)[:_MOST_COMPARED], n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    providers = ", ".join(provider.name for provider in snapshot.providers)
    shown = ", ".join(ids[:8]) + (", ..." if len(ids) > 8 else "")
    return (
        f"The model '{model[:80]}' does not exist here.{meant} Models: {shown or 'none'}. "
        f"Any model of a configured provider ({providers}) can be named as provider/model; GET /v1/models lists all."
    )
