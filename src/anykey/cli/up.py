"""`anykey up`: start the gateway and say how to use it."""

import os
import sys
from pathlib import Path

import click

from anykey.administration.configuration import load_configuration
from anykey.administration.first_key import first_key
from anykey.administration.home import Home
from anykey.cli.configuration import SettingsRefused, config_option, open_home, read_settings
from anykey.cli.form import SpokenCommand
from anykey.clients.catalog import recipe
from anykey.language import SpokenError, say
from anykey.routing.building import build_snapshot
from anykey.routing.listing import list_models
from anykey.server.process import Address, Serving, bind, run
from anykey.server.workers import Workers
from anykey.settings import Settings
from anykey.settings.problems import Problem
from anykey.telemetry.logs import configure_logs
from anykey.upstream.proxy import ProxySettings

FIRST_KEY = "first"
KEY_TO_FILL_IN = "ak-YOUR-KEY"
SHOWN_RECIPES = ("curl", "claude-code", "openai-python")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@click.command(cls=SpokenCommand, help=say("cli.commands.up"))
@config_option
@click.option("--host", metavar="HOST", help=say("cli.up.host"))
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help=say("cli.up.port"))
@click.option(
    "--log-level", type=click.Choice(("debug", "info", "warning", "error")), default="warning", help=say("cli.up.log")
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, metavar="N", help=say("cli.up.workers"))
def up(config: Path | None, host: str | None, port: int | None, log_level: str, workers: int) -> None:
    """Serve until interrupted."""
    configure_logs(log_level)
    settings = read_settings(config)
    _check_proxies()
    home = open_home(config)
    if workers > 1 and home.database.dialect == "sqlite":
        raise SpokenError("cli.up.workers_need_server", workers=workers)
    listen_host = host or settings.server.host
    listen_port = settings.server.port if port is None else port
    try:
        listener = bind(listen_host, listen_port)
    except OSError as error:
        raise SpokenError("cli.up.taken", host=listen_host, port=listen_port, reason=error.strerror or error) from error
    if listen_host not in LOOPBACK:
        click.echo(say("cli.warning", message=say("cli.up.open", host=listen_host)), err=True)
    key = first_key(home, FIRST_KEY)

    def serving() -> Serving:
        return Serving(settings, home, os.environ, listener, lambda: load_configuration(os.environ, config))

    def greet(address: Address) -> None:
        _greet(settings, home, address, key)

    if workers == 1:
        run(serving(), greet)
    else:
        sys.exit(Workers(workers, listener, serving).run(greet))


def _check_proxies() -> None:
    """Refuse proxy variables that cannot be used, before a first key is made that a failed start would never show."""
    try:
        ProxySettings.from_environment(os.environ)
    except ValueError as error:
        name, _, reason = str(error).partition(": ")
        raise SettingsRefused([Problem("environment", 0, name, "settings.bad_url", {"reason": reason})]) from None


def _greet(settings: Settings, home: Home, address: Address, key: str | None) -> None:
    """What a newcomer needs: the address, the data, the providers, and lines to copy."""
    lines = [
        say("cli.up.address", url=address.url),
        say("cli.up.home", path=home.path),
        *([] if home.database.dialect == "sqlite" else [say("cli.up.database", name=home.database.name)]),
        say("cli.up.config", path=settings.config) if settings.config else say("cli.up.no_config"),
        say(
            "cli.up.providers",
            names=", ".join(_provider(provider.name, provider.origin) for provider in settings.providers),
        ),
    ]
    if any(provider.kind.built_in for provider in settings.providers):
        lines.append(say("cli.up.demo"))
    if key is not None:
        lines += ["", say("cli.up.key", name=FIRST_KEY), f"  {key}"]
    for client_id in SHOWN_RECIPES:
        shown = recipe(client_id)
        lines += ["", shown.name + ":"]
        lines += [f"  {line}" for line in shown.connect_lines(address.url, key or KEY_TO_FILL_IN, _model(settings))]
    click.echo("\n".join([*lines, "", say("cli.up.stop")]))


def _provider(name: str, origin: str) -> str:
    return name if origin in {"file", "built in"} else f"{name} ({origin})"


def _model(settings: Settings) -> str:
    """A model to show in the examples: the first that is listed."""
    listed = list_models(build_snapshot(settings))
    return listed[0].id if listed else "demo"
