"""`anykey retention`: what is kept for how long, and the deleting of what is over."""

from pathlib import Path

import click

from anykey.administration import retention as verbs
from anykey.administration.retention import TableRule
from anykey.cli.actor import local_actor
from anykey.cli.configuration import config_option, open_home, read_settings
from anykey.cli.form import SpokenGroup
from anykey.cli.output import print_json, print_table
from anykey.language import say

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))


@click.group(cls=SpokenGroup, help=say("cli.commands.retention"))
def retention() -> None:
    """Nothing of its own: a command follows."""


@retention.command(help=say("cli.retention.show"))
@config_option
@json_option
def show(config: Path | None, as_json: bool) -> None:
    """Print every table with its rule."""
    settings = read_settings(config)
    found = verbs.show(open_home(config), settings.retention)
    if as_json:
        print_json(found)
    else:
        print_table(("table", "kept", "rows"), [(one.table, _kept(one), one.rows) for one in found])


@retention.command(help=say("cli.retention.run"))
@config_option
@json_option
def run(config: Path | None, as_json: bool) -> None:
    """Delete what is over now."""
    settings = read_settings(config)
    gone = verbs.run(open_home(config), settings.retention, actor=local_actor())
    if as_json:
        print_json(gone)
        return
    for table, count in gone.items():
        click.echo(say("cli.retention.gone", table=table, count=count))
    if not gone:
        click.echo(say("cli.retention.nothing"))


def _kept(rule: TableRule) -> str:
    if rule.keeps == "own":
        return say("cli.retention.own")
    return say("cli.retention.days", days=rule.days) if rule.days else say("cli.retention.always")
