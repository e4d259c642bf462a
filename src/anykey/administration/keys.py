"""Create, list, change, rotate and revoke the keys that clients call with."""

import secrets
import time
from typing import Any

import msgspec

from anykey.accounts.key_bounds import counted_field, inherited, wider_field
from anykey.accounts.keys import SHOWN_LENGTH, ApiKey, digest, mint, mint_again
from anykey.accounts.permissions import LOCAL, Actor, Forbidden, may, require
from anykey.accounts.purse import Budget
from anykey.administration.budgets import in_words, refuse_above, write_limits
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.key_fields import NOTHING_SAID, KeyFields, columns_of, require_fields
from anykey.administration.key_lookup import key_for, keys_for
from anykey.administration.members import require_giving
from anykey.administration.tenants import member_for, note, open_organisation, team_for
from anykey.storage.database import Connection
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.key_reading import COLUMNS, read_keys
from anykey.storage.key_uses import read_uses
from anykey.storage.keys import change_key, insert_key

OVERLAP_S = 24 * 3600
OVERLAP_MOST_S = 30 * 24 * 3600
_SECRET = frozenset(("digest", "previous_digest"))


class CreatedKey(msgspec.Struct, frozen=True):
    """A new key. `text` is the key itself: shown to its owner now, and never again."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"CreatedKey(id={self.key.id!r}, name={self.key.name!r}, text='***')"


def create_key(
    home: Home, name: str, *, strict: bool = False, fields: KeyFields = NOTHING_SAID, actor: Actor = LOCAL
) -> CreatedKey:
    """Issue a key called `name` (1 to 64 printable characters, not the name of another key in force in its organisation).
    `strict`: its calls may lose nothing on the way to an upstream, else they are refused.

    Who may only make keys of his own gets one that may no more than the key he uses, which has no limits of its own: two keys
    together might use twice as much.
    """

    def change(connection: Connection) -> CreatedKey:
        organisation = open_organisation(connection, fields.organisation, actor).id
        within = may(actor, "keys:write", organisation)
        member_id = _member_id(connection, organisation, fields.owner, actor) if within else actor.member_id
        require(actor, "keys:write", organisation, member_id)
        giver = None if within else _giver(connection, actor)
        minted = mint(secrets.token_bytes)
        draft = ApiKey(
            id=minted.id,
            name="",
            digest=digest(minted.text, home.pepper),
            last4=minted.text[-SHOWN_LENGTH:],
            created_at=int(time.time()),
            organisation=organisation,
            **({} if giver is None else inherited(giver)),
        )
        draft = msgspec.structs.replace(draft, member_id=member_id, strict=draft.strict or strict)
        said = msgspec.structs.replace(fields, name=name)
        key = _with(connection, draft, said, actor, bound=giver)
        insert_key(connection, key)
        write_limits(connection, "key", key.id, fields.budgets or {})
        created = _now(connection, key.id)
        note(connection, actor, "keys.create", _target(key), (None, _told(created)))
        return CreatedKey(created, minted.text)

    return changing_keys(home.database, change)


def list_keys(home: Home, *, actor: Actor = LOCAL) -> list[ApiKey]:
    """All keys ever issued that the actor may see, oldest first, revoked ones too."""
    return reading(home.database, lambda connection: keys_for(connection, actor))


def find_key(home: Home, reference: str, *, actor: Actor = LOCAL) -> ApiKey:
    """The one key that `reference` means: its id, its name, or the beginning of its id or name if only one fits.

    Keys in force come before revoked ones. Raises AdministrationError for none or several.
    """
    return reading(home.database, lambda connection: key_for(connection, reference, actor))


def last_uses(home: Home, *, actor: Actor = LOCAL) -> dict[str, int]:
    """When each key that the actor may see was last used (Unix seconds, true to ten seconds), by id."""

    def read(connection: Connection) -> dict[str, int]:
        uses = read_uses(connection)
        return {key.id: uses[key.id] for key in keys_for(connection, actor) if key.id in uses}

    return reading(home.database, read)


def update_key(home: Home, reference: str, fields: KeyFields, *, actor: Actor = LOCAL) -> ApiKey:
    """Change what is said of the key that `reference` means (see find_key) and leave the rest, from the next request on."""

    def change(connection: Connection) -> ApiKey:
        before = _in_force(connection, reference, actor)
        within = may(actor, "keys:write", before.organisation)
        after = _with(connection, before, fields, actor, bound=None if within else before)
        change_key(connection, before.id, {name: getattr(after, name) for name in _changed(before, after)})
        write_limits(connection, "key", before.id, fields.budgets or {})
        now = _now(connection, before.id)
        note(connection, actor, "keys.update", _target(before), (_told(before), _told(now)))
        return now

    return changing_keys(home.database, change)


def rotate_key(home: Home, reference: str, *, overlap_s: int = OVERLAP_S, actor: Actor = LOCAL) -> CreatedKey:
    """Give the key that `reference` means (see find_key) another secret under the same id. The old one is good for `overlap_s`
    more, so that no client need be stopped; 0: it ends with this. One that was still good before ends in any case."""

    def change(connection: Connection) -> CreatedKey:
        before = _in_force(connection, reference, actor)
        if not 0 <= overlap_s <= OVERLAP_MOST_S:
            raise AdministrationError("keys.bad_overlap", days=OVERLAP_MOST_S // 86_400)
        minted = mint_again(before.id, secrets.token_bytes)
        changes = {
            "digest": digest(minted.text, home.pepper),
            "last4": minted.text[-SHOWN_LENGTH:],
            "previous_digest": before.digest if overlap_s else None,
            "previous_until": int(time.time()) + overlap_s if overlap_s else None,
        }
        change_key(connection, before.id, changes)
        now = _now(connection, before.id)
        note(connection, actor, "keys.rotate", _target(before), (_told(before), _told(now)))
        return CreatedKey(now, minted.text)

    return changing_keys(home.database, change)


def revoke_key(home: Home, reference: str, *, actor: Actor = LOCAL) -> ApiKey:
    """End the key that `reference` means (see find_key), from the next request on. Returns it as it now is."""

    def change(connection: Connection) -> ApiKey:
        before = _in_force(connection, reference, actor)
        change_key(connection, before.id, {"revoked_at": int(time.time())})
        now = _now(connection, before.id)
        note(connection, actor, "keys.revoke", _target(before), (_told(before), _told(now)))
        return now

    return changing_keys(home.database, change)


def _giver(connection: Connection, actor: Actor) -> ApiKey | None:
    """The key by which the actor acts, which bounds what he makes; None: he acts by none."""
    if actor.key_id is None:
        return None
    giver = read_keys(connection).get(actor.key_id)
    if giver is None:
        raise Forbidden(actor, "keys:write")
    if (field := counted_field(giver)) is not None:
        raise AdministrationError("keys.counted", field=field)
    return giver


def _in_force(connection: Connection, reference: str, actor: Actor) -> ApiKey:
    """The key that the actor wants to change, which he may, and which is not revoked."""
    key = key_for(connection, reference, actor)
    require(actor, "keys:write", key.organisation, key.member_id)
    if key.role is not None and key.member_id != actor.member_id:
        require_giving(actor, key.role)
    if key.revoked_at is not None:
        raise AdministrationError("keys.already_revoked", key=key.id, name=key.name)
    return key


def _with(connection: Connection, key: ApiKey, said: KeyFields, actor: Actor, *, bound: ApiKey | None) -> ApiKey:
    """The key with what is said on top. Raises Forbidden or AdministrationError where it may not, or cannot be meant."""
    require_fields(said, key.organisation, actor, own=not may(actor, "keys:write", key.organisation))
    changes = columns_of(said)
    if said.owner is not None:
        changes["member_id"] = _member_id(connection, key.organisation, said.owner, actor)
    after = msgspec.structs.replace(key, **changes)
    if said.name is not None and after.name != key.name:
        _refuse_taken(connection, after)
    if said.team and not actor.is_operator and team_for(connection, key.organisation, said.team, actor).closed_at:
        raise AdministrationError("teams.closed", team=said.team)
    if after.operator and not actor.is_operator:
        raise Forbidden(actor, "keys:write")
    if bound is not None and (field := wider_field(bound, after)) is not None:
        raise AdministrationError("keys.wider", field=field)
    refuse_above(connection, key.organisation, said.budgets or {}, actor)
    return after


def _member_id(connection: Connection, organisation: str, owner: str | None, actor: Actor) -> str | None:
    """The id of the member that is to own a key: he must be there, and may not be more than who makes it."""
    if not owner:
        return None
    member = member_for(connection, organisation, owner, actor)
    if member.removed_at is not None:
        raise AdministrationError("members.removed", member=member.name)
    require_giving(actor, member.role)
    return member.id


def _refuse_taken(connection: Connection, key: ApiKey) -> None:
    """A name means one key in force of an organisation."""
    for other in read_keys(connection).values():
        same = (other.organisation, other.name, other.revoked_at) == (key.organisation, key.name, None)
        if same and other.id != key.id:
            raise AdministrationError("keys.name_taken", name=key.name)


def _changed(before: ApiKey, after: ApiKey) -> list[str]:
    return [name for name in COLUMNS if getattr(before, name) != getattr(after, name)]


def _now(connection: Connection, key_id: str) -> ApiKey:
    return read_keys(connection)[key_id]


def _target(key: ApiKey) -> tuple[str, str, str]:
    return "key", key.id, key.organisation


def _told(key: ApiKey) -> dict[str, Any]:
    """The key for the audit log: nothing of its secret, its budgets too."""
    told = {name: getattr(key, name) for name in COLUMNS if name not in _SECRET}
    own: list[Budget] = [] if key.purse is None else [one for one in key.purse.budgets if one.owner_kind == "key"]
    return {**told, "budgets": in_words(own)}
