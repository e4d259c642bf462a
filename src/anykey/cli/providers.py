"""`anykey providers`: who is configured, which kinds there are, what the catalogue says of one, and whether all is well.

Never the credential, only whether there is one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from anykey.administration.providers import (
    CheckReport,
    KindRow,
    KindView,
    check_providers,
    describe_kind,
    list_kinds,
)
from anykey.cli.configuration import config_option, read_settings, told
from anykey.cli.form import SpokenGroup
from anykey.cli.output import print_json, print_table
from anykey.cli.provider_status import enable, status
from anykey.language import language, say
from anykey.providers.configured import ProviderSettings

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))


@click.group(cls=SpokenGroup, invoke_without_command=True, help=say("cli.commands.providers"))
@config_option
@json_option
@click.pass_context
def providers(context: click.Context, config: Path | None, as_json: bool) -> None:
    """Without a command: print the configured providers, a line for each of their doors."""
    if context.invoked_subcommand is None:
        _print_configured(config, as_json)


providers.add_command(status)
providers.add_command(enable)


@providers.command("list", help=say("cli.providers.list"))
@config_option
@click.option("--configured", is_flag=True, help=say("cli.providers.configured"))
@json_option
def list_(config: Path | None, configured: bool, as_json: bool) -> None:
    """Print the kinds of the catalogue, a line each, the configured ones marked."""
    if configured:
        _print_configured(config, as_json)
        return
    rows = list_kinds(read_settings(config).providers)
    if as_json:
        print_json(rows)
    else:
        columns = ("configured", "kind", "vendor", "group", "protocols", "lanes", "regions", "variables")
        print_table(columns, map(_line, rows))
        click.echo(say("cli.providers.count", kinds=len(rows), configured=sum(bool(row.configured) for row in rows)))


@providers.command(help=say("cli.providers.show"))
@click.argument("kind", metavar="KIND")
@json_option
def show(kind: str, as_json: bool) -> None:
    """Print all that the catalogue says of one kind."""
    found = describe_kind(kind)
    if as_json:
        print_json(found)
    else:
        print_table(("field", "value"), [(say(f"provider_field.{name}"), value) for name, value in _fields(found)])


@providers.command(help=say("cli.providers.check"))
@config_option
@json_option
def check(config: Path | None, as_json: bool) -> int:
    """Print where each provider is called, or what is wrong. Exit code 1 if anything is."""
    report = check_providers(os.environ, config)
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    return 1 if report.problems else 0


def _print_configured(config: Path | None, as_json: bool) -> None:
    found = read_settings(config).providers
    if as_json:
        print_json([_described(provider) for provider in found])
    elif not found:
        click.echo(say("cli.providers.none"))
    else:
        columns = ("provider", "vendor", "origin", "credential", "protocols", "endpoint")
        print_table(columns, [row for provider in found for row in _rows(provider)])


def _described(provider: ProviderSettings) -> dict[str, Any]:
    return {
        "name": provider.name,
        "kind": provider.kind.id,
        "vendor": _text(provider.kind.names),
        "origin": provider.origin,
        "credential": provider.credential is not None,
        "endpoints": [
            {"protocol": door.protocol, "base_url": door.base_url, "lane": door.lane, "region": door.region}
            for door in provider.endpoints
        ],
        "models": provider.listed_models(),
    }


def _rows(provider: ProviderSettings) -> Iterator[tuple[str, ...]]:
    state = _state_of_credential(provider.credential is not None)
    head = (provider.name, _text(provider.kind.names), provider.origin, state)
    for door in provider.endpoints:
        yield (*head, door.protocol, door.base_url or say("word.inside"))
        head = ("",) * len(head)


def _line(row: KindRow) -> tuple[str, ...]:
    return (
        ", ".join(row.configured),
        row.kind,
        _text(row.names),
        say(f"provider_group.{row.group}"),
        ", ".join(row.protocols),
        ", ".join(row.lanes),
        ", ".join(row.regions),
        ", ".join(row.credential_envs),
    )


def _fields(kind: KindView) -> Iterator[tuple[str, str]]:
    """Yield each field's code with its value; rare ones only where there is something to say."""
    yield "kind", kind.kind
    yield "name", _text(kind.names)
    yield "group", say(f"provider_group.{kind.group}")
    yield "protocol_family", kind.protocol_family
    yield "feature_family", kind.feature_family
    yield "auth_scheme", kind.auth_scheme
    yield "credential_envs", _listed(kind.credential_envs)
    yield "aliases", _listed(kind.aliases)
    yield "default_base_url", _known(kind.default_base_url)
    yield "request_endpoint", _known(kind.request_endpoint)
    yield "models_endpoint", _known(kind.models_endpoint)
    yield "auth_optional", _yes_or_no(kind.auth_optional)
    yield "model_probe_auth_optional", _yes_or_no(kind.model_probe_auth_optional)
    yield "default_api_key_env", _known(kind.default_api_key_env)
    yield "oauth_envs", _listed(kind.oauth_envs)
    yield "primary_request_route", _known(kind.primary_request_route)
    yield "primary_model_catalog_route", _known(kind.primary_model_catalog_route)
    yield "from_environment", _yes_or_no(kind.from_environment)
    yield "models", _listed(kind.models)
    yield from _further(kind)
    for door in kind.endpoints:
        yield "door", f"{door.protocol} · {door.lane} · {door.region} · {door.auth} · {_known(door.request_endpoint)}"


def _further(kind: KindView) -> Iterator[tuple[str, str]]:
    if kind.default_model:
        yield "default_model", kind.default_model
    if kind.fallback_models:
        yield "fallback_models", _listed(kind.fallback_models)
    for variable in kind.variables:
        yield "variable", f"{variable.name} · {_listed(variable.envs)} · {_known(variable.default)}"
    if kind.lane_rule is not None:
        yield "lane_advice", _text(kind.lane_rule.advice)
        yield "url_must_contain", _listed(kind.lane_rule.url_must_contain)
        yield "url_must_not_contain", _listed(kind.lane_rule.url_must_not_contain)
    for protocol, fields in kind.dialect.items():
        said = ", ".join(f"{name} = {str(value).lower()}" for name, value in fields.items())
        yield "dialect", f"{protocol}: {said}"
    if kind.notes:
        yield "notes", _text(kind.notes)
    if kind.docs:
        yield "docs", kind.docs


def _print_report(report: CheckReport) -> None:
    for warning in report.warnings:
        click.echo(say("cli.warning", message=told(warning)), err=True)
    for problem in report.problems:
        click.echo(say("cli.error", message=told(problem)), err=True)
    if report.problems:
        return
    rows: list[tuple[str, ...]] = []
    for provider in report.providers:
        head = (
            provider.name,
            provider.kind,
            f"{provider.lane} · {provider.region}",
            _state_of_credential(provider.credential),
            say("word.credential_well"),
        )
        for door in provider.endpoints:
            rows.append((*head, door.protocol, door.request_endpoint or say("word.inside")))
            head = ("",) * len(head)
    print_table(("provider", "kind", "lane", "credential", "state", "protocol", "endpoint"), rows)


def _state_of_credential(there: bool) -> str:
    return say("word.credential_set" if there else "word.credential_none")


def _yes_or_no(value: bool) -> str:
    return say("word.yes" if value else "word.no")


def _known(value: str | None) -> str:
    return value or say("word.nothing")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values) or say("word.nothing")


def _text(by_language: dict[str, str]) -> str:
    return by_language.get(language(os.environ), "")
