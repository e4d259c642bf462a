"""What may be said of a key on the command line, and how it is read."""

from collections.abc import Callable
from typing import Any

import click

from anykey.administration.key_fields import LOGGING_DAYS_MOST, LOGGING_LEVELS, KeyFields
from anykey.cli.budget_option import budget_option, limits_of
from anykey.cli.moments import moment_of
from anykey.language import say

LIMIT = click.IntRange(min=0)
DAYS = click.IntRange(0, LOGGING_DAYS_MOST)


def key_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what a key may; the command gets them as keywords, for `fields_of`."""
    for option in reversed(
        (
            click.option("--owner", metavar="MEMBER", help=say("cli.keys.owner")),
            click.option("--group", metavar="GROUP", help=say("cli.keys.group")),
            click.option("--team", metavar="TEAM", help=say("cli.keys.team")),
            click.option("--allow", multiple=True, metavar="GLOB", help=say("cli.keys.allow")),
            click.option("--config", metavar="NAME", help=say("cli.keys.config")),
            click.option("--metadata", multiple=True, metavar="NAME=VALUE", help=say("cli.keys.metadata")),
            click.option("--admin/--no-admin", default=None, help=say("cli.keys.admin")),
            budget_option,
            click.option("--rpm", type=LIMIT, metavar="N", help=say("cli.keys.rpm")),
            click.option("--tpm", type=LIMIT, metavar="N", help=say("cli.keys.tpm")),
            click.option("--concurrency", type=LIMIT, metavar="N", help=say("cli.keys.concurrency")),
            click.option("--expires", metavar="WHEN", help=say("cli.keys.expires")),
            click.option("--allow-ip", multiple=True, metavar="CIDR", help=say("cli.keys.allow_ip")),
            click.option("--deny-ip", multiple=True, metavar="CIDR", help=say("cli.keys.deny_ip")),
            click.option("--logging", type=click.Choice(LOGGING_LEVELS), help=say("cli.keys.logging")),
            click.option("--logging-days", type=DAYS, metavar="N", help=say("cli.keys.logging_days")),
        )
    ):
        command = option(command)
    return command


def fields_of(said: dict[str, Any]) -> KeyFields:
    """What the options say. A lone empty `--allow`, `--metadata`, `--allow-ip` or `--deny-ip` takes away what was said before."""
    return KeyFields(
        owner=said["owner"],
        group=said["group"],
        team=said["team"],
        allowed_models=_list(said["allow"]),
        config=said["config"],
        metadata=_pairs(said["metadata"]),
        admin=said["admin"],
        budgets=limits_of(said["budget"]) if said["budget"] else None,
        requests_per_minute=said["rpm"],
        tokens_per_minute=said["tpm"],
        concurrency=said["concurrency"],
        expires_at=None if said["expires"] is None else moment_of(said["expires"], "--expires"),
        ip_allow=_list(said["allow_ip"]),
        ip_deny=_list(said["deny_ip"]),
        logging=said["logging"],
        logging_days=said["logging_days"],
    )


def _list(texts: tuple[str, ...]) -> tuple[str, ...] | None:
    return tuple(filter(None, texts)) if texts else None


def _pairs(texts: tuple[str, ...]) -> dict[str, str] | None:
    pairs: dict[str, str] = {}
    for pair in filter(None, texts):
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise click.BadParameter(say("cli.keys.not_a_pair", found=pair), param_hint="--metadata")
        pairs[name] = value
    return pairs if texts else None
