"""`anykey routes explain`: where a call would go and why. Nothing is sent."""

from pathlib import Path
from typing import Any, BinaryIO

import click

from anykey.administration.keys import find_key
from anykey.administration.routes import explain_call, stored_snapshot, told
from anykey.cli.configuration import config_option, open_home, read_settings
from anykey.cli.form import SpokenGroup
from anykey.cli.output import print_json
from anykey.conversation.failures import FailureError
from anykey.exchange.explaining import NOBODY, PROTOCOLS, Supposed, supposed_ask
from anykey.language import SpokenError, say
from anykey.routing.plan import Unroutable

LARGEST_BODY = 64 * 1024 * 1024


@click.group(cls=SpokenGroup, help=say("cli.commands.routes"))
def routes() -> None:
    """Nothing of its own: a command follows."""


@routes.command(help=say("cli.routes.explain"))
@click.option("--model", metavar="NAME", help=say("cli.routes.model"))
@click.option("--key", metavar="ID", help=say("cli.routes.key"))
@click.option("--protocol", type=click.Choice(list(PROTOCOLS)), default="messages", help=say("cli.routes.protocol"))
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help=say("cli.routes.header"))
@click.option("--body", type=click.File("rb"), metavar="FILE", help=say("cli.routes.body"))
@click.option("--roll", type=click.FloatRange(0, 1, max_open=True), default=0.0, help=say("cli.routes.roll"))
@config_option
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def explain(key: str | None, config: Path | None, as_json: bool, **said: Any) -> None:
    """Print the plan. Exit code 1 where there is none."""
    settings, home = read_settings(config), open_home(config)
    body: BinaryIO | None = said["body"]
    headers = tuple(map(_header, said["headers"]))
    content = b"" if body is None else body.read(LARGEST_BODY)
    call = Supposed(PROTOCOLS[said["protocol"]], said["model"], headers, content, said["roll"])
    caller = find_key(home, key) if key is not None else NOBODY
    snapshot = stored_snapshot(home, settings)
    try:
        ask = supposed_ask(call, caller, snapshot)
    except FailureError as error:
        if error.failure.param == "model":
            raise click.UsageError(say("cli.routes.no_model")) from error
        raise SpokenError("routes.refused", reason=error.failure.message) from error
    found = explain_call(home, snapshot, ask, settings.valkey)
    if as_json:
        print_json(found)
    elif not isinstance(found, Unroutable):
        click.echo("\n".join(told(found)))
    if isinstance(found, Unroutable):
        raise SpokenError("routes.refused", reason=found.message)


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(say("cli.routes.not_a_header", found=text), param_hint="--header")
    return name.strip().lower().encode("latin-1", "replace"), value.strip().encode()
