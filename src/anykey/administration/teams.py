"""Create, list, change and close the teams of an organisation."""

import time

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import (
    good_globs,
    good_name,
    note,
    open_organisation,
    own_organisation,
    team_for,
    teams_for,
)
from anykey.storage.database import Connection
from anykey.storage.key_changes import changing_keys, reading
from anykey.storage.teams import TeamRow, keep_team, read_teams


class TeamFields(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said of a team; None: nothing is. An empty list takes away what was said."""

    allowed_models: tuple[str, ...] | None = None


NOTHING_SAID = TeamFields()


def create_team(
    home: Home,
    name: str,
    *,
    organisation: str | None = None,
    fields: TeamFields = NOTHING_SAID,
    actor: Actor = LOCAL,
) -> TeamRow:
    """Make a team in the organisation (id or name; default: the actor's own). A closed team's name is not given again: its keys
    would come back to life."""

    def change(connection: Connection) -> TeamRow:
        owner = open_organisation(connection, organisation, actor)
        require(actor, "teams:write", owner.id)
        row = TeamRow(owner.id, good_name(name), good_globs(fields.allowed_models), int(time.time()))
        if any((other.organisation, other.name) == (row.organisation, row.name) for other in read_teams(connection)):
            raise AdministrationError("teams.name_taken", name=row.name)
        keep_team(connection, row)
        note(connection, actor, "teams.create", _target(row), (None, msgspec.structs.asdict(row)))
        return row

    return changing_keys(home.database, change)


def list_teams(home: Home, *, organisation: str | None = None, actor: Actor = LOCAL) -> list[TeamRow]:
    """All that the actor may see, oldest first, closed ones too; of one organisation where it is named."""

    def read(connection: Connection) -> list[TeamRow]:
        rows = teams_for(connection, actor)
        if organisation is None:
            return rows
        wanted = own_organisation(connection, organisation, actor).id
        return [row for row in rows if row.organisation == wanted]

    return reading(home.database, read)


def find_team(home: Home, name: str, *, organisation: str | None = None, actor: Actor = LOCAL) -> TeamRow:
    """The team of that name. Raises AdministrationError."""

    def read(connection: Connection) -> TeamRow:
        return team_for(connection, own_organisation(connection, organisation, actor).id, name, actor)

    return reading(home.database, read)


def update_team(
    home: Home, name: str, fields: TeamFields, *, organisation: str | None = None, actor: Actor = LOCAL
) -> TeamRow:
    """Change what is said and leave the rest; in force within a second."""

    def change(connection: Connection) -> TeamRow:
        before = _open_team(connection, organisation, name, actor)
        after = before
        if fields.allowed_models is not None:
            after = msgspec.structs.replace(before, allowed_models=good_globs(fields.allowed_models))
        keep_team(connection, after)
        values = (msgspec.structs.asdict(before), msgspec.structs.asdict(after))
        note(connection, actor, "teams.update", _target(before), values)
        return after

    return changing_keys(home.database, change)


def close_team(home: Home, name: str, *, organisation: str | None = None, actor: Actor = LOCAL) -> TeamRow:
    """End the use of all keys of the team at once."""

    def change(connection: Connection) -> TeamRow:
        before = _open_team(connection, organisation, name, actor)
        after = msgspec.structs.replace(before, closed_at=int(time.time()))
        keep_team(connection, after)
        values = (msgspec.structs.asdict(before), msgspec.structs.asdict(after))
        note(connection, actor, "teams.close", _target(before), values)
        return after

    return changing_keys(home.database, change)


def _open_team(connection: Connection, organisation: str | None, name: str, actor: Actor) -> TeamRow:
    """The team that the actor wants to change, which he may."""
    owner = open_organisation(connection, organisation, actor)
    row = team_for(connection, owner.id, name, actor)
    require(actor, "teams:write", owner.id)
    if row.closed_at is not None:
        raise AdministrationError("teams.closed", team=row.name)
    return row


def _target(row: TeamRow) -> tuple[str, str, str]:
    return "team", f"{row.organisation}/{row.name}", row.organisation
