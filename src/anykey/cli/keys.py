"""`anykey keys`: create, list, change and revoke."""

from collections.abc import Callable
from typing import Any

import click

from anykey.accounts.keys import ApiKey
from anykey.administration.keys import KeyRouting, create_key, list_keys, revoke_key, update_key
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say


def _routing_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where a key's calls may go; the command gets them as keywords, for `_routing`."""
    for option in reversed(
        (
            click.option("--group", metavar="GROUP", help=say("cli.keys.group")),
            click.option("--team", metavar="TEAM", help=say("cli.keys.team")),
            click.option("--allow", multiple=True, metavar="GLOB", help=say("cli.keys.allow")),
            click.option("--config", metavar="NAME", help=say("cli.keys.config")),
            click.option("--metadata", multiple=True, metavar="NAME=VALUE", help=say("cli.keys.metadata")),
            click.option("--admin/--no-admin", default=None, help=say("cli.keys.admin")),
        )
    ):
        command = option(command)
    return command


def _routing(said: dict[str, Any]) -> KeyRouting:
    """What the options say. A lone empty `--allow` or `--metadata` takes away what was said before."""
    pairs: dict[str, str] = {}
    for pair in filter(None, said["metadata"]):
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise click.BadParameter(say("cli.keys.not_a_pair", found=pair), param_hint="--metadata")
        pairs[name] = value
    return KeyRouting(
        group=said["group"],
        team=said["team"],
        allowed_models=tuple(filter(None, said["allow"])) if said["allow"] else None,
        config=said["config"],
        metadata=pairs if said["metadata"] else None,
        admin=said["admin"],
    )


@click.command(cls=SpokenGroup, help=say("cli.commands.keys"))
def keys() -> None:
    """Nothing of its own: a command follows."""


@keys.command(help=say("cli.keys.create"))
@click.option("--name", required=True, metavar="NAME", help=say("cli.keys.name"))
@click.option("--strict", is_flag=True, help=say("cli.keys.strict"))
@_routing_options
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def create(name: str, strict: bool, as_json: bool, **said: Any) -> None:
    """Print the new key; it is the last line, so that it is easy to copy."""
    created = create_key(open_home(), name, strict=strict, routing=_routing(said))
    if as_json:
        print_json({"id": created.key.id, "key": created.text, **_public(created.key)})
        return
    click.echo(say("cli.keys.created", name=created.key.name, id=created.key.id), err=True)
    click.echo(created.text)


@keys.command("list", help=say("cli.keys.list"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def list_(as_json: bool) -> None:
    """Print all keys, without anything that could open the gateway."""
    found = list_keys(open_home())
    if as_json:
        print_json([_public(key) for key in found])
    elif not found:
        click.echo(say("cli.keys.none"))
    else:
        print_table(
            ("id", "name", "key", "created", "state", "group", "team", "may_ask", "config"),
            [_row(key) for key in found],
        )


@keys.command(help=say("cli.keys.update"))
@click.argument("key", metavar="ID")
@_routing_options
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def update(key: str, as_json: bool, **said: Any) -> None:
    """Change what is given and leave the rest; an empty text takes away what was said."""
    changed = update_key(open_home(), key, _routing(said))
    if as_json:
        print_json(_public(changed))
    else:
        click.echo(say("cli.keys.updated", name=changed.name, id=changed.id))


@keys.command(help=say("cli.keys.revoke"))
@click.argument("key", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def revoke(key: str, as_json: bool) -> None:
    """Revoke by id, name, or the beginning of either if only one key fits."""
    revoked = revoke_key(open_home(), key)
    if as_json:
        print_json(_public(revoked))
    else:
        click.echo(say("cli.keys.revoked", name=revoked.name, id=revoked.id))


def _row(key: ApiKey) -> tuple[str | None, ...]:
    allowed = ", ".join(key.allowed_models) if key.allowed_models is not None else None
    state = _state(key) + (f", {say('word.admin')}" if key.admin else "")
    created = local_time(key.created_at)
    return key.id, key.name, f"…{key.last4}", created, state, key.group_name, key.team, allowed, key.config


def _public(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "last4": key.last4,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "strict": key.strict,
        "group": key.group_name,
        "team": key.team,
        "allowed_models": key.allowed_models,
        "config": key.config,
        "metadata": key.metadata,
        "admin": key.admin,
    }


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return say("word.revoked", when=local_time(key.revoked_at))
    return say("word.strict" if key.strict else "word.active")
