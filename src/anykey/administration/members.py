"""Add, list, change and remove the members of an organisation.

Nobody gives a role that may more than his own, nor changes or removes somebody who has one.
"""

import secrets
import time

import msgspec

from anykey.accounts.permissions import LOCAL, MEMBER_ROLES, Actor, Forbidden, MemberRole, Role, may_give, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import (
    good_name,
    member_for,
    members_for,
    note,
    open_organisation,
    own_organisation,
    team_for,
)
from anykey.storage.database import Connection
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.members import MemberRow, keep_member, read_members

EMAIL_LENGTH_MAX = 254


class MemberFields(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said of a member; None: nothing is. An empty text takes away what was said (not a name, not a role)."""

    name: str | None = None
    email: str | None = None
    team: str | None = None
    role: MemberRole | None = None


NOTHING_SAID = MemberFields()


def create_member(
    home: Home,
    name: str,
    *,
    organisation: str | None = None,
    fields: MemberFields = NOTHING_SAID,
    actor: Actor = LOCAL,
) -> MemberRow:
    """Add somebody to the organisation (id or name; default: the actor's own), as a `member` unless a role is said."""

    def change(connection: Connection) -> MemberRow:
        owner = open_organisation(connection, organisation, actor)
        require(actor, "members:write", owner.id)
        row = MemberRow(f"mem_{secrets.token_hex(6)}", owner.id, None, "", None, "member", int(time.time()))
        row = _with(connection, row, msgspec.structs.replace(fields, name=name), actor)
        keep_member(connection, row)
        note(connection, actor, "members.create", _target(row), (None, msgspec.structs.asdict(row)))
        return row

    return changing_keys(home.database, change)


def list_members(home: Home, *, organisation: str | None = None, actor: Actor = LOCAL) -> list[MemberRow]:
    """All that the actor may see, oldest first, removed ones too; of one organisation where it is named."""

    def read(connection: Connection) -> list[MemberRow]:
        rows = members_for(connection, actor)
        if organisation is None:
            return rows
        wanted = own_organisation(connection, organisation, actor).id
        return [row for row in rows if row.organisation == wanted]

    return reading(home.database, read)


def find_member(home: Home, reference: str, *, organisation: str | None = None, actor: Actor = LOCAL) -> MemberRow:
    """The member of this id, or of this name in the organisation. Raises AdministrationError."""
    return reading(home.database, lambda connection: _found(connection, organisation, reference, actor))


def update_member(
    home: Home, reference: str, fields: MemberFields, *, organisation: str | None = None, actor: Actor = LOCAL
) -> MemberRow:
    """Change what is said and leave the rest; in force within a second."""

    def change(connection: Connection) -> MemberRow:
        before = _within_reach(connection, organisation, reference, actor)
        after = _with(connection, before, fields, actor)
        keep_member(connection, after)
        _note_change(connection, actor, "members.update", before, after)
        return after

    return changing_keys(home.database, change)


def remove_member(home: Home, reference: str, *, organisation: str | None = None, actor: Actor = LOCAL) -> MemberRow:
    """End the use of all the member's keys at once."""

    def change(connection: Connection) -> MemberRow:
        before = _within_reach(connection, organisation, reference, actor)
        after = msgspec.structs.replace(before, removed_at=int(time.time()))
        keep_member(connection, after)
        _note_change(connection, actor, "members.remove", before, after)
        return after

    return changing_keys(home.database, change)


def require_giving(actor: Actor, role: Role) -> None:
    """Raise Forbidden unless the actor may give this role, or act for somebody who has it."""
    if not may_give(actor, role):
        raise Forbidden(actor, "members:write")


def _found(connection: Connection, organisation: str | None, reference: str, actor: Actor) -> MemberRow:
    wanted = None if organisation is None else own_organisation(connection, organisation, actor).id
    return member_for(connection, wanted, reference, actor)


def _within_reach(connection: Connection, organisation: str | None, reference: str, actor: Actor) -> MemberRow:
    """The member that the actor wants to change, which he may."""
    row = _found(connection, organisation, reference, actor)
    require(actor, "members:write", row.organisation)
    require_giving(actor, row.role)
    if row.removed_at is not None:
        raise AdministrationError("members.removed", member=row.name)
    return row


def _with(connection: Connection, row: MemberRow, fields: MemberFields, actor: Actor) -> MemberRow:
    """The row with what is said on top."""
    said = {name: value for name, value in msgspec.structs.asdict(fields).items() if value is not None}
    if "role" in said:
        if said["role"] not in MEMBER_ROLES:
            raise AdministrationError("members.bad_role", roles=", ".join(MEMBER_ROLES))
        require_giving(actor, said["role"])
    if "name" in said:
        said["name"] = name = good_name(said["name"])
        taken = {other.name for other in read_members(connection) if _is_other(other, row)}
        if name in taken:
            raise AdministrationError("members.name_taken", name=name)
    if "email" in said:
        said["email"] = _good_email(said["email"])
    if "team" in said:
        said["team"] = _open_team(connection, row.organisation, said["team"], actor) if said["team"] else None
    return msgspec.structs.replace(row, **said)


def _is_other(other: MemberRow, row: MemberRow) -> bool:
    return other.organisation == row.organisation and other.id != row.id


def _open_team(connection: Connection, organisation: str, name: str, actor: Actor) -> str:
    row = team_for(connection, organisation, name, actor)
    if row.closed_at is not None:
        raise AdministrationError("teams.closed", team=row.name)
    return row.name


def _good_email(text: str) -> str | None:
    """An address as text: with one `@` and something on both its sides. It is only shown."""
    email = text.strip()
    before, _, after = email.partition("@")
    if email and not (before and after and "@" not in after and email.isprintable() and len(email) <= EMAIL_LENGTH_MAX):
        raise AdministrationError("members.bad_email")
    return email or None


def _target(row: MemberRow) -> tuple[str, str, str]:
    return "member", row.id, row.organisation


def _note_change(connection: Connection, actor: Actor, action: str, before: MemberRow, after: MemberRow) -> None:
    values = (msgspec.structs.asdict(before), msgspec.structs.asdict(after))
    note(connection, actor, action, _target(before), values)
