"""`anykey organisations`: who pays, and who is in it."""

from typing import Any

import click
import msgspec

from anykey.accounts.amounts import dollars, nano_of
from anykey.accounts.purse import Budget
from anykey.administration import organisations as verbs
from anykey.administration.budgets import list_budgets, set_budgets
from anykey.administration.organisations import OrganisationFields
from anykey.cli.actor import local_actor
from anykey.cli.budget_option import budget_option, budgets_told, limits_of
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.organisations import OrganisationRow

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
prepaid_option = click.option("--prepaid/--postpaid", default=None, help=say("cli.organisations.prepaid"))
allow_option = click.option("--allow", multiple=True, metavar="GLOB", help=say("cli.organisations.allow"))
low_option = click.option("--low-balance", metavar="USD", help=say("cli.organisations.low_balance"))


@click.group(cls=SpokenGroup, help=say("cli.commands.organisations"))
def organisations() -> None:
    """Nothing of its own: a command follows."""


@organisations.command(help=say("cli.organisations.create"))
@click.argument("name", metavar="NAME")
@prepaid_option
@allow_option
@low_option
@budget_option
@json_option
def create(name: str, as_json: bool, budget: tuple[str, ...], **said: Any) -> None:
    """Make one, and say what it is called by programs."""
    home, limits = open_home(), limits_of(budget)
    row = verbs.create_organisation(home, name, fields=_fields(said), actor=local_actor())
    budgets = set_budgets(home, "organisation", row.id, limits, actor=local_actor()) if limits else ()
    _tell("cli.organisations.created", row, budgets, as_json)


@organisations.command("list", help=say("cli.organisations.list"))
@json_option
def list_(as_json: bool) -> None:
    """Print all of them."""
    home = open_home()
    found = [(row, _budgets_of(row, list_budgets(home))) for row in verbs.list_organisations(home)]
    if as_json:
        print_json([_public(row, budgets) for row, budgets in found])
    else:
        columns = ("id", "name", "state", "created", "prepaid", "may_ask", "low_balance", "budgets")
        print_table(columns, [_row(row, budgets) for row, budgets in found])


@organisations.command(help=say("cli.organisations.update"))
@click.argument("organisation", metavar="NAME")
@click.option("--name", metavar="NAME", help=say("cli.organisations.name"))
@prepaid_option
@allow_option
@low_option
@budget_option
@json_option
def update(organisation: str, as_json: bool, budget: tuple[str, ...], **said: Any) -> None:
    """Change what is given and leave the rest."""
    home, fields, limits = open_home(), _fields(said), limits_of(budget)
    row = verbs.find_organisation(home, organisation)
    if fields != verbs.NOTHING_SAID:
        row = verbs.update_organisation(home, row.id, fields, actor=local_actor())
    if limits:
        set_budgets(home, "organisation", row.id, limits, actor=local_actor())
    _tell("cli.organisations.updated", row, _budgets_of(row, list_budgets(home)), as_json)


@organisations.command(help=say("cli.organisations.close"))
@click.argument("organisation", metavar="NAME")
@json_option
def close(organisation: str, as_json: bool) -> None:
    """End the use of all its keys."""
    home = open_home()
    row = verbs.close_organisation(home, organisation, actor=local_actor())
    _tell("cli.organisations.closed", row, _budgets_of(row, list_budgets(home)), as_json)


def _fields(said: dict[str, Any]) -> OrganisationFields:
    low = said["low_balance"]
    try:
        nano = None if low is None else nano_of(low) if low else -1
    except ValueError:
        raise click.BadParameter(say("cli.budgets.bad_amount", found=low), param_hint="--low-balance") from None
    return OrganisationFields(
        name=said.get("name"),
        prepaid=said["prepaid"],
        allowed_models=tuple(filter(None, said["allow"])) if said["allow"] else None,
        low_balance_nano=nano,
    )


def _budgets_of(row: OrganisationRow, budgets: list[Budget]) -> tuple[Budget, ...]:
    return tuple(one for one in budgets if (one.owner_kind, one.owner) == ("organisation", row.id))


def _tell(code: str, row: OrganisationRow, budgets: tuple[Budget, ...], as_json: bool) -> None:
    if as_json:
        print_json(_public(row, budgets))
    else:
        click.echo(say(code, name=row.name, id=row.id))


def _public(row: OrganisationRow, budgets: tuple[Budget, ...]) -> dict[str, Any]:
    return {**msgspec.structs.asdict(row), "budgets": {one.period: one.limit_nano for one in budgets}}


def _row(row: OrganisationRow, budgets: tuple[Budget, ...]) -> tuple[str | None, ...]:
    closed = row.closed_at
    return (
        row.id,
        row.name,
        say("word.active") if closed is None else say("word.closed", when=local_time(closed)),
        local_time(row.created_at),
        say("word.yes" if row.prepaid else "word.no"),
        None if row.allowed_models is None else ", ".join(row.allowed_models),
        None if row.low_balance_nano is None else dollars(row.low_balance_nano),
        budgets_told(budgets),
    )
