"""`anykey keys`: create, list and revoke."""

import click

from anykey.accounts.keys import ApiKey
from anykey.administration.keys import create_key, list_keys, revoke_key
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say


@click.command(cls=SpokenGroup, help=say("cli.commands.keys"))
def keys() -> None:
    """Nothing of its own: a command follows."""


@keys.command(help=say("cli.keys.create"))
@click.option("--name", required=True, metavar="NAME", help=say("cli.keys.name"))
@click.option("--strict", is_flag=True, help=say("cli.keys.strict"))
@click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
def create(name: str, strict: bool, as_json: bool) -> None:
    """Print the new key; it is the last line, so that it is easy to copy."""
    created = create_key(open_home(), name, strict=strict)
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
            ("id", "name", "key", "created", "state"),
            [(key.id, key.name, f"…{key.last4}", local_time(key.created_at), _state(key)) for key in found],
        )


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


def _public(key: ApiKey) -> dict[str, str | int | None]:
    return {
        "id": key.id,
        "name": key.name,
        "last4": key.last4,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "strict": key.strict,
    }


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return say("word.revoked", when=local_time(key.revoked_at))
    return say("word.strict" if key.strict else "word.active")
