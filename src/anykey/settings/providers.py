"""Reads one `[providers.NAME]` table into a `ProviderSettings`."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from anykey.providers.auth import SCHEMES
from anykey.providers.configured import ProviderSettings, StoredCredential, Timeouts
from anykey.providers.dialect_fields import DIALECT_FIELDS, FieldType, accepts
from anykey.providers.load import catalogue, find
from anykey.providers.records import DialectValue, ProviderKind
from anykey.routing.snapshot import SERVED_PROTOCOLS
from anykey.settings.credentials import from_environment, read_credentials, variables_named
from anykey.settings.doors import choose_doors
from anykey.settings.schema import PROVIDER
from anykey.settings.section import Path, Source, Table, as_table, read_section, wrong_type

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_HEADER_VALUE = re.compile(r"[\t -~]*\Z")
_OUR_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that frame the call; the HTTP client alone sets them."""


def read_provider(
    source: Source,
    name: str,
    table: Any,
    environ: Mapping[str, str],
    timeouts: Timeouts,
    stored: Collection[str] = frozenset(),
) -> ProviderSettings | None:
    """Read the table of the provider `name`. Problems go to `source`; None when its kind is not known.

    `timeouts` are the ones that hold for all providers; the table's own come on top. `stored` names those that have stored
    credentials, and so may lack one here.
    """
    path = ("providers", name)
    values = read_section(source, path, table, PROVIDER)
    if _NAME.match(name) is None:
        source.problem(path, "settings.bad_name", found=repr(name))
    kind = find(values["kind"] or name)
    if kind is None:
        _unknown_kind(source, path, values["kind"], name)
        return None
    doors = choose_doors(source, path, kind, values, environ)
    for protocol in {door.protocol for door in doors if values["protocol"]}.difference(SERVED_PROTOCOLS):
        source.warn((*path, "protocol"), "settings.protocol_not_served", protocol=protocol)
    credentials, origin = _credentials(source, path, (kind, name in stored), values, environ)
    implied = {credential.auth for credential in credentials}
    auth = values["auth"] or ""
    if auth and auth not in SCHEMES:
        source.unknown((*path, "auth"), "settings.unknown_value", auth, SCHEMES)
    return ProviderSettings(
        name=name,
        kind=kind,
        endpoints=doors,
        credential=credentials[0].secret if credentials else None,
        auth=auth or (implied.pop() if len(implied) == 1 else ""),
        timeouts=msgspec.structs.replace(timeouts, **(values["timeouts"] or {})),
        models=tuple(values["models"]),
        headers=_headers(source, (*path, "headers"), values["headers"] or {}),
        hosted_tools=values["hosted_tools"],
        native_state=values["native_state"],
        dialect=_dialect(source, (*path, "dialect"), values["dialect"] or {}),
        origin=origin,
        credentials=credentials,
    )


def _unknown_kind(source: Source, path: Path, kind: str | None, name: str) -> None:
    """A table's name is its kind unless it says another, so what is wrong may be either."""
    where = (*path, "kind") if kind is not None else path
    source.unknown(where, "settings.unknown_value", kind if kind is not None else name, catalogue())


def _credentials(
    source: Source, path: Path, owner: tuple[ProviderKind, bool], values: Table, environ: Mapping[str, str]
) -> tuple[tuple[StoredCredential, ...], str]:
    """Read what `owner` (a kind, and whether it has a stored credential) is given here, and where that came from."""
    kind, has_stored = owner
    value, auth = values["api_key"], values["auth"] or ""
    if value is not None:
        held = read_credentials(source, (*path, "api_key"), value, environ, kind, auth)
        return held, next(iter(variables_named(value)), "file")
    found = from_environment(kind.credential_variables, environ, kind, auth)
    if found is None:
        if not kind.auth_optional and not has_stored:
            variables = " or ".join(kind.credential_variables)
            source.problem((*path, "api_key"), "settings.no_credential", kind=kind.id, variables=variables)
        return (), "file"
    if found.fault:
        source.problem(path, found.fault, source=f"the environment variable {found.variable}")
    return (StoredCredential(f"{path[1]}#default", found.secret, auth=found.auth),), found.variable


def _headers(source: Source, path: Path, table: Table) -> tuple[tuple[str, str], ...]:
    for name, value in table.items():
        if not isinstance(value, str):
            wrong_type(source, (*path, name), "a text", value)
        elif not _HEADER_NAME.match(name) or not _HEADER_VALUE.match(value) or name.lower() in _OUR_HEADERS:
            source.problem((*path, name), "settings.bad_header")
    return tuple((name.lower(), str(value)) for name, value in table.items())


def _dialect(source: Source, path: Path, table: Table) -> dict[str, dict[str, DialectValue]]:
    for protocol, fields in table.items():
        known = DIALECT_FIELDS.get(protocol)
        if known is None:
            source.unknown((*path, protocol), "settings.unknown_value", protocol, DIALECT_FIELDS)
            continue
        for name, value in as_table(source, (*path, protocol), fields).items():
            place = (*path, protocol, name)
            if name not in known:
                source.unknown(place, "settings.unknown_key", name, known)
            elif not accepts(known[name], value):
                wrong_type(source, place, _expected(known[name]), value)
    return table


def _expected(kind: FieldType) -> str:
    if isinstance(kind, tuple):
        return "one of " + ", ".join(kind)
    return {bool: "true or false", int: "a whole number", str: "a text"}[kind]
