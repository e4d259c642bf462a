"""`anykey import`: take over what another gateway was told."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from anykey.administration.importing.litellm import LARGEST_FILE, read_litellm
from anykey.administration.importing.new_api import Family, read_new_api
from anykey.administration.importing.new_api_dump import read_dump
from anykey.administration.importing.putting import Done, Prepared, prepare_import, put_import
from anykey.administration.importing.records import Imported, Note
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home, refusing
from anykey.cli.form import SpokenGroup
from anykey.cli.output import print_json
from anykey.language import say
from anykey.settings import home_directory

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
file_argument = click.argument("file", type=_FILE, metavar="FILE")
files_argument = click.argument("files", type=_FILE, metavar="FILE...", nargs=-1, required=True)
dry_run_option = click.option("--dry-run", is_flag=True, help=say("cli.import.dry_run"))
json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))


@click.group("import", cls=SpokenGroup, help=say("cli.commands.import"))
def import_() -> None:
    """Nothing of its own: a command follows."""


@import_.command(help=say("cli.import.litellm"))
@file_argument
@dry_run_option
@json_option
def litellm(file: Path, dry_run: bool, as_json: bool) -> None:
    """Read a `config.yaml` of LiteLLM."""
    with file.open("rb") as opened:
        text = opened.read(LARGEST_FILE + 1)
    take_over(read_litellm(text, os.environ), dry_run=dry_run, as_json=as_json)


@import_.command("new-api", help=say("cli.import.new_api"))
@files_argument
@dry_run_option
@json_option
def new_api(files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Read dumps of new-api."""
    _take_over_dumps("new-api", files, dry_run=dry_run, as_json=as_json)


@import_.command("one-api", help=say("cli.import.one_api"))
@files_argument
@dry_run_option
@json_option
def one_api(files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Read dumps of one-api."""
    _take_over_dumps("one-api", files, dry_run=dry_run, as_json=as_json)


def take_over(imported: Imported, *, dry_run: bool, as_json: bool) -> None:
    """Put it to use, or show what it would come to; what was not taken is told in both cases."""
    today = datetime.now(UTC).date()
    with refusing():
        if dry_run:
            prepared = prepare_import(imported, home_directory(os.environ), os.environ, today)
            _show(prepared, as_json=as_json)
            return
        home = open_home()
        done = put_import(home, prepare_import(imported, home.path, os.environ, today), actor=local_actor())
    if as_json:
        print_json(done)
        return
    _tell(done)


def _take_over_dumps(family: Family, files: tuple[Path, ...], *, dry_run: bool, as_json: bool) -> None:
    now_s = int(datetime.now(UTC).timestamp())
    take_over(read_new_api(read_dump(files), family, now_s), dry_run=dry_run, as_json=as_json)


def _show(prepared: Prepared, *, as_json: bool) -> None:
    imported = prepared.imported
    if as_json:
        print_json(
            {
                "file": str(prepared.file),
                "text": prepared.added,
                "rate_cards": imported.rate_cards,
                "keys": imported.keys,
                "notes": imported.notes,
            }
        )
        return
    click.echo(prepared.added, nl=False)
    for card in imported.rate_cards:
        click.echo(say("cli.import.card", model=card["model"]))
    for key in imported.keys:
        click.echo(say("cli.import.key", name=key.name))
    _tell_notes(imported.notes)


def _tell(done: Done) -> None:
    for name in done.models:
        click.echo(say("cli.import.model", name=name))
    click.echo(
        say(
            "cli.import.done",
            providers=len(done.providers),
            models=len(done.models),
            credentials=len(done.credentials),
            cards=len(done.rate_cards),
            keys=len(done.keys),
            file=done.file,
        )
    )
    for key in done.keys:
        click.echo(f"{key.name}\t{key.id}\t{key.text}")
    if done.keys:
        click.echo(say("cli.import.shown_once"), err=True)
    _tell_notes(done.notes)


def _tell_notes(notes: tuple[Note, ...]) -> None:
    for note in notes:
        click.echo(f"{_plain(note.place)}: {_plain(say(note.code, **note.values))}", err=True)


def _plain(text: str) -> str:
    """Names come from the file: none of them moves the cursor."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
