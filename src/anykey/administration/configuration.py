"""The whole configuration: what the file and the environment say, and the stored credentials joined to it.

Law: a stored credential is used for the origin it was given for and nowhere else. One that does not fit, or cannot be opened, is
left out with a warning; it never keeps the gateway from starting, but a master key that opens none of them does, and so does one
credential for two lanes of a vendor.
"""

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.master_key import MasterKey, find_master_key
from anykey.providers.auth.binding import Origin, may_send
from anykey.providers.configured import ProviderSettings, StoredCredential
from anykey.providers.secret import Secret
from anykey.settings import Settings, SettingsError, find_database, home_directory, load_settings
from anykey.settings.lanes import check_credentials
from anykey.settings.lines import KeyLines
from anykey.settings.problems import Problem
from anykey.settings.section import Source
from anykey.storage.configuration import CredentialRow, read_credentials
from anykey.storage.migrate import locate_database

GIVEN_LABEL = "default"
"""The label of the credential that the file or the environment gives a provider."""


class Opened(NamedTuple):
    """A stored credential with its secret; None where it cannot be opened."""

    row: CredentialRow
    secret: Secret | None


def load_configuration(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """The settings of `config` (see load_settings) with the stored credentials of the data directory. Writes nothing.

    Raises SettingsError, StorageError, or AdministrationError where the master key is missing or another one.
    """
    home = home_directory(environ)
    url = find_database(environ, config)
    database = locate_database(home, url and url.reveal())
    rows = read_credentials(database)
    if not rows:
        return load_settings(environ, config)
    try:
        key = find_master_key(home, environ, [row.sealed for row in rows])
    except AdministrationError:  # unless it was rotated between the two looks
        rows = read_credentials(database)
        key = find_master_key(home, environ, [row.sealed for row in rows])
    settings = load_settings(environ, config, {row.provider for row in rows})
    return (
        settings if key is None else _unmixed(with_stored(settings, open_all(rows, key), database.name), database.name)
    )


def _unmixed(settings: Settings, place: str) -> Settings:
    """Return `settings`; SettingsError where a stored credential is used for another lane of its vendor too."""
    source = Source(place, KeyLines(""))
    check_credentials(source, settings.providers)
    if source.problems:
        raise SettingsError(source.problems)
    return settings


def open_all(rows: Iterable[CredentialRow], key: MasterKey) -> list[Opened]:
    """Open each of `rows` with the master key."""
    sealing = importlib.import_module("anykey.administration.sealing")  # 16 ms that only stored credentials need

    def opened(row: CredentialRow) -> Secret | None:
        bound = sealing.binding(row.id, row.provider, origin_of_row(row))
        try:
            return Secret(sealing.unseal(key.key, row.sealed, bound))
        except sealing.SealBrokenError:
            return None

    return [Opened(row, opened(row)) for row in rows]


def origin_of_row(row: CredentialRow) -> Origin:
    """Where the credential may be sent."""
    return Origin(row.scheme, row.host, row.port)


def with_stored(settings: Settings, stored: Iterable[Opened], place: str) -> Settings:
    """Return `settings` with the stored credentials that fit behind each provider's own. The others become warnings, said of
    `place`."""
    known = {provider.name: provider for provider in settings.providers}
    warnings = list(settings.warnings)
    for row, secret in stored:
        fault = why_unused(known.get(row.provider), row, secret)
        if fault is not None:
            warnings.append(Problem(place, 0, row.reference, *fault))
        elif secret is not None:
            credential = StoredCredential(row.reference, secret, row.weight, origin=origin_of_row(row))
            known[row.provider] = _joined(known[row.provider], credential)
    providers = tuple(known[provider.name] for provider in settings.providers)
    return msgspec.structs.replace(settings, providers=providers, warnings=tuple(warnings))


def why_unused(
    provider: ProviderSettings | None, row: CredentialRow, secret: Secret | None
) -> tuple[str, dict[str, str]] | None:
    """Why the credential cannot be used for the provider of its name as it is configured now: a code and its values, or None."""
    if provider is None:
        return "settings.stored_unowned", {"provider": row.provider}
    if secret is None:
        return "settings.stored_broken", {}
    bound = origin_of_row(row)
    if not any(may_send(bound, door.base_url) for door in provider.endpoints):
        return "settings.stored_elsewhere", {"provider": provider.name, "bound": str(bound)}
    if any(credential.id == row.reference for credential in provider.credentials):
        return "settings.stored_twice", {"label": row.label}
    return None


def _joined(provider: ProviderSettings, stored: StoredCredential) -> ProviderSettings:
    """Return the provider with one more credential. The scheme that a variable implied holds for that variable's credential
    alone, so it moves from the provider to it."""
    implied = provider.auth if provider.auth == provider.kind.credential_auth.get(provider.origin) else ""
    own = provider.credentials
    if not own and provider.credential is not None:
        own = (StoredCredential(f"{provider.name}#{GIVEN_LABEL}", provider.credential, auth=implied),)
    return msgspec.structs.replace(
        provider,
        credential=own[0].secret if own else stored.secret,
        credentials=(*own, stored),
        auth="" if implied else provider.auth,
    )
