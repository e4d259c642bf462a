"""`anykey usage`: totals, or the most recent exchanges."""

from typing import get_args

import click

from anykey.administration.usage import Grouping, recent, totals, usage_filter
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenCommand
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.exchanges import UsageTotal
from anykey.storage.records import ExchangeRow


@click.command(cls=SpokenCommand, help=say("cli.commands.usage"))
@click.option("--since", default="7d", metavar="PERIOD", help=say("cli.usage.since"))
@click.option("--by", type=click.Choice(get_args(Grouping)), default="model", help=say("cli.usage.by"))
@click.option("--recent", "last", type=click.IntRange(1, 10_000), metavar="N", help=say("cli.usage.recent"))
@click.option("--key", metavar="ID", help=say("cli.usage.key"))
@click.option("--model", metavar="NAME", help=say("cli.usage.model"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def usage(since: str, by: Grouping, last: int | None, key: str | None, model: str | None, as_json: bool) -> None:
    """Print what was used."""
    home = open_home()
    only = usage_filter(home, since, key, model)
    found = totals(home, by, only) if last is None else recent(home, last, only)
    if as_json:
        print_json(found)
    elif not found:
        click.echo(say("cli.usage.none"))
    else:
        _print(by, found)


def _print(by: Grouping, found: list[UsageTotal] | list[ExchangeRow]) -> None:
    sums = ("exchanges", "failures", "input", "cache_read", "cache_write", "output", "reasoning")
    calls = ("time", "client", "protocols", "model", "tokens", "finish", "status", "losses", "ms")
    columns = (by, *sums) if isinstance(found[0], UsageTotal) else calls
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
