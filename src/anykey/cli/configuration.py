"""What a command works on: the data directory and the settings, and how their problems are told."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from anykey.administration.configuration import load_configuration
from anykey.administration.home import Home, prepare_home
from anykey.language import say
from anykey.providers.secret import Secret
from anykey.settings import Settings, SettingsError, find_database, find_valkey, home_directory
from anykey.settings.problems import Problem

config_option = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=say("cli.config")
)


class SettingsRefused(click.ClickException):
    """The configuration cannot be used: one line a problem, exit code 2."""

    exit_code = 2

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(told, problems)))


def open_home(config: Path | None = None) -> Home:
    """The data directory of this environment and its database, made and migrated as needed. `config` is the file that may name
    the database."""
    with refusing():
        url = find_database(os.environ, config)
    return prepare_home(home_directory(os.environ), os.environ, url and url.reveal())


def shared_valkey() -> Secret | None:
    """The URL of the Valkey of this environment, read without the rest of the configuration. Raises SettingsRefused."""
    with refusing():
        return find_valkey(os.environ)


def read_settings(config: Path | None) -> Settings:
    """The settings of this environment with the stored credentials; warnings go to stderr. Raises SettingsRefused."""
    with refusing():
        settings = load_configuration(os.environ, config)
    for warning in settings.warnings:
        click.echo(say("cli.warning", message=told(warning)), err=True)
    return settings


@contextmanager
def refusing() -> Generator[None]:
    """Tell the problems of settings that are read inside."""
    try:
        yield
    except SettingsError as error:
        raise SettingsRefused(error.problems) from error


def told(problem: Problem) -> str:
    """`problem` as one line in the user's language: file, line, dotted key, what is wrong."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    key = f" {problem.key}:" if problem.key else ""
    return f"{place}:{key} {say(problem.code, **problem.values)}"
