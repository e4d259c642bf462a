"""`anykey keys`: create, list, change, rotate and revoke."""

import time
from typing import Any

import click
import msgspec

from anykey.accounts.keys import ApiKey, has_expired
from anykey.administration.keys import (
    CreatedKey,
    create_key,
    last_uses,
    list_keys,
    revoke_key,
    rotate_key,
    update_key,
)
from anykey.cli.actor import local_actor
from anykey.cli.budget_option import budgets_told, own_budgets
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.key_options import fields_of, key_options
from anykey.cli.moments import seconds_of
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
CLIENT_METADATA = "client"
"""Under this name of its metadata, a key made for one client program says which."""


@click.command(cls=SpokenGroup, help=say("cli.commands.keys"))
def keys() -> None:
    """Nothing of its own: a command follows."""


@keys.command(help=say("cli.keys.create"))
@click.option("--name", metavar="NAME", help=say("cli.keys.name"))
@click.option("--client", metavar="CLIENT", help=say("cli.keys.client"))
@click.option("--organisation", metavar="NAME", help=say("cli.keys.organisation"))
@click.option("--strict", is_flag=True, help=say("cli.keys.strict"))
@key_options
@json_option
def create(
    name: str | None, client: str | None, organisation: str | None, strict: bool, as_json: bool, **said: Any
) -> None:
    """Print the new key; it is the last line, so that it is easy to copy."""
    fields = msgspec.structs.replace(fields_of(said), organisation=organisation)
    if client is not None:
        fields = msgspec.structs.replace(fields, metadata={**(fields.metadata or {}), CLIENT_METADATA: client})
    wanted = name or client
    if not wanted:
        raise click.UsageError(say("cli.keys.name_needed"))
    _show_new(
        create_key(open_home(), wanted, strict=strict, fields=fields, actor=local_actor()), "cli.keys.created", as_json
    )


@keys.command("list", help=say("cli.keys.list"))
@json_option
def list_(as_json: bool) -> None:
    """Print all keys, without anything that could open the gateway."""
    home = open_home()
    found, uses = list_keys(home), last_uses(home)
    if as_json:
        print_json([{**_public(key), "last_used_at": uses.get(key.id)} for key in found])
    elif not found:
        click.echo(say("cli.keys.none"))
    else:
        columns = ("id", "name", "key", "created", "state", "group", "team", "may_ask", "config", "budgets", "used")
        print_table(columns, [_row(key, uses.get(key.id)) for key in found])


@keys.command(help=say("cli.keys.update"))
@click.argument("key", metavar="ID")
@click.option("--name", metavar="NAME", help=say("cli.keys.name"))
@click.option("--strict/--no-strict", default=None, help=say("cli.keys.strict"))
@key_options
@json_option
def update(key: str, name: str | None, strict: bool | None, as_json: bool, **said: Any) -> None:
    """Change what is given and leave the rest; an empty text takes away what was said."""
    fields = msgspec.structs.replace(fields_of(said), name=name, strict=strict)
    changed = update_key(open_home(), key, fields, actor=local_actor())
    if as_json:
        print_json(_public(changed))
    else:
        click.echo(say("cli.keys.updated", name=changed.name, id=changed.id))


@keys.command(help=say("cli.keys.rotate"))
@click.argument("key", metavar="ID")
@click.option("--overlap", default="24h", metavar="PERIOD", help=say("cli.keys.overlap"))
@json_option
def rotate(key: str, overlap: str, as_json: bool) -> None:
    """Print the new secret of a key; the old one is good for a while longer."""
    rotated = rotate_key(open_home(), key, overlap_s=seconds_of(overlap, "--overlap"), actor=local_actor())
    _show_new(rotated, "cli.keys.rotated", as_json)


@keys.command(help=say("cli.keys.revoke"))
@click.argument("key", metavar="ID")
@json_option
def revoke(key: str, as_json: bool) -> None:
    """Revoke by id, name, or the beginning of either if only one key fits."""
    revoked = revoke_key(open_home(), key, actor=local_actor())
    if as_json:
        print_json(_public(revoked))
    else:
        click.echo(say("cli.keys.revoked", name=revoked.name, id=revoked.id))


def _show_new(created: CreatedKey, code: str, as_json: bool) -> None:
    key = created.key
    if as_json:
        print_json({"id": key.id, "key": created.text, **_public(key)})
        return
    until = local_time(key.previous_until) if key.previous_until is not None else say("word.now")
    click.echo(say(code, name=key.name, id=key.id, until=until), err=True)
    click.echo(created.text)


def _row(key: ApiKey, used_at: int | None) -> tuple[str | None, ...]:
    allowed = ", ".join(key.allowed_models) if key.allowed_models is not None else None
    state = _state(key) + (f", {say('word.admin')}" if key.admin else "")
    created = local_time(key.created_at)
    used = None if used_at is None else local_time(used_at)
    budgets = budgets_told(own_budgets(key.purse, "key"))
    shown = (key.id, key.name, f"…{key.last4}", created, state, key.group_name, key.team, allowed, key.config)
    return (*shown, budgets, used)


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
        "organisation": key.organisation,
        "owner": key.member_id,
        "budgets": {one.period: one.limit_nano for one in own_budgets(key.purse, "key")},
        "requests_per_minute": key.requests_per_minute,
        "tokens_per_minute": key.tokens_per_minute,
        "concurrency": key.concurrency,
        "expires_at": key.expires_at,
        "ip_allow": key.ip_allow,
        "ip_deny": key.ip_deny,
        "logging": key.logging,
        "logging_days": key.logging_days,
        "previous_until": key.previous_until,
    }


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return say("word.revoked", when=local_time(key.revoked_at))
    if has_expired(key, time.time()):
        return say("word.expired")
    return say("word.strict" if key.strict else "word.active")
