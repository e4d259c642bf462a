"""`anykey catalogue`: what is known of models, from where, and how to bring it up to date."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from anykey.administration.catalogue import (
    SourceUpdate,
    export_catalogue,
    find_models,
    list_sources,
    update_from_files,
    update_from_index,
)
from anykey.administration.model_sources.package_index import index_of
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.models import described, json_option
from anykey.cli.output import print_json, print_table
from anykey.language import say
from anykey.providers.models import ModelFacts, Rates, usd_per_million

_LEVELS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")


@click.command(cls=SpokenGroup, help=say("cli.commands.catalogue"))
def catalogue() -> None:
    """Nothing of its own: a command follows."""


@catalogue.command(help=say("cli.catalogue.update"))
@click.option("--index-url", metavar="URL", help=say("cli.catalogue.index"))
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help=say("cli.catalogue.from"),
)
@json_option
def update(index_url: str | None, files: tuple[Path, ...], as_json: bool) -> None:
    """Import the newest data, or the given files, and print what changed."""
    home, today = open_home(), datetime.now(UTC).date()
    updates: list[SourceUpdate] = (
        update_from_files(home, files, today, actor=local_actor())
        if files
        else update_from_index(home, index_url or index_of(os.environ), os.environ, today, actor=local_actor())
    )
    if as_json:
        print_json(updates)
    else:
        columns = ("source", "file", "models", "changed", "observed")
        print_table(columns, [(one.source, one.file, one.models, one.changed, one.observed_on) for one in updates])


@catalogue.command(help=say("cli.catalogue.show"))
@click.argument("model", metavar="MODEL")
@json_option
def show(model: str, as_json: bool) -> None:
    """Print all that is known of a model, at each vendor that has it, and what each source said when."""
    found = find_models(open_home(), model)
    if as_json:
        print_json(
            [
                {
                    "vendor": one.facts.vendor,
                    "model": one.facts.model,
                    **described(one.facts),
                    "rows": [{**described(row.facts), "source": row.source} for row in one.rows],
                }
                for one in found
            ]
        )
        return
    for one in found:
        click.echo(_told(one.facts))
        if one.rows:
            print_table(
                ("observed", "source", "input", "cache_read", "output"),
                [(row.facts.observed_on, row.source, *_few_prices(row.facts)) for row in one.rows],
            )


@catalogue.command(help=say("cli.catalogue.sources"))
@json_option
def sources(as_json: bool) -> None:
    """Print the sources, the weightiest first."""
    found = list_sources(open_home())
    if as_json:
        print_json(found)
    else:
        columns = ("source", "models", "observed", "licence", "endpoint")
        rows = [(one.source, one.models, one.observed_on, one.licence or None, one.home or None) for one in found]
        print_table(columns, rows)


@catalogue.command(help=say("cli.catalogue.export"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
def export(folder: Path) -> None:
    """Write what was imported, a file for each vendor."""
    click.echo(say("cli.catalogue.exported", count=export_catalogue(open_home(), folder), folder=folder))


def _told(facts: ModelFacts) -> str:
    """A paragraph: the name, then a line for each thing that is known."""
    known = {
        "context": facts.context_tokens,
        "max_output": facts.max_output_tokens,
        "abilities": ", ".join(facts.abilities),
        "released": facts.released_on,
        "deprecated": facts.deprecated_on,
        "source": f"{facts.source} ({facts.observed_on})",
    }
    lines = [f"{facts.vendor}/{facts.model}"]
    lines += [f"  {say(f'column.{name}')}: {value}" for name, value in known.items() if value]
    if facts.prices is not None:
        lines.append(f"  {say('cli.catalogue.prices')}: {_prices(facts.prices)}")
        lines += [
            f"  {say('cli.catalogue.over', tokens=tier.over_tokens)}: {_prices(tier)}" for tier in facts.prices.tiers
        ]
    return "\n".join(lines)


def _prices(rates: Rates) -> str:
    told = ((name, getattr(rates, name)) for name in _LEVELS)
    return ", ".join(f"{name} {usd_per_million(price)}" for name, price in told if price is not None)


def _few_prices(facts: ModelFacts) -> tuple[str | None, ...]:
    prices = facts.prices
    levels = (None, None, None) if prices is None else (prices.input, prices.cache_read, prices.output)
    return tuple(None if price is None else usd_per_million(price) for price in levels)
