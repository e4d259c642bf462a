"""`anykey providers status` and `enable`: how the configured providers are doing, and how to forget what was held against one."""

from pathlib import Path

import click

from anykey.administration.health import HealthView, provider_health
from anykey.administration.health import enable as enable_name
from anykey.cli.actor import local_actor
from anykey.cli.configuration import config_option, open_home, read_settings, shared_valkey
from anykey.cli.form import SpokenCommand
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say

_COLUMNS = ("provider", "credential", "deployment", "state", "since", "until", "failure", "reason")


@click.command(cls=SpokenCommand, help=say("cli.providers.status"))
@config_option
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def status(config: Path | None, as_json: bool) -> None:
    """Print a line for each credential, and one for each deployment that is not well."""
    settings = read_settings(config)
    found = provider_health(open_home(config), settings.providers, settings.valkey)
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, map(_row, found))


@click.command(cls=SpokenCommand, help=say("cli.providers.enable"))
@click.argument("name", metavar="PROVIDER[#LABEL]")
def enable(name: str) -> None:
    """Use a provider or a credential again."""
    for view in enable_name(open_home(), name, actor=local_actor(), valkey=shared_valkey()):
        click.echo(say("cli.providers.enabled", name=view.deployment or view.credential, state=_state(view)))


def _row(view: HealthView) -> tuple[object, ...]:
    return (
        view.provider,
        view.credential,
        view.deployment,
        _state(view),
        None if view.since_ms is None else local_time(view.since_ms / 1000),
        None if view.until_ms is None else local_time(view.until_ms / 1000),
        view.failure,
        view.reason,
    )


def _state(view: HealthView) -> str:
    return say(f"health_state.{view.state}")
