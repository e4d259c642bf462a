"""Create, list, change and revoke the keys that clients call with."""

import secrets
import time
from collections.abc import Mapping

import msgspec

from anykey.accounts.keys import SHOWN_LENGTH, ApiKey, digest, mint
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.storage import keys as stored

NAME_LENGTH_MAX = 64
PREFIX_LENGTH_MIN = 3
GLOB_LENGTH_MAX = 256
METADATA_MOST, METADATA_NAME_MAX, METADATA_VALUE_MAX = 16, 64, 512
"""As many pairs, and as long, as a call may bring itself."""


class CreatedKey(msgspec.Struct, frozen=True):
    """A new key. `text` is the key itself: shown to its owner now, and never again."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"CreatedKey(id={self.key.id!r}, name={self.key.name!r}, text='***')"


class KeyRouting(msgspec.Struct, frozen=True):
    """What a key says of routing; see `ApiKey`. None: nothing is said. In a change, an empty value takes away what was said."""

    group: str | None = None
    team: str | None = None
    allowed_models: tuple[str, ...] | None = None
    config: str | None = None
    metadata: Mapping[str, str] | None = None
    admin: bool | None = None


NOTHING_SAID = KeyRouting()


def create_key(home: Home, name: str, *, strict: bool = False, routing: KeyRouting = NOTHING_SAID) -> CreatedKey:
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
    key = _with(key, routing)
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


def update_key(home: Home, reference: str, routing: KeyRouting) -> ApiKey:
    """Change what the key that `reference` means (see find_key) says of routing, from the next request on."""
    key = find_key(home, reference)
    if key.revoked_at is not None:
        raise AdministrationError("keys.already_revoked", key=key.id, name=key.name)
    changed = _with(key, routing)
    if not stored.update_routing(home.database, changed):
        raise AdministrationError("keys.not_found", key=reference)
    return changed


def revoke_key(home: Home, reference: str) -> ApiKey:
    """End the key that `reference` means (see find_key), from the next request on. Returns it as it now is."""
    key = find_key(home, reference)
    now = int(time.time())
    if not stored.mark_revoked(home.database, key.id, now):
        raise AdministrationError("keys.already_revoked", key=key.id, name=key.name)
    return msgspec.structs.replace(key, revoked_at=now)


def _with(key: ApiKey, said: KeyRouting) -> ApiKey:
    """The key with what is said on top. Raises AdministrationError for words that cannot be meant."""
    for name, text in (("group", said.group), ("team", said.team), ("config", said.config)):
        if text and not (len(text) <= NAME_LENGTH_MAX and text.isprintable()):
            raise AdministrationError("keys.bad_word", what=name, max=NAME_LENGTH_MAX)
    for glob in said.allowed_models or ():
        if not (0 < len(glob) <= GLOB_LENGTH_MAX and glob.isprintable()):
            raise AdministrationError("keys.bad_word", what="allow", max=GLOB_LENGTH_MAX)
    if len(said.metadata or ()) > METADATA_MOST:
        raise AdministrationError("keys.much_metadata", max=METADATA_MOST)
    for name, value in (said.metadata or {}).items():
        if not (0 < len(name) <= METADATA_NAME_MAX and len(value) <= METADATA_VALUE_MAX):
            raise AdministrationError("keys.bad_metadata", name=METADATA_NAME_MAX, value=METADATA_VALUE_MAX)
    changes = {
        "group_name": (said.group, said.group or None),
        "team": (said.team, said.team or None),
        "allowed_models": (said.allowed_models, said.allowed_models or None),
        "config": (said.config, said.config or None),
        "metadata": (said.metadata, said.metadata or None),
        "admin": (said.admin, bool(said.admin)),
    }
    return msgspec.structs.replace(key, **{name: new for name, (given, new) in changes.items() if given is not None})


def _begins(key: ApiKey, prefix: str) -> bool:
    return len(prefix) >= PREFIX_LENGTH_MIN and (key.id.startswith(prefix) or key.name.startswith(prefix))
