"""`anykey configs`: named gateway configs, each with its versions."""

from typing import BinaryIO

import click

from anykey.administration import configs as verbs
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.routing.config import LONGEST_CONFIG
from anykey.storage.configs import ConfigRow

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
file_argument = click.argument("file", type=click.File("rb"), metavar="FILE|-")


@click.group(cls=SpokenGroup, help=say("cli.commands.configs"))
def configs() -> None:
    """Nothing of its own: a command follows."""


@configs.command(help=say("cli.configs.put"))
@click.argument("name", metavar="NAME")
@file_argument
def put(name: str, file: BinaryIO) -> None:
    """Keep a config; a gateway that is running uses it within a second or two."""
    done = verbs.put_config(open_home(), name, file.read(LONGEST_CONFIG + 1), actor=local_actor())
    click.echo(say("cli.configs.kept" if done.new else "cli.configs.same", reference=done.row.reference))
    _tell(done.notes)


@configs.command("list", help=say("cli.configs.list"))
@json_option
def list_(as_json: bool) -> None:
    """Print the newest version of each."""
    found = verbs.list_configs(open_home())
    if as_json:
        print_json([_public(row) for row in found])
    elif not found:
        click.echo(say("cli.configs.none"))
    else:
        print_table(("name", "version", "created"), [(r.name, r.version, local_time(r.created_at)) for r in found])


@configs.command(help=say("cli.configs.show"))
@click.argument("reference", metavar="NAME[@VERSION]")
def show(reference: str) -> None:
    """Print a config's JSON."""
    click.echo(verbs.find_config(open_home(), reference).body)


@configs.command(help=say("cli.configs.delete"))
@click.argument("name", metavar="NAME")
def delete(name: str) -> None:
    """Forget a config."""
    count = verbs.delete_config(open_home(), name, actor=local_actor())
    click.echo(say("cli.configs.deleted", name=name, count=count))


@configs.command(help=say("cli.configs.check"))
@file_argument
def check(file: BinaryIO) -> None:
    """Say whether a config can be meant."""
    notes = verbs.check_config(file.read(LONGEST_CONFIG + 1))
    click.echo(say("cli.configs.well"))
    _tell(notes)


def _tell(notes: tuple[str, ...]) -> None:
    for note in notes:
        click.echo(say("cli.configs.note", note=note), err=True)


def _public(row: ConfigRow) -> dict[str, object]:
    return {"name": row.name, "version": row.version, "created_at": row.created_at, "body": row.body}
