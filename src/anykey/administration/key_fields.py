"""What may be said of a key, by whom, and what of it can be meant."""

from collections.abc import Mapping
from typing import Any

import msgspec

from anykey.accounts.key_bounds import OWNERS_FIELDS
from anykey.accounts.networks import network_of
from anykey.accounts.permissions import Actor, Forbidden, Permission, require
from anykey.accounts.purse import Period
from anykey.administration.errors import AdministrationError
from anykey.administration.tenants import NAME_LENGTH_MAX, good_globs

METADATA_MOST, METADATA_NAME_MAX, METADATA_VALUE_MAX = 16, 64, 512
"""As many pairs, and as long, as a call may bring itself."""
NETWORKS_MOST = 256
NUMBER_MOST = 2**53
LOGGING_LEVELS = ("off", "metadata", "full")
LOGGING_DAYS_MOST = 365


class KeyFields(msgspec.Struct, frozen=True):
    """What is said of a key; see `ApiKey`. None: nothing is said. In a change, an empty text or list, 0 as a limit or an end, and
    None as the limit of a budget's period take away what was said. `owner` is a member's id or name; `organisation` can only be
    said of a new key; `budgets` are nano-USD."""

    group: str | None = None
    team: str | None = None
    allowed_models: tuple[str, ...] | None = None
    config: str | None = None
    metadata: Mapping[str, str] | None = None
    admin: bool | None = None
    name: str | None = None
    organisation: str | None = None
    owner: str | None = None
    strict: bool | None = None
    budgets: Mapping[Period, int | None] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    expires_at: int | None = None
    ip_allow: tuple[str, ...] | None = None
    ip_deny: tuple[str, ...] | None = None
    logging: str | None = None
    logging_days: int | None = None


NOTHING_SAID = KeyFields()

FIELD_PERMISSIONS: Mapping[str, Permission] = {
    "group": "organisations:price",
    "budgets": "limits:write",
    "requests_per_minute": "limits:write",
    "tokens_per_minute": "limits:write",
    "concurrency": "limits:write",
    "logging": "limits:write",
    "logging_days": "limits:write",
    "team": "keys:write",
    "allowed_models": "keys:write",
    "config": "keys:write",
    "metadata": "keys:write",
    "admin": "keys:write",
    "name": "keys:write",
    "organisation": "keys:write",
    "owner": "keys:write",
    "strict": "keys:write",
    "expires_at": "keys:write",
    "ip_allow": "keys:write",
    "ip_deny": "keys:write",
}
"""What it takes, in the whole organisation, to write a field. A group sets prices, so it is the operator's."""

_LIMITS = ("requests_per_minute", "tokens_per_minute", "concurrency", "expires_at", "logging_days")


def require_fields(said: KeyFields, organisation: str, actor: Actor, *, own: bool) -> None:
    """Raise Forbidden unless the actor may write every field that is said; `own`: of a key of his own only."""
    for name in _said(said):
        if own and name in OWNERS_FIELDS | {"organisation"}:
            continue
        if own and FIELD_PERMISSIONS[name] == "keys:write":
            raise Forbidden(actor, "keys:write")
        require(actor, FIELD_PERMISSIONS[name], organisation)


def columns_of(said: KeyFields) -> dict[str, Any]:
    """What is said, as the fields of `ApiKey` that it changes (not its owner). Raises AdministrationError for nonsense."""
    _refuse_words(said)
    _refuse_metadata(said.metadata or {})
    _refuse_numbers(said)
    columns: dict[str, Any] = {
        "group_name": said.group,
        "team": said.team,
        "config": said.config,
        "metadata": None if said.metadata is None else dict(said.metadata),
        "logging": said.logging,
        **{name: getattr(said, name) for name in _LIMITS},
        "ip_allow": _networks(said.ip_allow),
        "ip_deny": _networks(said.ip_deny),
        "allowed_models": said.allowed_models and good_globs(said.allowed_models),
    }
    told = {name: value or None for name, value in columns.items() if value is not None}
    for name in ("strict", "admin"):
        if getattr(said, name) is not None:
            told[name] = bool(getattr(said, name))
    if said.name is not None:
        told["name"] = _name(said.name)
    return told


def _said(said: KeyFields) -> list[str]:
    return [name for name, value in msgspec.structs.asdict(said).items() if value is not None]


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise AdministrationError("keys.bad_name", max=NAME_LENGTH_MAX)
    return name


def _refuse_words(said: KeyFields) -> None:
    for name, text in (("group", said.group), ("team", said.team), ("config", said.config)):
        if text and not (len(text) <= NAME_LENGTH_MAX and text.isprintable()):
            raise AdministrationError("keys.bad_word", what=name, max=NAME_LENGTH_MAX)
    if said.logging and said.logging not in LOGGING_LEVELS:
        raise AdministrationError("keys.bad_logging", levels=", ".join(LOGGING_LEVELS))


def _refuse_metadata(pairs: Mapping[str, str]) -> None:
    if len(pairs) > METADATA_MOST:
        raise AdministrationError("keys.much_metadata", max=METADATA_MOST)
    for name, value in pairs.items():
        if not (0 < len(name) <= METADATA_NAME_MAX and len(value) <= METADATA_VALUE_MAX):
            raise AdministrationError("keys.bad_metadata", name=METADATA_NAME_MAX, value=METADATA_VALUE_MAX)


def _refuse_numbers(said: KeyFields) -> None:
    for name in _LIMITS:
        number = getattr(said, name)
        if number is not None and not 0 <= number <= NUMBER_MOST:
            raise AdministrationError("keys.bad_number", field=name)
    if said.logging_days is not None and said.logging_days > LOGGING_DAYS_MOST:
        raise AdministrationError("keys.bad_logging_days", max=LOGGING_DAYS_MOST)


def _networks(texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The networks as they are kept: each in its own plain form."""
    if texts is None:
        return None
    if len(texts) > NETWORKS_MOST:
        raise AdministrationError("keys.many_networks", max=NETWORKS_MOST)
    found: list[str] = []
    for text in texts:
        try:
            found.append(str(network_of(text)))
        except ValueError:
            raise AdministrationError("keys.bad_network", network=text[:80]) from None
    return tuple(found)
