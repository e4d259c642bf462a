"""`anykey export` and `anykey apply`: everything that operators set in the database, as one document."""

import json
import os
from pathlib import Path
from typing import Any

import click

from anykey.administration.credentials import EVERY_PROVIDER, list_credentials
from anykey.administration.declaring.applying import Applied, Around, apply_document
from anykey.administration.declaring.comparing import Change
from anykey.administration.declaring.document import LARGEST_DOCUMENT, document_text, read_document
from anykey.administration.declaring.reading import export_document
from anykey.administration.master_key import write_whole
from anykey.cli.actor import local_actor
from anykey.cli.configuration import config_option, open_home, refusing
from anykey.cli.form import SpokenCommand
from anykey.cli.output import print_json
from anykey.language import say
from anykey.settings import Settings, load_settings

WOULD_CHANGE = 3
"""The exit code of a dry run that shows a difference."""


@click.command(cls=SpokenCommand, help=say("cli.commands.export"))
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=say("cli.declaring.file"))
@click.option("--with-secrets", type=click.Choice(["no"]), default="no", help=say("cli.declaring.with_secrets"))
@config_option
def export(file: Path | None, with_secrets: str, config: Path | None) -> None:  # noqa: ARG001 - it has one value
    """Write the document."""
    home = open_home(config)
    text = document_text(export_document(home, actor=local_actor()), "" if file is None else file.name)
    if file is None:
        click.echo(text, nl=False)
    else:
        write_whole(file, text.encode())
    if count := len(list_credentials(home)):
        click.echo(say("cli.declaring.left_out", count=count), err=True)


@click.command(cls=SpokenCommand, help=say("cli.commands.apply"))
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=False),
    required=True,
    metavar="FILE",
    help=say("cli.declaring.from"),
)
@click.option("--dry-run", is_flag=True, help=say("cli.declaring.dry_run"))
@click.option("--prune", is_flag=True, help=say("cli.declaring.prune"))
@config_option
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def apply(file: Path, dry_run: bool, prune: bool, config: Path | None, as_json: bool) -> int:
    """Make the database as the document says; show what is (or would be) different."""
    with file.open("rb") as opened:
        document = read_document(opened.read(LARGEST_DOCUMENT + 1), file.name)

    def settings() -> Settings:
        with refusing():
            return load_settings(os.environ, config, EVERY_PROVIDER)

    around = Around(os.environ, file.parent, settings)
    done = apply_document(open_home(config), document, around, dry_run=dry_run, prune=prune, actor=local_actor())
    if as_json:
        print_json(done)
    else:
        _tell(done, dry_run=dry_run)
    return WOULD_CHANGE if dry_run and done.changes else 0


def _tell(done: Applied, *, dry_run: bool) -> None:
    for change in done.changes:
        click.echo(_line(change))
    if not done.changes:
        click.echo(say("cli.declaring.nothing"))
    elif not dry_run:
        click.echo(say("cli.declaring.done", count=len(done.changes)), err=True)
    if done.secrets:
        click.echo(say("cli.declaring.shown_once"), err=True)
    for secret in done.secrets:
        click.echo(f"{secret.path}\t{secret.text}")


def _line(change: Change) -> str:
    words = [change.sign, change.path]
    if change.sign == "~":
        words += [f"{change.field}:" if change.field else "", _shown(change.before), "->", _shown(change.after)]
    text = " ".join(word for word in words if word)
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=list)
