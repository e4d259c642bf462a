"""`anykey losses`: what translations lost, each loss with its place and reason."""

from collections.abc import Iterator

import click

from anykey.administration.losses import exchanges_that_lost
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenCommand
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.records import ExchangeRow

_COLUMNS = ("time", "id", "protocols", "model", "side", "effect", "place", "reason")
_SHOWN = ("id", "at", "client", "client_protocol", "upstream_protocol", "deployment", "model_asked", "loss_details")


@click.command(cls=SpokenCommand, help=say("cli.commands.losses"))
@click.option("--request", "request_id", metavar="ID", help=say("cli.losses.request"))
@click.option("--model", metavar="NAME", help=say("cli.losses.model"))
@click.option("--last", default=20, type=click.IntRange(1, 10_000), metavar="N", help=say("cli.losses.last"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def losses(request_id: str | None, model: str | None, last: int, as_json: bool) -> None:
    """Print what was lost."""
    found = exchanges_that_lost(open_home(), last, request_id=request_id, model=model)
    if as_json:
        print_json([{name: getattr(row, name) for name in _SHOWN} for row in found])
    elif not found:
        click.echo(say("cli.losses.none"))
    else:
        print_table(_COLUMNS, [line for row in found for line in _lines(row)])


def _lines(row: ExchangeRow) -> Iterator[tuple[object, ...]]:
    """One line a loss; the exchange is told on its first. Rows of releases that kept only codes have those."""
    crossing = f"{row.client_protocol} → {row.upstream_protocol}"
    head: tuple[object, ...] = (local_time(row.at / 1000), row.id, crossing, row.model_asked)
    details = [(loss.side, loss.kind, loss.path, loss.reason) for loss in row.loss_details or ()]
    for line in details or [("", *code.partition(":")[::2], "") for code in row.losses]:
        yield (*head, *line)
        head = ("", "", "", "")
