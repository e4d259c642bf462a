"""`anykey members`: who is in an organisation, and as what."""

from typing import Any

import click
import msgspec

from anykey.accounts.permissions import MEMBER_ROLES
from anykey.accounts.purse import Budget
from anykey.administration import members as verbs
from anykey.administration.budgets import list_budgets, set_budgets
from anykey.administration.home import Home
from anykey.administration.members import MemberFields
from anykey.cli.actor import local_actor
from anykey.cli.budget_option import budget_option, budgets_told, limits_of
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.members import MemberRow

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
organisation_option = click.option("--organisation", metavar="NAME", help=say("cli.tenants.organisation"))
role_option = click.option("--role", type=click.Choice(MEMBER_ROLES), help=say("cli.members.role"))
team_option = click.option("--team", metavar="TEAM", help=say("cli.members.team"))
email_option = click.option("--email", metavar="ADDRESS", help=say("cli.members.email"))


@click.group(cls=SpokenGroup, help=say("cli.commands.members"))
def members() -> None:
    """Nothing of its own: a command follows."""


@members.command(help=say("cli.members.add"))
@click.argument("name", metavar="NAME")
@organisation_option
@role_option
@team_option
@email_option
@budget_option
@json_option
def add(name: str, organisation: str | None, budget: tuple[str, ...], as_json: bool, **said: Any) -> None:
    """Add somebody."""
    home, limits = open_home(), limits_of(budget)
    fields = MemberFields(**said)
    row = verbs.create_member(home, name, organisation=organisation, fields=fields, actor=local_actor())
    if limits:
        set_budgets(home, "member", row.id, limits, organisation=row.organisation, actor=local_actor())
    _tell("cli.members.added", home, row, as_json)


@members.command("list", help=say("cli.members.list"))
@organisation_option
@json_option
def list_(organisation: str | None, as_json: bool) -> None:
    """Print all of them, or those of one organisation."""
    home = open_home()
    found, budgets = verbs.list_members(home, organisation=organisation), list_budgets(home)
    if as_json:
        print_json([_public(row, budgets) for row in found])
    elif not found:
        click.echo(say("cli.members.none"))
    else:
        columns = ("id", "organisation", "name", "role", "team", "state", "created", "budgets")
        print_table(columns, [_row(row, budgets) for row in found])


@members.command(help=say("cli.members.update"))
@click.argument("member", metavar="NAME|ID")
@organisation_option
@click.option("--name", metavar="NAME", help=say("cli.members.name"))
@role_option
@team_option
@email_option
@budget_option
@json_option
def update(member: str, organisation: str | None, budget: tuple[str, ...], as_json: bool, **said: Any) -> None:
    """Change what is given and leave the rest; an empty text takes away what was said."""
    home, fields, limits = open_home(), MemberFields(**said), limits_of(budget)
    row = verbs.find_member(home, member, organisation=organisation)
    if fields != verbs.NOTHING_SAID:
        row = verbs.update_member(home, row.id, fields, actor=local_actor())
    if limits:
        set_budgets(home, "member", row.id, limits, organisation=row.organisation, actor=local_actor())
    _tell("cli.members.updated", home, row, as_json)


@members.command(help=say("cli.members.remove"))
@click.argument("member", metavar="NAME|ID")
@organisation_option
@json_option
def remove(member: str, organisation: str | None, as_json: bool) -> None:
    """End the use of all the member's keys."""
    home = open_home()
    row = verbs.remove_member(home, member, organisation=organisation, actor=local_actor())
    _tell("cli.members.removed", home, row, as_json)


def _tell(code: str, home: Home, row: MemberRow, as_json: bool) -> None:
    if as_json:
        print_json(_public(row, list_budgets(home)))
    else:
        click.echo(say(code, name=row.name, id=row.id, role=row.role))


def _own(row: MemberRow, budgets: list[Budget]) -> tuple[Budget, ...]:
    return tuple(one for one in budgets if (one.owner_kind, one.owner) == ("member", row.id))


def _public(row: MemberRow, budgets: list[Budget]) -> dict[str, Any]:
    return {**msgspec.structs.asdict(row), "budgets": {one.period: one.limit_nano for one in _own(row, budgets)}}


def _row(row: MemberRow, budgets: list[Budget]) -> tuple[str | None, ...]:
    state = say("word.active") if row.removed_at is None else say("word.removed", when=local_time(row.removed_at))
    created, limits = local_time(row.created_at), budgets_told(_own(row, budgets))
    return row.id, row.organisation, row.name, row.role, row.team, state, created, limits
