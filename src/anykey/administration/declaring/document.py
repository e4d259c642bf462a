"""The document: organisations with their teams, members and keys; budgets, rate cards, configs, webhooks; where credentials
are.

Law: names, not ids, so that it means the same in another database; no secret in it. An entry says all of its object: what it
leaves out has its default. A part that it does not have (`keys` of an organisation, `configs` …) it does not speak of, and it
stays as it is. Amounts are decimal texts in USD, moments RFC 3339.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import PurePath
from typing import Any, cast

import msgspec
import yaml

from anykey.accounts.amounts import nano_of, usd_text
from anykey.accounts.networks import network_of
from anykey.accounts.permissions import MemberRole
from anykey.accounts.purse import PERIODS
from anykey.accounts.rate_cards import CardError, cards_in
from anykey.accounts.written_cards import WrittenCard, moment_of
from anykey.administration.errors import AdministrationError
from anykey.administration.plain_yaml import read_yaml

VERSION = 1
LARGEST_DOCUMENT = 16 * 1024 * 1024


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class TeamEntry(_Entry, frozen=True, kw_only=True):
    """A team of an organisation."""

    allowed_models: tuple[str, ...] = ()
    budgets: dict[str, str | int] = {}


class MemberEntry(_Entry, frozen=True, kw_only=True):
    """A member of an organisation."""

    role: MemberRole = "member"
    email: str = ""
    team: str = ""
    budgets: dict[str, str | int] = {}


class KeyEntry(_Entry, frozen=True, kw_only=True):
    """An issued key in force, without its text. `owner` is a member's name; 0: no limit."""

    group: str = ""
    team: str = ""
    owner: str = ""
    admin: bool = False
    strict: bool = False
    allowed_models: tuple[str, ...] = ()
    config: str = ""
    metadata: dict[str, str] = {}
    budgets: dict[str, str | int] = {}
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0
    expires_at: str | int = ""
    ip_allow: tuple[str, ...] = ()
    ip_deny: tuple[str, ...] = ()
    logging: str = ""
    logging_days: int = 0


class OrganisationEntry(_Entry, frozen=True, kw_only=True):
    """An organisation that is not closed."""

    prepaid: bool = False
    allowed_models: tuple[str, ...] = ()
    low_balance: str | int = ""
    budgets: dict[str, str | int] = {}
    teams: dict[str, TeamEntry] | None = None
    members: dict[str, MemberEntry] | None = None
    keys: dict[str, KeyEntry] | None = None


class WebhookEntry(_Entry, frozen=True, kw_only=True):
    """A webhook; `organisation` empty: it hears of all."""

    url: str
    events: tuple[str, ...]
    organisation: str = ""


class CredentialEntry(_Entry, frozen=True, kw_only=True):
    """Where the credential of a provider is: in the environment variable `env`, or in `file`, beside the document."""

    provider: str
    label: str = "key-1"
    weight: int = 1
    env: str = ""
    file: str = ""


class Document(_Entry, frozen=True, kw_only=True):
    """The whole."""

    anykey: int
    organisations: dict[str, OrganisationEntry] | None = None
    rate_cards: tuple[WrittenCard, ...] | None = None
    configs: dict[str, dict[str, Any]] | None = None
    webhooks: tuple[WebhookEntry, ...] | None = None
    credentials: tuple[CredentialEntry, ...] | None = None


def read_document(content: bytes, name: str) -> Document:
    """Read YAML, JSON or TOML, as the file's name says (else YAML, which JSON is). Raises AdministrationError that names the
    field."""
    if len(content) > LARGEST_DOCUMENT:
        raise AdministrationError("declaring.too_large", bytes=LARGEST_DOCUMENT)
    table = _parsed(content, name)
    version = table.get("anykey")
    if type(version) is int and version != VERSION:
        raise AdministrationError("declaring.version", version=version, known=VERSION)
    try:
        return canonical(msgspec.convert(table, Document))
    except msgspec.ValidationError as error:
        raise AdministrationError("declaring.wrong", reason=_located(table) or str(error)) from None
    except (CardError, _Wrong) as error:
        raise AdministrationError("declaring.wrong", reason=str(error)) from None


def document_text(document: Document, name: str = "") -> str:
    """The document as YAML, or as JSON where the file's name says so."""
    table = msgspec.to_builtins(document)
    if PurePath(name).suffix.lower() == ".json":
        return msgspec.json.format(msgspec.json.encode(table), indent=2).decode() + "\n"
    return yaml.safe_dump(table, allow_unicode=True, sort_keys=False, width=120)


def canonical(document: Document) -> Document:
    """The document with every value as it is kept, so that two that mean the same are the same. Raises ValueError."""
    organisations = document.organisations
    for card in document.rate_cards or ():
        cards_in(msgspec.json.encode(card))
    for place, entry in enumerate(document.credentials or ()):
        if bool(entry.env) == bool(entry.file):
            raise _Wrong(f"$.credentials[{place}]: it has either env or file")
    return msgspec.structs.replace(
        document,
        organisations=organisations
        and {name: _organisation(entry, f"$.organisations.{name}") for name, entry in organisations.items()},
        webhooks=document.webhooks
        and tuple(msgspec.structs.replace(entry, events=tuple(sorted(entry.events))) for entry in document.webhooks),
    )


def nano(amount: str | int) -> int:
    """An amount of a canonical document."""
    return nano_of(str(amount))


def moment_text(unix_s: int | None) -> str:
    """A moment of a canonical document; empty: none."""
    return "" if not unix_s else datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Wrong(ValueError):
    """A value cannot be meant; the message names its place."""


def _organisation(entry: OrganisationEntry, place: str) -> OrganisationEntry:
    def all_of(part: str, entries: dict[str, Any] | None) -> dict[str, Any] | None:
        return entries and {name: _limited(one, f"{place}.{part}.{name}") for name, one in entries.items()}

    low = "" if entry.low_balance == "" else _amount(entry.low_balance, f"{place}.low_balance")
    limited = _limited(entry, place)
    return msgspec.structs.replace(
        limited,
        low_balance=low,
        teams=all_of("teams", entry.teams),
        members=all_of("members", entry.members),
        keys=entry.keys and {name: _key(key, f"{place}.keys.{name}") for name, key in entry.keys.items()},
    )


def _key(entry: KeyEntry, place: str) -> KeyEntry:
    try:
        ends = moment_text(moment_of(entry.expires_at)) if entry.expires_at != "" else ""
    except (CardError, OverflowError, OSError):
        raise _Wrong(f"{place}.expires_at: no moment") from None
    return msgspec.structs.replace(
        _limited(entry, place),
        expires_at=ends,
        ip_allow=_networks(entry.ip_allow, f"{place}.ip_allow"),
        ip_deny=_networks(entry.ip_deny, f"{place}.ip_deny"),
    )


def _limited(entry: Any, place: str) -> Any:
    """The entry with its budgets in the order and the words in which they are kept."""
    budgets: dict[str, str | int] = entry.budgets
    for period in budgets:
        if period not in PERIODS:
            raise _Wrong(f"{place}.budgets: {period!r} is none of {', '.join(PERIODS)}")
    told = {name: _amount(budgets[name], f"{place}.budgets.{name}") for name in PERIODS if name in budgets}
    return msgspec.structs.replace(entry, budgets=told)


def _amount(amount: str | int, place: str) -> str:
    try:
        return usd_text(nano_of(str(amount)))
    except ValueError as error:
        raise _Wrong(f"{place}: {error}") from None


def _networks(texts: tuple[str, ...], place: str) -> tuple[str, ...]:
    try:
        return tuple(str(network_of(text)) for text in texts)
    except ValueError:
        raise _Wrong(f"{place}: no address and no network") from None


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
        found: object = tomllib.loads(text) if PurePath(name).suffix.lower() == ".toml" else read_yaml(text)
        if not isinstance(found, dict):
            raise AdministrationError("declaring.unreadable", file=name, reason="no table")
        return cast("dict[str, Any]", _plain(cast("object", found)))
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"line {mark.line + 1}" if mark is not None else type(error).__name__
        raise AdministrationError("declaring.unreadable", file=name, reason=reason) from None


def _located(table: dict[str, Any]) -> str:
    """What is wrong with the first entry that is, with its name in the place; empty: with none of them by itself."""
    for name, entry in _entries(table.get("organisations")).items():
        parts = _entries(entry)
        for part, kind in (("teams", TeamEntry), ("members", MemberEntry), ("keys", KeyEntry)):
            for inner, one in _entries(parts.get(part)).items():
                if fault := _fault(one, kind):
                    return f"$.organisations.{name}.{part}.{inner}: {fault}"
        if fault := _fault(entry, OrganisationEntry):
            return f"$.organisations.{name}: {fault}"
    return ""


def _entries(found: object) -> dict[str, object]:
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _fault(entry: object, kind: type[_Entry]) -> str:
    try:
        msgspec.convert(entry, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _plain(value: object) -> object:
    """Moments as texts again: both formats read them unasked. YAML has turned them into UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in cast("dict[object, object]", value).items()}
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[object]", value)]
    return value
