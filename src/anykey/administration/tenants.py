"""What the verbs about organisations, teams, members, keys and budgets share: whom the actor may see, and what a name is.

Law: what an actor may not see is not there. The thing of another tenant, and a thing that never was, are the same `not_found`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anykey.accounts.permissions import Actor, may
from anykey.accounts.purse import DEFAULT_ORGANISATION
from anykey.administration.errors import AdministrationError
from anykey.storage.audit import Deed, append
from anykey.storage.database import Connection
from anykey.storage.members import MemberRow, read_members
from anykey.storage.organisations import OrganisationRow, read_organisations
from anykey.storage.teams import TeamRow, read_teams

NAME_LENGTH_MAX = 64
GLOB_LENGTH_MAX = 256
GLOBS_MOST = 256
_RESERVED = set("/:")
"""Signs that stand between names, in budgets and accounts."""


def good_name(text: str) -> str:
    """The name without spaces around it: 1 to 64 printable characters, no `/` or `:`. Raises AdministrationError."""
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable() or _RESERVED & set(name):
        raise AdministrationError("tenants.bad_name", max=NAME_LENGTH_MAX)
    return name


def good_globs(globs: Iterable[str] | None) -> tuple[str, ...] | None:
    """The list of allowed models; None where it is empty: nothing is limited. Raises AdministrationError."""
    found = tuple(globs or ())
    if len(found) > GLOBS_MOST or not all(0 < len(glob) <= GLOB_LENGTH_MAX and glob.isprintable() for glob in found):
        raise AdministrationError("keys.bad_word", what="allow", max=GLOB_LENGTH_MAX)
    return found or None


def organisations_for(connection: Connection, actor: Actor) -> list[OrganisationRow]:
    """Those the actor may see, oldest first."""
    return [row for row in read_organisations(connection) if may(actor, "organisations:read", row.id)]


def organisation_for(connection: Connection, reference: str, actor: Actor) -> OrganisationRow:
    """The one of this id or name. Raises AdministrationError."""
    rows = organisations_for(connection, actor)
    for row in rows:
        if row.id == reference:
            return row
    for row in rows:
        if row.name == reference:
            return row
    raise AdministrationError("organisations.not_found", organisation=reference[:80])


def own_organisation(connection: Connection, reference: str | None, actor: Actor) -> OrganisationRow:
    """As `organisation_for`; None: the actor's own, and for an operator the default one."""
    return organisation_for(connection, reference or actor.organisation or DEFAULT_ORGANISATION, actor)


def open_organisation(connection: Connection, reference: str | None, actor: Actor) -> OrganisationRow:
    """As `own_organisation`, and it must not be closed."""
    row = own_organisation(connection, reference, actor)
    if row.closed_at is not None:
        raise AdministrationError("organisations.closed", organisation=row.name)
    return row


def teams_for(connection: Connection, actor: Actor) -> list[TeamRow]:
    """Those the actor may see, oldest first."""
    return [row for row in read_teams(connection) if may(actor, "teams:read", row.organisation)]


def team_for(connection: Connection, organisation: str, name: str, actor: Actor) -> TeamRow:
    """The team of that name in the organisation (its id). Raises AdministrationError."""
    for row in teams_for(connection, actor):
        if (row.organisation, row.name) == (organisation, name):
            return row
    raise AdministrationError("teams.not_found", team=name[:80])


def members_for(connection: Connection, actor: Actor) -> list[MemberRow]:
    """Those the actor may see, oldest first: everybody sees himself."""
    return [
        row
        for row in read_members(connection)
        if may(actor, "members:read", row.organisation) or (row.id == actor.member_id)
    ]


def member_for(connection: Connection, organisation: str | None, reference: str, actor: Actor) -> MemberRow:
    """The member of this id, or of this name in the organisation (its id), in which he must be. Raises AdministrationError."""
    rows = [row for row in members_for(connection, actor) if organisation in (None, row.organisation)]
    by_id = [row for row in rows if row.id == reference]
    found = by_id or [row for row in rows if row.name == reference and row.removed_at is None]
    if not found:
        raise AdministrationError("members.not_found", member=reference[:80])
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise AdministrationError("members.ambiguous", member=reference[:80], ids=ids)
    return found[0]


def note(
    connection: Connection,
    actor: Actor,
    action: str,
    target: tuple[str, str, str | None],
    values: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None],
) -> None:
    """Write the audit entry of a change: `target` is a kind, an id and whose it is; `values` are those before and after, of which
    only what differs is kept."""
    kind, name, organisation = target
    before, after = values
    if before is not None and after is not None:
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        before = {key: value for key, value in before.items() if key in changed}
        after = {key: value for key, value in after.items() if key in changed}
    append(
        connection,
        Deed(
            actor=actor.name,
            action=action,
            target_kind=kind,
            target=name,
            organisation=organisation,
            before=before,
            after=after,
        ),
    )
