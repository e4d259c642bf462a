"""Teams: parts of an organisation, named within it."""

from typing import Annotated

from fastapi import Query

from anykey.administration.teams import TeamFields, close_team, create_team, find_team, list_teams, update_team
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Globs, Id, Listed, Told, Word, listed, said, strings
from anykey.storage.paging import page_of
from anykey.storage.teams import TeamRow

TEAMS = Resource("teams")
PATH = "/admin/v1/organisations/{organisation}/teams/{team}"


class TeamTold(Told):
    """`allowed_models`: globs; null: what the organisation allows. Times are Unix seconds."""

    organisation: str
    name: str
    allowed_models: list[str] | None
    created_at: int
    closed_at: int | None


class TeamFilter(Filter):
    """Those of one organisation (id or name)."""

    organisation: Word | None = None


class TeamChange(Asked):
    """What is not sent stays; null takes the list away."""

    allowed_models: Globs | None = None


class NewTeam(TeamChange):
    """`organisation`: id or name; not sent: the caller's own."""

    name: Word
    organisation: Word | None = None


@TEAMS.operation("GET", "/admin/v1/teams", permission="teams:read")
def teams_list(caller: Calling, query: Annotated[TeamFilter, Query()]) -> Listed[TeamTold]:
    """List the teams by organisation and name, closed ones too."""
    rows = list_teams(caller.home, organisation=query.organisation, actor=caller.actor)
    return listed(page_of(rows, lambda row: (row.organisation, row.name), query.cursor, query.limit), told)


@TEAMS.operation("POST", "/admin/v1/teams", permission="teams:write", status=201)
def teams_create(caller: Calling, body: NewTeam) -> TeamTold:
    """Make a team."""
    fields = TeamFields(**said(body, allowed_models=()))
    return told(create_team(caller.home, body.name, organisation=body.organisation, fields=fields, actor=caller.actor))


@TEAMS.operation("GET", PATH, permission="teams:read")
def teams_get(caller: Calling, organisation: Id, team: Id) -> TeamTold:
    """Show one."""
    return told(find_team(caller.home, team, organisation=organisation, actor=caller.actor))


@TEAMS.operation("PATCH", PATH, permission="teams:write")
def teams_update(caller: Calling, organisation: Id, team: Id, body: TeamChange) -> TeamTold:
    """Change what is sent; in force within a second."""
    fields = TeamFields(**said(body, allowed_models=()))
    return told(update_team(caller.home, team, fields, organisation=organisation, actor=caller.actor))


@TEAMS.operation("DELETE", PATH, permission="teams:write")
def teams_close(caller: Calling, organisation: Id, team: Id) -> TeamTold:
    """End the use of all its keys at once."""
    return told(close_team(caller.home, team, organisation=organisation, actor=caller.actor))


def told(row: TeamRow) -> TeamTold:
    """The team."""
    return TeamTold(
        organisation=row.organisation,
        name=row.name,
        allowed_models=strings(row.allowed_models),
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
