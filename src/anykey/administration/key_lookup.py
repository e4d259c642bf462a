"""Which keys an actor may see, and the one he means."""

from anykey.accounts.keys import ApiKey
from anykey.accounts.permissions import Actor, may
from anykey.administration.errors import AdministrationError
from anykey.storage.database import Connection
from anykey.storage.key_reading import read_keys

PREFIX_LENGTH_MIN = 3


def may_see(actor: Actor, key: ApiKey) -> bool:
    """Whether the actor may see it: operators' keys are no business of an organisation, even where they are counted to it."""
    if key.operator and not actor.is_operator:
        return False
    return may(actor, "keys:read", key.organisation, key.member_id) or key.id == actor.key_id


def keys_for(connection: Connection, actor: Actor) -> list[ApiKey]:
    """Those the actor may see, oldest first, revoked ones too."""
    return [key for key in read_keys(connection).values() if may_see(actor, key)]


def key_for(connection: Connection, reference: str, actor: Actor) -> ApiKey:
    """The one key that `reference` means: its id, its name, or the beginning of its id or name if only one fits.

    Keys in force come before revoked ones. Raises AdministrationError for none or several.
    """
    keys = keys_for(connection, actor)
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


def _begins(key: ApiKey, prefix: str) -> bool:
    return len(prefix) >= PREFIX_LENGTH_MIN and (key.id.startswith(prefix) or key.name.startswith(prefix))
