"""Add, list, weigh, check and remove stored credentials; give all of them another master key.

The value of a credential goes in and is never shown again: not in a list, not in an error.
"""

import re
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from typing import TypedDict, Unpack

import msgspec

from anykey.accounts.keys import SHOWN_LENGTH, parse
from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.configuration import GIVEN_LABEL, open_all, origin_of_row, why_unused
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.master_key import (
    FILE_NAME,
    NEXT_NAME,
    MasterKey,
    mark,
    new_key,
    read_again,
    write_key,
)
from anykey.administration.sealing import SealBrokenError, binding, rewrap, seal
from anykey.providers.auth.binding import Origin, origin_of
from anykey.providers.configured import ProviderSettings
from anykey.providers.load import find
from anykey.providers.records import EndpointRow, ProviderKind
from anykey.routing.names import providers_by_name
from anykey.settings import Settings
from anykey.settings.credentials import fault_of
from anykey.settings.doors import default_doors
from anykey.storage import credentials as stored
from anykey.storage.configuration import CredentialRow, read_credentials
from anykey.storage.lock import alone

WEIGHT_MAX = 1000
TEXT_BYTES_MAX = 65_536
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_TELLING_LENGTH = 12
"""Of a shorter credential no characters are shown: they would be too large a part of it."""


class _EveryProvider(Collection[str]):
    """Stands for the providers with stored credentials while one is being added: nobody's credential is missed yet."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


EVERY_PROVIDER: Collection[str] = _EveryProvider()


class Checked(msgspec.Struct, frozen=True):
    """A credential, and why it cannot be used: a `settings.*` code with its values; None where all is well."""

    row: CredentialRow
    fault: tuple[str, Mapping[str, str]] | None


class Said(TypedDict, total=False):
    """What may be said of a new credential: its label (else the first `key-N` that is free), and its weight (else 1)."""

    label: str | None
    weight: int


class _Owner(msgspec.Struct, frozen=True):
    """Whom a credential is for: a configured provider's name or a kind's id, and where that is to be found."""

    name: str
    kind: ProviderKind
    door: EndpointRow
    auth: str = ""


def add_credential(
    home: Home,
    settings: Settings,
    provider: str,
    text: str,
    *,
    actor: Actor = LOCAL,
    **said: Unpack[Said],
) -> CredentialRow:
    """Seal `text` for the origin of `provider`, a configured one or a kind of the catalogue, and keep it.

    Raises AdministrationError for a provider that has no fixed address, a text that is no credential, a label that is taken.
    """
    require(actor, "credentials:write", None)
    owner = _owner(settings, provider)
    origin = _origin(owner)
    text = text.strip()
    _refuse_unusable(owner, text)
    weight = said.get("weight", 1)
    _refuse_weight(weight)
    with alone(home.path, home.database):  # the master key must not change between sealing and keeping
        key = read_again(home.master_key)
        _refuse_other_key(home, key)
        row = CredentialRow(
            id=f"cred_{secrets.token_hex(8)}",
            provider=owner.name,
            label=_label(
                said.get("label"), {row.label for row in read_credentials(home.database) if row.provider == owner.name}
            ),
            weight=weight,
            scheme=origin.scheme,
            host=origin.host,
            port=origin.port,
            sealed=b"",
            last4=_end(text),
            created_at=int(time.time()),
        )
        sealed = seal(key.key, text, binding(row.id, row.provider, origin), secrets.token_bytes)
        row = msgspec.structs.replace(row, sealed=sealed)
        stored.insert_credential(home.database, row, actor.name)
    return row


def list_credentials(home: Home) -> list[CredentialRow]:
    """All stored credentials, by provider, oldest first."""
    return read_credentials(home.database)


def find_credential(home: Home, reference: str) -> CredentialRow:
    """The one that `reference` means: `provider#label`, its id, or the provider if it has only one."""
    rows = list_credentials(home)
    for row in rows:
        if reference in {row.reference, row.id}:
            return row
    of_provider = [row for row in rows if row.provider == reference]
    if len(of_provider) > 1:
        raise AdministrationError(
            "credentials.ambiguous", reference=reference, known=", ".join(row.reference for row in of_provider)
        )
    if not of_provider:
        raise AdministrationError("credentials.not_found", reference=reference)
    return of_provider[0]


def remove_credential(home: Home, reference: str, *, actor: Actor = LOCAL) -> CredentialRow:
    """Forget the credential that `reference` means (see find_credential). Returns what it was."""
    require(actor, "credentials:write", None)
    row = find_credential(home, reference)
    if not stored.delete_credential(home.database, row, actor.name):
        raise AdministrationError("credentials.not_found", reference=reference)
    return row


def weigh_credential(home: Home, reference: str, weight: int, *, actor: Actor = LOCAL) -> CredentialRow:
    """Give the credential that `reference` means another weight. Returns it as it now is."""
    require(actor, "credentials:write", None)
    _refuse_weight(weight)
    row = find_credential(home, reference)
    if not stored.set_weight(home.database, row, weight, actor.name):
        raise AdministrationError("credentials.not_found", reference=reference)
    return msgspec.structs.replace(row, weight=weight)


def check_credentials(home: Home, settings: Settings) -> list[Checked]:
    """Open each credential and see whether it may still be sent where its provider now is. `settings` are without them."""
    known = {provider.name: provider for provider in settings.providers}
    opened = open_all(list_credentials(home), home.master_key)
    return [Checked(row, why_unused(known.get(row.provider), row, secret)) for row, secret in opened]


def rotate_master_key(home: Home, new: MasterKey | None = None, *, actor: Actor = LOCAL) -> int:
    """Seal every stored credential under `new`, all in one transaction; without one, under a key made here that takes the place
    of `master.key`. Returns how many there are. No credential is opened for it.

    Raises AdministrationError where the key in use is not the data directory's own and none is given, or a credential is broken.
    """
    require(actor, "credentials:write", None)
    with alone(home.path, home.database):
        old = read_again(home.master_key)
        own = home.path / FILE_NAME
        if new is None:
            if old.origin != own:
                raise AdministrationError("credentials.whose_key", origin=old.origin)
            write_key(home.path / NEXT_NAME, key := new_key())
        else:
            key = new.key

        def resealed(row: CredentialRow) -> bytes:
            try:
                bound = binding(row.id, row.provider, origin_of_row(row))
                return rewrap((old.key, key), row.sealed, bound, secrets.token_bytes)
            except SealBrokenError:
                raise AdministrationError("credentials.broken", reference=row.reference) from None

        count = stored.reseal_all(home.database, resealed, actor.name)
        if new is None:
            (home.path / NEXT_NAME).replace(own)
    return count


def _owner(settings: Settings, name: str) -> _Owner:
    """Find a provider by its configured name, its kind's id or an alias; else the kind itself at its default address."""
    configured: ProviderSettings | None = providers_by_name(settings.providers).get(name)
    if configured is not None and configured.endpoints and not configured.kind.built_in:
        return _Owner(configured.name, configured.kind, configured.endpoints[0], configured.auth)
    kind = find(name)
    if kind is None or kind.built_in:
        raise AdministrationError("credentials.no_provider", provider=name)
    return _Owner(kind.id, kind, default_doors(kind)[0])


def _origin(owner: _Owner) -> Origin:
    try:
        origin = origin_of(owner.door.base_url)
    except ValueError:
        origin = None
    if origin is None or "{" in origin.host:
        raise AdministrationError("credentials.no_address", provider=owner.name)
    return origin


def _refuse_unusable(owner: _Owner, text: str) -> None:
    if parse(text) is not None:
        raise AdministrationError("credentials.own_key")
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES_MAX:
        raise AdministrationError("credentials.too_long", bytes=TEXT_BYTES_MAX)
    code = fault_of(text, owner.auth or owner.door.auth or owner.kind.auth)
    if code is not None:
        raise AdministrationError(code, source=owner.name)


def _refuse_weight(weight: int) -> None:
    if not 1 <= weight <= WEIGHT_MAX:
        raise AdministrationError("credentials.bad_weight", max=WEIGHT_MAX)


def _refuse_other_key(home: Home, key: MasterKey) -> None:
    """Two processes may have been started with different keys; what is stored must open with one."""
    rows = list_credentials(home)
    if rows and not any(row.sealed.startswith(mark(key.key)) for row in rows):
        raise AdministrationError("home.master_key_wrong", origin=key.origin)


def _end(text: str) -> str:
    """What is shown of a credential to tell it from others; nothing of a short one, nor of JSON, which all ends alike."""
    return "" if len(text) < _TELLING_LENGTH or text.startswith("{") else text[-SHOWN_LENGTH:]


def _label(wanted: str | None, taken: Collection[str]) -> str:
    """The label asked for, or the first `key-N` that is free."""
    if wanted is None:
        return next(label for number in range(1, len(taken) + 2) if (label := f"key-{number}") not in taken)
    if _LABEL.match(wanted) is None or wanted == GIVEN_LABEL:
        raise AdministrationError("credentials.bad_label", given=GIVEN_LABEL)
    if wanted in taken:
        raise AdministrationError("credentials.label_taken", label=wanted)
    return wanted
