"""`anykey audit`: who changed what, and whether the log is as it was written."""

from typing import Any

import click
import msgspec

from anykey.administration import audit as verbs
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.audit import Entry

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))


@click.group(cls=SpokenGroup, help=say("cli.commands.audit"))
def audit() -> None:
    """Nothing of its own: a command follows."""


@audit.command("list", help=say("cli.audit.list"))
@click.option("--limit", type=click.IntRange(1, verbs.LIMIT_MOST), default=50, help=say("cli.audit.limit"))
@click.option("--before", type=click.IntRange(1), metavar="SEQ", help=say("cli.audit.before"))
@json_option
def list_(limit: int, before: int | None, as_json: bool) -> None:
    """Print the newest entries."""
    found = verbs.list_entries(open_home(), limit=limit, before_seq=before)
    if as_json:
        print_json([_public(entry) for entry in found])
    elif not found:
        click.echo(say("cli.audit.none"))
    else:
        columns = ("seq", "time", "who", "action", "target", "before", "after")
        print_table(columns, [_row(entry) for entry in found])


@audit.command(help=say("cli.audit.verify"))
@click.option("--expect", metavar="SEQ:HASH", help=say("cli.audit.expect"))
@json_option
def verify(expect: str | None, as_json: bool) -> None:
    """Walk the log. Exit code 1 where it is not as it was written."""
    chain = verbs.verify_chain(open_home(), expect=expect)
    if as_json:
        print_json({**msgspec.structs.asdict(chain), "head": chain.head.hex()})
    elif chain.broken_at is None:
        click.echo(say("cli.audit.whole", entries=chain.entries, head=chain.head.hex()))
    else:
        reason = say(f"cli.audit.{chain.reason}")
        click.echo(say("cli.audit.broken", seq=chain.broken_at, reason=reason, entries=chain.entries))
    if chain.broken_at is not None:
        click.get_current_context().exit(1)


def _public(entry: Entry) -> dict[str, Any]:
    fields = msgspec.structs.asdict(entry)
    for name in ("before", "after"):
        if fields[name] is not None:
            fields[name] = msgspec.Raw(fields[name].encode())
    return {**fields, "previous": entry.previous.hex(), "hash": entry.hash.hex()}


def _row(entry: Entry) -> tuple[object, ...]:
    target = f"{entry.target_kind} {entry.target}"
    when = local_time(entry.at / 1000)
    return entry.seq, when, entry.actor, entry.action, target, entry.before, entry.after
