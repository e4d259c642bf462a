"""`anykey usage`: totals, or the most recent exchanges."""

from typing import TypedDict, Unpack, get_args

import click

from anykey.administration.requests import row_fields
from anykey.administration.usage import Grouping, recent, totals, usage_filter
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenCommand
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.exchanges import BY_METADATA, UsageTotal
from anykey.storage.records import ExchangeRow


class _Which(TypedDict):
    """The options that say which exchanges count."""

    key: str | None
    model: str | None
    metadata: tuple[str, ...]


class _By(click.Choice[str]):
    """One of the choices, or `metadata.NAME`."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it was given."""
        named = value.startswith(BY_METADATA) and value != BY_METADATA
        return value if named else super().convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """All that can be said."""
        choices = super().get_metavar(param, ctx)
        return choices and f"{choices.removesuffix(']')}|{BY_METADATA}NAME]"


@click.command(cls=SpokenCommand, help=say("cli.commands.usage"))
@click.option("--since", default="7d", metavar="PERIOD", help=say("cli.usage.since"))
@click.option("--by", type=_By(get_args(Grouping)), default="model", help=say("cli.usage.by"))
@click.option("--recent", "last", type=click.IntRange(1, 10_000), metavar="N", help=say("cli.usage.recent"))
@click.option("--key", metavar="ID", help=say("cli.usage.key"))
@click.option("--model", metavar="NAME", help=say("cli.usage.model"))
@click.option("--metadata", metavar="NAME=VALUE", multiple=True, help=say("cli.usage.metadata"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def usage(since: str, by: str, last: int | None, *, as_json: bool, **which: Unpack[_Which]) -> None:
    """Print what was used."""
    home = open_home()
    only = usage_filter(home, since, **which)
    found = totals(home, by, only) if last is None else recent(home, last, only)
    if as_json:
        print_json([row if isinstance(row, UsageTotal) else row_fields(row) for row in found])
    elif not found:
        click.echo(say("cli.usage.none"))
    else:
        _print(by, found)


def _print(by: str, found: list[UsageTotal] | list[ExchangeRow]) -> None:
    sums = ("exchanges", "failures", "input", "cache_read", "cache_write", "output", "reasoning")
    calls = ("time", "client", "protocols", "model", "tokens", "finish", "status", "losses", "ms")
    grouped = "metadata" if by.startswith(BY_METADATA) else by
    columns = (grouped, *sums) if isinstance(found[0], UsageTotal) else calls
    print_table(columns, [_total(row) if isinstance(row, UsageTotal) else _exchange(row) for row in found])


def _total(row: UsageTotal) -> tuple[object, ...]:
    return (
        row.group,
        row.exchanges,
        row.failures,
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write_tokens,
        row.output_tokens,
        row.reasoning_tokens,
    )


def _exchange(row: ExchangeRow) -> tuple[object, ...]:
    read = row.input_tokens + row.cache_read_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens
    first = "-" if row.first_token_ms is None else row.first_token_ms
    return (
        local_time(row.at / 1000),
        row.client,
        _arrow(row.client_protocol, row.upstream_protocol),
        _arrow(row.model_asked, row.deployment),
        f"{read}/{row.output_tokens + row.reasoning_tokens}",
        row.failure or row.finish,
        row.status,
        ", ".join(row.losses) or None,
        f"{first}/{row.total_ms}",
    )


def _arrow(asked: str, used: str | None) -> str:
    return asked if used in (None, asked) else f"{asked} → {used}"
