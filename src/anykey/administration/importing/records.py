"""What an importer read, before anything is changed: providers, models, credentials and prices, and what was not taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from anykey.providers.secret import Secret


class Note(msgspec.Struct, frozen=True):
    """Something that was not taken as it stood: where it was, and why (a message's code and values)."""

    place: str
    code: str
    values: Mapping[str, str] = {}


class NewCredential(msgspec.Struct, frozen=True):
    """A credential to be sealed for a provider of the import."""

    provider: str
    secret: Secret
    label: str | None = None
    weight: int = 1


class NewKey(msgspec.Struct, frozen=True):
    """An issued key to be made anew: its text cannot be carried over, what it may do can. `quota_nano` is what is left of it."""

    name: str
    group: str | None = None
    allowed_models: tuple[str, ...] | None = None
    quota_nano: int | None = None
    expires_at: int | None = None
    ip_allow: tuple[str, ...] | None = None


class Imported(msgspec.Struct, frozen=True):
    """`providers` and `models` are tables as `anykey.toml` has them, by name; `rate_cards` are documents as
    `anykey rate-cards put` takes them."""

    source: str
    providers: Mapping[str, Mapping[str, Any]] = {}
    models: Mapping[str, Mapping[str, Any]] = {}
    groups: Mapping[str, Mapping[str, Any]] = {}
    credentials: tuple[NewCredential, ...] = ()
    rate_cards: tuple[Mapping[str, Any], ...] = ()
    keys: tuple[NewKey, ...] = ()
    notes: tuple[Note, ...] = ()
