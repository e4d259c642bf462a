"""`anykey providers`: who is configured, where, and whether with a credential. Never the credential."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from anykey.cli.configuration import config_option, read_settings
from anykey.cli.form import SpokenCommand
from anykey.cli.output import print_json, print_table
from anykey.language import language, say
from anykey.providers.configured import ProviderSettings


@click.command(cls=SpokenCommand, help=say("cli.commands.providers"))
@config_option
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def providers(config: Path | None, as_json: bool) -> None:
    """Print the providers, a line for each of their doors."""
    found = read_settings(config).providers
    if as_json:
        print_json([_described(provider) for provider in found])
    elif not found:
        click.echo(say("cli.providers.none"))
    else:
        columns = ("provider", "vendor", "origin", "credential", "protocols", "endpoint")
        print_table(columns, [row for provider in found for row in _rows(provider)])


def _described(provider: ProviderSettings) -> dict[str, Any]:
    return {
        "name": provider.name,
        "kind": provider.kind.id,
        "vendor": _vendor(provider),
        "origin": provider.origin,
        "credential": provider.credential is not None,
        "endpoints": [
            {"protocol": door.protocol, "base_url": door.base_url, "lane": door.lane, "region": door.region}
            for door in provider.endpoints
        ],
        "models": provider.listed_models(),
    }


def _rows(provider: ProviderSettings) -> Iterator[tuple[str, ...]]:
    state = say("word.credential_set" if provider.credential else "word.credential_none")
    head = (provider.name, _vendor(provider), provider.origin, state)
    for door in provider.endpoints:
        yield (*head, door.protocol, door.base_url or say("word.inside"))
        head = ("",) * len(head)


def _vendor(provider: ProviderSettings) -> str:
    return provider.kind.names[language(os.environ)]
