"""Create, list and revoke the keys that clients call with."""

import secrets
import time

import msgspec

from anykey.accounts.keys import SHOWN_LENGTH, ApiKey, digest, mint
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.storage import keys as stored

NAME_LENGTH_MAX = 64
PREFIX_LENGTH_MIN = 3


class CreatedKey(msgspec.Struct, frozen=True):
    """A new key. `text` is the key itself: shown to its owner now, and never again."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"CreatedKey(id={self.key.id!r}, name={self.key.name!r}, text='***')"


def create_key(home: Home, name: str, *, strict: bool = False) -> CreatedKey:
    """Issue a key called `name` (1 to 64 printable characters, not the name of another key in force). `strict`: its calls
    may lose nothing on the way to an upstream, else they are refused."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise AdministrationError("keys.bad_name", max=NAME_LENGTH_MAX)
    if any(key.name == name and key.revoked_at is None for key in list_keys(home)):
        raise AdministrationError("keys.name_taken", name=name)
    minted = mint(secrets.token_bytes)
    key = ApiKey(
        id=minted.id,
        name=name,
        digest=digest(minted.text, home.pepper),
        last4=minted.text[-SHOWN_LENGTH:],
        created_at=int(time.time()),
        strict=strict,
    )
    stored.insert_key(home.database, key)
    return CreatedKey(key, minted.text)


def list_keys(home: Home) -> list[ApiKey]:
    """All keys ever issued, oldest first, revoked ones too."""
    return stored.list_keys(home.database)


def find_key(home: Home, reference: str) -> ApiKey:
    """The one key that `reference` means: its id, its name, or the beginning of its id or name if only one fits.

    Keys in force come before revoked ones. Raises AdministrationError for none or several.
    """
    keys = list_keys(home)
    for candidates in (
        [key for key in keys if key.id == reference],
        [key for key in keys if key.name == reference and key.revoked_at is None],
        [key for key in keys if key.name == reference],
        [key for key in keys if key.revoked_at is None and _begins(key, reference)],
        [key for key in keys if _begins(key, reference)],
    ):
        if len(candidates) > 1:
            raise AdministrationError("keys.ambiguous", key=reference, ids=", ".join(key.id for key in candidates))
        if candidates:
            return candidates[0]
    raise AdministrationError("keys.not_found", key=reference)


def revoke_key(home: Home, reference: str) -> ApiKey:
    """End the key that `reference` means (see find_key), from the next request on. Returns it as it now is."""
    key = find_key(home, reference)
    now = int(time.time())
    if not stored.mark_revoked(home.database, key.id, now):
        raise AdministrationError("keys.already_revoked", key=key.id, name=key.name)
    return msgspec.structs.replace(key, revoked_at=now)


def _begins(key: ApiKey, prefix: str) -> bool:
    return len(prefix) >= PREFIX_LENGTH_MIN and (key.id.startswith(prefix) or key.name.startswith(prefix))
