"""`anykey models`: the names that can be asked for."""

from pathlib import Path

import click

from anykey.cli.configuration import config_option, read_settings
from anykey.cli.form import SpokenCommand
from anykey.cli.output import print_json, print_table
from anykey.language import say
from anykey.routing.snapshot import build_snapshot, list_models


@click.command(cls=SpokenCommand, help=say("cli.commands.models"))
@config_option
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def models(config: Path | None, as_json: bool) -> None:
    """Print the public names first, then each provider's models."""
    entries = list_models(build_snapshot(read_settings(config)))
    if as_json:
        print_json(entries)
    elif not entries:
        click.echo(say("cli.models.none"))
    else:
        print_table(
            ("model", "provider", "kind", "protocols"),
            [(entry.id, entry.provider, entry.owned_by, ", ".join(entry.protocols)) for entry in entries],
        )
