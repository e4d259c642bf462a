"""`anykey webhooks`: whom to tell of a low balance or a budget that is nearly used up."""

import click
import msgspec

from anykey.administration import webhooks as verbs
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.money import json_option, organisation_option
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.alerts import EVENTS
from anykey.storage.webhooks import WebhookRow


@click.group(cls=SpokenGroup, help=say("cli.commands.webhooks"))
def webhooks() -> None:
    """Nothing of its own: a command follows."""


@webhooks.command(help=say("cli.webhooks.create"))
@click.argument("url", metavar="URL")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help=say("cli.webhooks.event"))
@organisation_option
@json_option
def create(url: str, events: tuple[str, ...], organisation: str | None, as_json: bool) -> None:
    """Print the secret; it is the last line, so that it is easy to copy."""
    made = verbs.create_webhook(open_home(), url, events or EVENTS, organisation=organisation, actor=local_actor())
    if as_json:
        print_json({**msgspec.structs.asdict(made.row), "secret": made.secret})
        return
    click.echo(say("cli.webhooks.created", id=made.row.id), err=True)
    click.echo(made.secret)


@webhooks.command("list", help=say("cli.webhooks.list"))
@json_option
def list_(as_json: bool) -> None:
    """Print all webhooks."""
    found = verbs.list_webhooks(open_home())
    if as_json:
        print_json(found)
    elif not found:
        click.echo(say("cli.webhooks.none"))
    else:
        print_table(("id", "organisation", "endpoint", "events", "created", "state"), map(_row, found))


@webhooks.command(help=say("cli.webhooks.disable"))
@click.argument("webhook", metavar="ID")
def disable(webhook: str) -> None:
    """Tell it nothing more."""
    verbs.disable_webhook(open_home(), webhook, actor=local_actor())
    click.echo(say("cli.webhooks.disabled", id=webhook))


def _row(row: WebhookRow) -> tuple[str | None, ...]:
    state = "word.active" if row.disabled_at is None else "word.disabled"
    return row.id, row.organisation, row.url, ", ".join(row.events), local_time(row.created_at), say(state)
