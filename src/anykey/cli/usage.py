"""`anykey usage`: what was used, added up; the most recent calls; all of them for another program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from anykey.accounts.amounts import dollars
from anykey.administration.configuration import load_configuration
from anykey.administration.home import Home
from anykey.administration.keys import list_keys
from anykey.administration.requests import row_fields
from anykey.administration.routes import stored_snapshot
from anykey.administration.usage import begin_of, offset_of, usage_question
from anykey.administration.usage_export import Format, calls, line_fields, newest, shown, sums
from anykey.administration.usage_report import DIMENSIONS, UsageLine, UsageReport, report
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.money import Moment
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import SpokenError, say
from anykey.routing.snapshot import Snapshot
from anykey.settings import SettingsError
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_question import BY_METADATA, COLUMNS, UsageQuestion

_CHOSEN = tuple(name for name in COLUMNS if name != "answered")
_SUMS = (
    *("exchanges", "failures", "input", "cache_read", "cache_write", "output", "reasoning", "cost"),
    *("hit_rate", "miss_cost", "first_token_ms", "total_ms", "speed"),
)
_CALLS = ("time", "client", "protocols", "model", "tokens", "finish", "status", "losses", "ms", "cost")


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


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which calls count."""
    own = {"key": say("cli.usage.key"), "model": say("cli.usage.model"), "status": say("cli.usage.status")}
    options = [
        click.option("--since", default="7d", metavar="PERIOD", help=say("cli.usage.since")),
        click.option("--from", "begin", type=Moment(), metavar="TIME", help=say("cli.usage.from")),
        click.option("--to", "until", type=Moment(), metavar="TIME", help=say("cli.usage.to")),
        *(
            click.option(f"--{name}", multiple=True, metavar="NAME", help=own.get(name) or say("cli.usage.only"))
            for name in _CHOSEN
        ),
        click.option("--metadata", metavar="NAME=VALUE", multiple=True, help=say("cli.usage.metadata")),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=SpokenGroup, invoke_without_command=True, help=say("cli.commands.usage"))
@click.option("--by", type=_By(DIMENSIONS), multiple=True, default=("model",), help=say("cli.usage.by"))
@click.option("--recent", "last", type=click.IntRange(1, 10_000), metavar="N", help=say("cli.usage.recent"))
@click.option("--timezone", default="UTC", metavar="+HH:MM", help=say("cli.usage.timezone"))
@click.option("--json", "form", flag_value="json", help=say("cli.json"))
@click.option("--jsonl", "form", flag_value="jsonl", help=say("cli.usage.jsonl"))
@click.option("--csv", "form", flag_value="csv", help=say("cli.usage.csv"))
@_choosing
@click.pass_context
def usage(
    context: click.Context, by: tuple[str, ...], last: int | None, timezone: str, form: str | None, **which: Any
) -> None:
    """Without a command: print what was used."""
    if context.invoked_subcommand is not None:
        return
    home, offset = open_home(), offset_of(timezone)
    question = _question(home, by, offset, which)
    if last is not None:
        _print_calls(newest(home, question, last), form)
        return
    found = report(home, question, snapshot=_snapshot(home))
    if found.complete_from_ms is not None:
        click.echo(say("cli.usage.incomplete", since=local_time(found.complete_from_ms / 1000)), err=True)
    if form == "json":
        print_json([line_fields(line, offset) for line in found.lines])
    elif form is not None:
        _write(sums(found, "csv" if form == "csv" else "jsonl", offset))
    elif not found.lines:
        click.echo(say("cli.usage.none"))
    else:
        _print_sums(home, question, found, offset)


@usage.command(help=say("cli.usage.export"))
@click.option("--format", "form", type=click.Choice(("csv", "jsonl")), default="csv", help=say("cli.usage.format"))
@_choosing
def export(form: Format, **which: Any) -> None:
    """Write every call to standard output."""
    home = open_home()
    _write(calls(home, _question(home, (), 0, which), form))


def _question(home: Home, by: Iterable[str], offset_ms: int, which: Mapping[str, Any]) -> UsageQuestion:
    begin: int | None = which["begin"]
    until: int | None = which["until"]
    since_ms = begin_of(which["since"]) if begin is None else begin * 1000
    where: dict[str, tuple[str, ...]] = {name: which[name] for name in _CHOSEN}
    span = (since_ms, None if until is None else until * 1000)
    return usage_question(home, span, by=by, where=where, metadata=which["metadata"], offset_ms=offset_ms)


def _snapshot(home: Home) -> Snapshot | None:
    """For list prices. A configuration that cannot be read must not keep anybody from what was used."""
    try:
        return stored_snapshot(home, load_configuration(os.environ, None))
    except (SettingsError, SpokenError):
        return None


def _write(pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _print_sums(home: Home, question: UsageQuestion, found: UsageReport, offset_ms: int) -> None:
    keys = {key.id: f"{key.name} ({key.id})" for key in list_keys(home)} if "key" in question.by else {}
    columns = ["metadata" if name.startswith(BY_METADATA) else name for name in question.by]
    print_table((*columns, *_SUMS), [_sum(line, keys, offset_ms) for line in found.lines])
    unknown = sum(line.misses.unknown_tokens for line in found.lines)
    unpriced = sum(line.sums.unpriced for line in found.lines)
    estimated = sum(line.sums.estimated for line in found.lines)
    if unpriced or unknown or estimated:
        click.echo(say("cli.usage.notes", unpriced=unpriced, estimated=estimated, unknown=unknown))


def _sum(line: UsageLine, keys: dict[str, str], offset_ms: int) -> tuple[object, ...]:
    one = line.sums
    names = [shown(name, value, offset_ms) for name, value in line.group.items()]
    return (
        *(name if name is None else keys.get(name, name) for name in names),
        one.exchanges,
        one.failures,
        one.input_tokens,
        one.cache_read_tokens,
        one.cache_write_5m_tokens + one.cache_write_1h_tokens,
        one.output_tokens,
        one.reasoning_tokens,
        dollars(one.cost_nano),
        None if line.cache_hit_rate is None else f"{line.cache_hit_rate:.0%}",
        dollars(line.misses.cost_nano),
        f"{_ms(line.first_token.p50_ms)}/{_ms(line.first_token.p95_ms)}",
        f"{_ms(line.total.p50_ms)}/{_ms(line.total.p95_ms)}",
        None if line.tokens_per_second is None else f"{line.tokens_per_second:.0f}",
    )


def _ms(value: int | None) -> str:
    return "-" if value is None else str(value)


def _print_calls(rows: list[ExchangeRow], form: str | None) -> None:
    if form is not None:
        print_json([row_fields(row) for row in rows])
    elif not rows:
        click.echo(say("cli.usage.none"))
    else:
        print_table(_CALLS, [_call(row) for row in rows])


def _call(row: ExchangeRow) -> tuple[object, ...]:
    read = row.input_tokens + row.cache_read_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens
    return (
        local_time(row.at / 1000),
        row.client,
        _arrow(row.client_protocol, row.upstream_protocol),
        _arrow(row.model_asked, row.deployment),
        f"{read}/{row.output_tokens + row.reasoning_tokens}",
        row.failure or row.finish,
        row.status,
        ", ".join(row.losses) or None,
        f"{_ms(row.first_token_ms)}/{row.total_ms}",
        None if row.cost_nano is None else dollars(row.cost_nano),
    )


def _arrow(asked: str, used: str | None) -> str:
    return asked if used in (None, asked) else f"{asked} → {used}"
