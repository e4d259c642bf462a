"""`anykey teams`: the parts of an organisation."""

from typing import Any

import click
import msgspec

from anykey.accounts.purse import Budget, team_owner
from anykey.administration import teams as verbs
from anykey.administration.budgets import list_budgets, set_budgets
from anykey.administration.home import Home
from anykey.administration.teams import TeamFields
from anykey.cli.actor import local_actor
from anykey.cli.budget_option import budget_option, budgets_told, limits_of
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.teams import TeamRow

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
organisation_option = click.option("--organisation", metavar="NAME", help=say("cli.tenants.organisation"))
allow_option = click.option("--allow", multiple=True, metavar="GLOB", help=say("cli.teams.allow"))


@click.group(cls=SpokenGroup, help=say("cli.commands.teams"))
def teams() -> None:
    """Nothing of its own: a command follows."""


@teams.command(help=say("cli.teams.create"))
@click.argument("name", metavar="NAME")
@organisation_option
@allow_option
@budget_option
@json_option
def create(name: str, organisation: str | None, allow: tuple[str, ...], budget: tuple[str, ...], as_json: bool) -> None:
    """Make one."""
    home, limits = open_home(), limits_of(budget)
    row = verbs.create_team(home, name, organisation=organisation, fields=_fields(allow), actor=local_actor())
    if limits:
        set_budgets(home, "team", row.name, limits, organisation=row.organisation, actor=local_actor())
    _tell("cli.teams.created", home, row, as_json)


@teams.command("list", help=say("cli.teams.list"))
@organisation_option
@json_option
def list_(organisation: str | None, as_json: bool) -> None:
    """Print all of them, or those of one organisation."""
    home = open_home()
    found = verbs.list_teams(home, organisation=organisation)
    budgets = list_budgets(home)
    if as_json:
        print_json([_public(row, budgets) for row in found])
    elif not found:
        click.echo(say("cli.teams.none"))
    else:
        print_table(
            ("organisation", "name", "state", "created", "may_ask", "budgets"), [_row(row, budgets) for row in found]
        )


@teams.command(help=say("cli.teams.update"))
@click.argument("team", metavar="NAME")
@organisation_option
@allow_option
@budget_option
@json_option
def update(team: str, organisation: str | None, allow: tuple[str, ...], budget: tuple[str, ...], as_json: bool) -> None:
    """Change what is given and leave the rest."""
    home, limits = open_home(), limits_of(budget)
    row = verbs.find_team(home, team, organisation=organisation)
    if allow:
        row = verbs.update_team(home, team, _fields(allow), organisation=organisation, actor=local_actor())
    if limits:
        set_budgets(home, "team", row.name, limits, organisation=row.organisation, actor=local_actor())
    _tell("cli.teams.updated", home, row, as_json)


@teams.command(help=say("cli.teams.close"))
@click.argument("team", metavar="NAME")
@organisation_option
@json_option
def close(team: str, organisation: str | None, as_json: bool) -> None:
    """End the use of all its keys."""
    home = open_home()
    row = verbs.close_team(home, team, organisation=organisation, actor=local_actor())
    _tell("cli.teams.closed", home, row, as_json)


def _fields(allow: tuple[str, ...]) -> TeamFields:
    return TeamFields(allowed_models=tuple(filter(None, allow)) if allow else None)


def _tell(code: str, home: Home, row: TeamRow, as_json: bool) -> None:
    if as_json:
        print_json(_public(row, list_budgets(home)))
    else:
        click.echo(say(code, name=row.name, organisation=row.organisation))


def _own(row: TeamRow, budgets: list[Budget]) -> tuple[Budget, ...]:
    owner = ("team", team_owner(row.organisation, row.name))
    return tuple(one for one in budgets if (one.owner_kind, one.owner) == owner)


def _public(row: TeamRow, budgets: list[Budget]) -> dict[str, Any]:
    return {**msgspec.structs.asdict(row), "budgets": {one.period: one.limit_nano for one in _own(row, budgets)}}


def _row(row: TeamRow, budgets: list[Budget]) -> tuple[str | None, ...]:
    state = say("word.active") if row.closed_at is None else say("word.closed", when=local_time(row.closed_at))
    allowed = None if row.allowed_models is None else ", ".join(row.allowed_models)
    return row.organisation, row.name, state, local_time(row.created_at), allowed, budgets_told(_own(row, budgets))
