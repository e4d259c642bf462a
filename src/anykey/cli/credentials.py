"""`anykey credentials`: store providers' credentials, sealed. A value is never read from the command line, and never shown."""

import os
import sys
from collections.abc import Collection
from pathlib import Path

import click

from anykey.administration import credentials as verbs
from anykey.administration.master_key import key_in
from anykey.cli.actor import local_actor
from anykey.cli.configuration import config_option, open_home, refusing
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.settings import Settings, load_settings
from anykey.storage.configuration import CredentialRow

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
weight_type = click.IntRange(1, verbs.WEIGHT_MAX)
file_type = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=SpokenGroup, help=say("cli.commands.credentials"))
def credentials() -> None:
    """Nothing of its own: a command follows."""


@credentials.command(help=say("cli.credentials.add"))
@click.argument("words", nargs=-1, required=True, metavar="PROVIDER")
@click.option("--label", metavar="LABEL", help=say("cli.credentials.label"))
@click.option("--weight", type=weight_type, default=1, metavar="N", help=say("cli.credentials.of_weight"))
@click.option("--from-env", "variable", metavar="NAME", help=say("cli.credentials.from_env"))
@click.option("--from-file", "file", type=file_type, metavar="FILE", help=say("cli.credentials.from_file"))
@config_option
def add(
    words: tuple[str, ...],
    label: str | None,
    weight: int,
    variable: str | None,
    file: Path | None,
    config: Path | None,
) -> None:
    """Store one credential; a gateway that is running uses it within a second or two."""
    provider, *bare = words
    if bare:  # most likely the credential itself, so it is not repeated
        raise click.UsageError(say("cli.credentials.bare"))
    home = open_home(config)
    settings = _settings(config, verbs.EVERY_PROVIDER)
    text = _text(provider, variable, file)
    row = verbs.add_credential(home, settings, provider, text, label=label, weight=weight, actor=local_actor())
    click.echo(say("cli.credentials.added", reference=row.reference, origin=verbs.origin_of_row(row)))


@credentials.command("list", help=say("cli.credentials.list"))
@json_option
def list_(as_json: bool) -> None:
    """Print the credentials and for what they were given, without anything that opens something."""
    found = verbs.list_credentials(open_home())
    if as_json:
        print_json([_public(row) for row in found])
    elif not found:
        click.echo(say("cli.credentials.none"))
    else:
        print_table(
            ("provider", "label", "weight", "scheme", "host", "last4", "created"),
            [(*_told(row), f"…{row.last4}" if row.last4 else None, local_time(row.created_at)) for row in found],
        )


@credentials.command(help=say("cli.credentials.remove"))
@click.argument("credential", metavar="CREDENTIAL")
def remove(credential: str) -> None:
    """Forget one credential."""
    row = verbs.remove_credential(open_home(), credential, actor=local_actor())
    click.echo(say("cli.credentials.removed", reference=row.reference))


@credentials.command(help=say("cli.credentials.weight"))
@click.argument("credential", metavar="CREDENTIAL")
@click.argument("weight", type=weight_type, metavar="N")
def weight(credential: str, weight: int) -> None:
    """Weigh one credential."""
    row = verbs.weigh_credential(open_home(), credential, weight, actor=local_actor())
    click.echo(say("cli.credentials.weighed", reference=row.reference, weight=row.weight))


@credentials.command(help=say("cli.credentials.check"))
@config_option
@json_option
def check(config: Path | None, as_json: bool) -> int:
    """Say of each credential whether it can be used; exit code 1 if one cannot."""
    home = open_home(config)
    owners = {row.provider for row in verbs.list_credentials(home)}
    found = verbs.check_credentials(home, _settings(config, owners))
    states = [None if one.fault is None else say(one.fault[0], **one.fault[1]) for one in found]
    if as_json:
        print_json([{**_public(one.row), "problem": state} for one, state in zip(found, states, strict=True)])
    elif not found:
        click.echo(say("cli.credentials.none"))
    else:
        rows = zip(found, states, strict=True)
        told = [(one.row.reference, one.row.host, state or say("word.credential_well")) for one, state in rows]
        print_table(("credential", "host", "state"), told)
    return int(any(state is not None for state in states))


@credentials.command("rotate-master-key", help=say("cli.credentials.rotate"))
@click.option("--new-from-env", "variable", metavar="NAME", help=say("cli.credentials.new_from_env"))
@click.option("--new-from-file", "file", type=file_type, metavar="FILE", help=say("cli.credentials.new_from_file"))
def rotate_master_key(variable: str | None, file: Path | None) -> None:
    """Seal all credentials under another master key: one made here, or the one given."""
    home = open_home()
    source = _one(variable, file)
    if source is None:
        click.echo(say("cli.credentials.rotated", count=verbs.rotate_master_key(home, actor=local_actor())))
    else:
        count = verbs.rotate_master_key(home, key_in(source, os.environ), actor=local_actor())
        click.echo(say("cli.credentials.rotated_given", count=count, origin=home.master_key.origin))


def _settings(config: Path | None, stored: Collection[str]) -> Settings:
    """The settings without the stored credentials, which need not be whole for this."""
    with refusing():
        return load_settings(os.environ, config, stored)


def _text(provider: str, variable: str | None, file: Path | None) -> str:
    """The credential, from the one source that was given; without one, from standard input."""
    source = _one(variable, file)
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return stream.read(verbs.TEXT_BYTES_MAX + 1).decode("utf-8", "replace")
    if source is not None:
        text = os.environ.get(source, "")
        if not text.strip():
            raise click.UsageError(say("cli.credentials.not_set"))  # not named: it may be the credential itself
        return text
    if sys.stdin.isatty():
        return str(click.prompt(say("cli.credentials.ask", provider=provider), hide_input=True, err=True))
    return sys.stdin.read(verbs.TEXT_BYTES_MAX + 1)


def _one(variable: str | None, file: Path | None) -> str | Path | None:
    if variable is not None and file is not None:
        raise click.UsageError(say("cli.credentials.one_source"))
    return variable if file is None else file


def _told(row: CredentialRow) -> tuple[str, str, int, str, str]:
    return row.provider, row.label, row.weight, row.scheme, verbs.origin_of_row(row).authority


def _public(row: CredentialRow) -> dict[str, str | int]:
    return {
        "provider": row.provider,
        "label": row.label,
        "weight": row.weight,
        "scheme": row.scheme,
        "host": row.host,
        "port": row.port,
        "last4": row.last4,
        "created_at": row.created_at,
    }
