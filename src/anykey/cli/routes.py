"""`anykey routes explain`: where a call would go and why. Nothing is sent."""

from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import click
import msgspec

from anykey.accounts.keys import ApiKey
from anykey.administration.keys import find_key
from anykey.administration.routes import NOBODY, explain_call, stored_snapshot, told
from anykey.cli.configuration import config_option, open_home, read_settings
from anykey.cli.form import SpokenGroup
from anykey.cli.output import print_json
from anykey.clients.recognise import recognise
from anykey.conversation.failures import FailureError
from anykey.conversation.parts import ProtocolName
from anykey.exchange.choosing import asked
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.steps import heed
from anykey.language import SpokenError, say
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Headers, RequestPath, header
from anykey.routing.groups import standing_of
from anykey.routing.plan import Unroutable

PROTOCOLS: dict[str, ProtocolName] = {
    "messages": "anthropic_messages",
    "chat": "openai_chat",
    "responses": "openai_responses",
    "gemini": "gemini_generate",
}
LARGEST_BODY = 64 * 1024 * 1024


class _Call(NamedTuple):
    """The call that is asked about."""

    model: str | None
    protocol: ProtocolName
    headers: Headers
    body: bytes
    roll: float


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
    settings, home = read_settings(config), open_home()
    body: BinaryIO | None = said["body"]
    headers = tuple(map(_header, said["headers"]))
    content = b"" if body is None else body.read(LARGEST_BODY)
    call = _Call(said["model"], PROTOCOLS[said["protocol"]], headers, content, said["roll"])
    snapshot = stored_snapshot(home, settings)
    caller = find_key(home, key) if key is not None else NOBODY
    exchange = _exchange(call, caller)
    try:
        ask = asked(exchange, standing_of(caller, snapshot).grant, snapshot)
    except FailureError as error:
        raise SpokenError("routes.refused", reason=error.failure.message) from error
    found = explain_call(home, snapshot, ask)
    if as_json:
        print_json(found)
    elif not isinstance(found, Unroutable):
        click.echo("\n".join(told(found)))
    if isinstance(found, Unroutable):
        raise SpokenError("routes.refused", reason=found.message)


def _exchange(call: _Call, key: ApiKey) -> Exchange:
    """The call as the gateway would see it: its body for what it says of itself, its headers for what they direct."""
    codec = CODECS[call.protocol]
    client = recognise(header(call.headers, b"user-agent"), header(call.headers, b"x-app"))
    path = RequestPath(call.model) if call.model is not None else RequestPath()
    exchange = Exchange("explain", Inbound(codec, call.headers, call.body or b"{}", client, path), 0.0, 0)
    exchange.key, exchange.roll = key, call.roll
    said = msgspec.Raw()
    try:
        if call.body:
            peek = codec.peek(call.body, path)
            exchange.model, exchange.stream, said = peek.model, bool(peek.stream), peek.metadata
        heed(exchange, said)
    except FailureError as error:
        raise SpokenError("routes.refused", reason=error.failure.message) from error
    exchange.model = call.model or exchange.model
    if not exchange.model:
        raise click.UsageError(say("cli.routes.no_model"))
    return exchange


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(say("cli.routes.not_a_header", found=text), param_hint="--header")
    return name.strip().lower().encode("latin-1", "replace"), value.strip().encode()
