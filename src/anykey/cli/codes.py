"""`anykey codes`: make, list, print, revoke and redeem codes for credit."""

import csv
import sys
import time
from typing import Any

import click

from anykey.accounts.amounts import dollars, usd_text
from anykey.administration import codes as verbs
from anykey.administration.codes import Code, Order, state_of
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.money import Amount, Moment, cursor_option, json_option, limit_option, organisation_option, tell_next
from anykey.cli.output import local_time, print_json, print_table
from anykey.cli.wallets import transfer_fields
from anykey.language import say
from anykey.storage.codes import CodeRow


@click.group(cls=SpokenGroup, help=say("cli.commands.codes"))
def codes() -> None:
    """Nothing of its own: a command follows."""


@codes.command(help=say("cli.codes.create"))
@click.argument("amount", type=Amount(), metavar="USD")
@click.option("--count", type=click.IntRange(1, verbs.CODES_MOST), default=1, help=say("cli.codes.count"))
@click.option("--batch", metavar="NAME", help=say("cli.codes.batch"))
@click.option("--uses", type=click.IntRange(1, verbs.USES_MOST), default=1, help=say("cli.codes.uses"))
@click.option("--expires", type=Moment(), metavar="TIME", help=say("cli.codes.expires"))
@click.option("--bonus", is_flag=True, help=say("cli.codes.bonus"))
@click.option("--note", metavar="TEXT", help=say("cli.wallets.note"))
@json_option
def create(amount: int, count: int, as_json: bool, **said: Any) -> None:
    """Print the new codes, one a line."""
    order = Order(
        amount_nano=amount,
        count=count,
        batch=said["batch"],
        bonus=said["bonus"],
        uses_max=said["uses"],
        expires_at=said["expires"],
        note=said["note"],
    )
    made = verbs.create_batch(open_home(), order, actor=local_actor())
    if as_json:
        print_json([{"code": code.text, **_public(code.row)} for code in made])
        return
    click.echo(say("cli.codes.created", count=count, amount=dollars(amount), batch=made[0].row.batch), err=True)
    for code in made:
        click.echo(code.text)


@codes.command("list", help=say("cli.codes.list"))
@click.option("--batch", metavar="NAME", help=say("cli.codes.of_batch"))
@limit_option
@cursor_option
@json_option
def list_(batch: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """Print codes without what opens them."""
    page = verbs.list_codes(open_home(), batch, cursor=cursor, limit=limit)
    if as_json:
        print_json({"items": [_public(row) for row in page.items], "next": page.next})
    elif not page.items:
        click.echo(say("cli.codes.none"))
    else:
        print_table(("id", "batch", "last4", "amount", "uses", "expires", "state"), map(_row, page.items))
        tell_next(page.next)


@codes.command(help=say("cli.codes.export"))
@click.argument("batch", metavar="BATCH")
@json_option
def export(batch: str, as_json: bool) -> None:
    """Print a batch as CSV."""
    found = verbs.export_batch(open_home(), batch, actor=local_actor())
    if as_json:
        print_json([{"code": code.text, **_public(code.row)} for code in found])
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("code", "amount_usd", "uses_max", "uses", "expires_at", "state"))
    writer.writerows(map(_line, found))


@codes.command(help=say("cli.codes.revoke"))
@click.argument("reference", metavar="ID|BATCH")
@json_option
def revoke(reference: str, as_json: bool) -> None:
    """Take a code or a batch out of force."""
    ended = verbs.revoke(open_home(), reference, actor=local_actor())
    if as_json:
        print_json({"revoked": ended})
    else:
        click.echo(say("cli.codes.revoked", count=len(ended)))


@codes.command(help=say("cli.codes.redeem"))
@click.argument("code", metavar="CODE")
@organisation_option
@json_option
def redeem(code: str, organisation: str | None, as_json: bool) -> None:
    """Pay a code into a wallet."""
    done = verbs.redeem(open_home(), code, organisation, actor=local_actor())
    if as_json:
        print_json({"code_id": done.code_id, **transfer_fields(done.transfer)})
    else:
        click.echo(say("cli.codes.redeemed", amount=dollars(done.amount_nano), organisation=done.organisation))


def _row(row: CodeRow) -> tuple[str | None, ...]:
    expires = None if row.expires_at is None else local_time(row.expires_at)
    state = say(f"code_state.{state_of(row, time.time())}")
    return row.id, row.batch, row.last4, dollars(row.amount_nano), f"{row.uses}/{row.uses_max}", expires, state


def _line(code: Code) -> tuple[object, ...]:
    row = code.row
    state = state_of(row, time.time())
    return code.text, usd_text(row.amount_nano), row.uses_max, row.uses, row.expires_at or "", state


def _public(row: CodeRow) -> dict[str, object]:
    return {
        "id": row.id,
        "batch": row.batch,
        "last4": row.last4,
        "amount_nano": row.amount_nano,
        "amount_usd": usd_text(row.amount_nano),
        "bonus": row.bonus,
        "uses_max": row.uses_max,
        "uses": row.uses,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "revoked_at": row.revoked_at,
        "note": row.note,
        "state": state_of(row, time.time()),
    }
