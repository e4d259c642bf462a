"""Reads what is shipped of models: `model_catalogue/shipped/<vendor>.jsonl`, one model a line, sorted by name.

A vendor's file is read when that vendor is first asked for, and once a process: who has two providers configured does not wait
for, or hold, the models of forty.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec

from anykey.providers.models import ModelCatalogue, ModelFacts, Shelf

_FOLDER = resources.files("anykey.providers") / "model_catalogue"
_LINES = msgspec.json.Decoder(ModelFacts)


class Vendor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of `model_catalogue/vendors.toml`, which says what each field means."""

    plans: tuple[str, ...] = ()
    model_prices: tuple[str, ...] = ()
    models_dev: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()


@cache
def vendors() -> Mapping[str, Vendor]:
    """Return the vendors the catalogue knows, by id."""
    text = (_FOLDER / "vendors.toml").read_text("utf-8")
    return MappingProxyType(msgspec.convert(tomllib.loads(text), dict[str, Vendor]))


@cache
def shipped() -> ModelCatalogue:
    """Return the catalogue of this release."""
    return ModelCatalogue(shipped_shelf, vendor_of)


@cache
def shipped_shelf(vendor: str) -> Shelf:
    """Return the shipped models of a vendor, none for a vendor without a file."""
    file = _FOLDER / "shipped" / f"{vendor}.jsonl"
    if vendor not in vendors() or not file.is_file():
        return MappingProxyType({})
    facts = _LINES.decode_lines(file.read_bytes())
    return MappingProxyType({model.model.lower(): model for model in facts})


def vendor_of(kind_id: str) -> tuple[str, bool]:
    """Return whose models a kind of provider sells, and whether by quota; a kind nobody claims sells its own."""
    return _vendors_by_plan().get(kind_id, (kind_id, False))


def own_facts() -> str:
    """Return the text of `model_catalogue/observed.toml`: facts that no maintained package has, each with its page."""
    return (_FOLDER / "observed.toml").read_text("utf-8")


def shipped_lines(facts: Iterable[ModelFacts]) -> bytes:
    """Return a vendor's file as `shipped_shelf` reads it."""
    ordered = sorted(facts, key=lambda one: one.model)
    return b"".join(msgspec.json.encode(one) + b"\n" for one in ordered)


@cache
def _vendors_by_plan() -> Mapping[str, tuple[str, bool]]:
    return {plan: (name, True) for name, vendor in vendors().items() for plan in vendor.plans}
