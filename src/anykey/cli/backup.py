"""`anykey backup` and `anykey restore`: keep a copy of everything, and put it back."""

import os
from pathlib import Path

import click

from anykey.administration import backup as verbs
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home, refusing
from anykey.cli.form import SpokenCommand
from anykey.cli.output import print_json
from anykey.language import say
from anykey.settings import find_database, home_directory
from anykey.storage.migrate import locate_database

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))


@click.command(cls=SpokenCommand, help=say("cli.commands.backup"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--with-keys", is_flag=True, help=say("cli.backup.with_keys"))
@json_option
def backup(file: Path, with_keys: bool, as_json: bool) -> None:
    """Copy the database to FILE while the gateway goes on."""
    done = verbs.back_up(open_home(), file, with_keys=with_keys, actor=local_actor())
    if as_json:
        print_json(done)
        return
    click.echo(say("cli.backup.done", file=done.file, bytes=f"{done.bytes:,}"))
    for name in done.keys:
        click.echo(say("cli.backup.key", file=name))
    if not done.keys:
        click.echo(say("cli.backup.no_keys"), err=True)


@click.command(cls=SpokenCommand, help=say("cli.commands.restore"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--force", is_flag=True, help=say("cli.backup.force"))
@json_option
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Put a copy in the place of the database."""
    with refusing():
        url = find_database(os.environ)
    path = home_directory(os.environ)
    database = locate_database(path, url and url.reveal())
    done = verbs.restore(path, file, database=database, environ=os.environ, force=force)
    open_home()  # brings the schema up to date, and says so where the keys do not fit
    if as_json:
        print_json(done)
        return
    click.echo(say("cli.backup.restored", file=done.database))
    if done.aside is not None:
        click.echo(say("cli.backup.aside", file=done.aside))
    for name in done.keys:
        click.echo(say("cli.backup.key", file=path / name))
