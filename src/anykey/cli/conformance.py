"""`anykey conformance`: ask a gateway, ours or another, what its clients would ask, and print which promises it keeps."""

import asyncio
import os
import sys

import click
import msgspec

from anykey.cli.form import SpokenCommand
from anykey.cli.output import print_json, print_table
from anykey.conformance.line import Line
from anykey.conformance.matrix import as_markdown, matrix_rows, notes, protocols_of
from anykey.conformance.records import Cell, Report
from anykey.conformance.run import CALLS, PROTOCOLS, KeyRefused, NoModel, run_conformance
from anykey.conversation.parts import ProtocolName
from anykey.language import SpokenError, say
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.proxy import ProxySettings
from anykey.upstream.request import parse_target


def _address(_: click.Context, __: click.Parameter, url: str) -> str:
    try:
        parse_target(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return url


@click.command(cls=SpokenCommand, help=say("cli.conformance.help", calls=CALLS))
@click.option("--against", "url", required=True, callback=_address, metavar="URL", help=say("cli.conformance.against"))
@click.option("--key", envvar="ANYKEY_API_KEY", required=True, metavar="KEY", help=say("cli.conformance.key"))
@click.option("--model", metavar="NAME", help=say("cli.conformance.model"))
@click.option(
    "--protocol", "protocols", type=click.Choice(PROTOCOLS), multiple=True, help=say("cli.conformance.protocol")
)
@click.option(
    "--timeout", type=click.FloatRange(1, 3600), default=60.0, metavar="S", help=say("cli.conformance.timeout")
)
@click.option("--json", "form", flag_value="json", help=say("cli.json"))
@click.option("--markdown", "form", flag_value="markdown", help=say("cli.conformance.markdown"))
def conformance(
    url: str, key: str, model: str | None, protocols: tuple[ProtocolName, ...], timeout: float, form: str | None
) -> int:
    """Ask everything and print the matrix. Returns 0 if nothing failed, else 1."""
    report = asyncio.run(_asked(url, key, model, protocols or PROTOCOLS, timeout))
    if form == "json":
        counts = {"kept": report.kept, "counts": report.counts()}
        print_json(msgspec.to_builtins(report) | counts)
    elif form == "markdown":
        click.echo(as_markdown(report))
    else:
        _print(report)
    return 0 if report.kept else 1


async def _asked(
    url: str, key: str, model: str | None, protocols: tuple[ProtocolName, ...], timeout_s: float
) -> Report:
    """The report; what keeps it from being made is said in the user's language."""
    client = UpstreamClient(proxies=ProxySettings.from_environment(os.environ))
    try:
        return await run_conformance(Line(client, url, key, timeout_s), model, protocols, _tick)
    except KeyRefused as error:
        raise SpokenError("cli.conformance.key_refused", url=url, reason=error) from error
    except NoModel as error:
        raise SpokenError("cli.conformance.no_model", url=url, reason=error) from error
    except UpstreamError as error:
        raise SpokenError("cli.conformance.unreachable", url=url, reason=error) from error
    finally:
        _tick(None)
        await client.aclose()


def _tick(cell: Cell | None) -> None:
    """A sign of life for whoever waits at a terminal: a dot a cell, a new line at the end."""
    if sys.stderr.isatty():
        click.echo("\n" if cell is None else ".", err=True, nl=False)


def _print(report: Report) -> None:
    click.echo(say("cli.conformance.title", url=report.url, model=report.model, calls=report.calls))
    print_table(("feature", *protocols_of(report)), matrix_rows(report))
    click.echo(say("cli.conformance.legend"))
    counts = report.counts()
    click.echo(say("cli.conformance.counts", passed=counts["pass"], failed=counts["fail"], **counts))
    found = notes(report)
    if found:
        click.echo("\n" + say("cli.conformance.notes"))
        print_table(("outcome", "protocol", "feature", "request", "reason"), found)
