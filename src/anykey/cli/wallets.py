"""`anykey wallets`: pay in, give, pay back, correct; what there is and what moved."""

from collections.abc import Callable

import click
import msgspec

from anykey.accounts.amounts import dollars, usd_text
from anykey.administration import wallets as verbs
from anykey.administration.wallets import Direction, Posted, Said, Wallet
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.money import Amount, cursor_option, json_option, limit_option, organisation_option, tell_next
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.wallets import Transfer


def _moving(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments and options of commands that move money."""
    for part in reversed(
        (
            click.argument("organisation", metavar="ORGANISATION"),
            click.argument("amount", type=Amount(), metavar="USD"),
            click.option("--reference", metavar="TEXT", help=say("cli.wallets.reference")),
            click.option("--note", metavar="TEXT", help=say("cli.wallets.note")),
            json_option,
        )
    ):
        command = part(command)
    return command


@click.group(cls=SpokenGroup, help=say("cli.commands.wallets"))
def wallets() -> None:
    """Nothing of its own: a command follows."""


@wallets.command(help=say("cli.wallets.topup"))
@_moving
def topup(organisation: str, amount: int, reference: str | None, note: str | None, as_json: bool) -> None:
    """Pay in."""
    home = open_home()
    _tell(verbs.top_up(home, organisation, amount, said=Said(reference, note), actor=local_actor()), as_json)
    found = verbs.balance_of(home, organisation)
    if not found.prepaid:
        click.echo(say("cli.wallets.not_prepaid", organisation=found.name), err=True)


@wallets.command(help=say("cli.wallets.bonus"))
@_moving
def bonus(organisation: str, amount: int, reference: str | None, note: str | None, as_json: bool) -> None:
    """Give."""
    _tell(verbs.give_bonus(open_home(), organisation, amount, said=Said(reference, note), actor=local_actor()), as_json)


@wallets.command(help=say("cli.wallets.refund"))
@_moving
def refund(organisation: str, amount: int, reference: str | None, note: str | None, as_json: bool) -> None:
    """Pay back."""
    _tell(verbs.refund(open_home(), organisation, amount, said=Said(reference, note), actor=local_actor()), as_json)


@wallets.command(help=say("cli.wallets.adjust"))
@click.argument("direction", type=click.Choice(["in", "out"]))
@_moving
def adjust(
    direction: Direction, organisation: str, amount: int, reference: str | None, note: str | None, as_json: bool
) -> None:
    """Correct."""
    _tell(
        verbs.adjust(open_home(), organisation, amount, direction, said=Said(reference, note), actor=local_actor()),
        as_json,
    )


@wallets.command(help=say("cli.wallets.balance"))
@click.argument("organisation", metavar="[ORGANISATION]", required=False)
@json_option
def balance(organisation: str | None, as_json: bool) -> None:
    """Print what there is."""
    found = verbs.balance_of(open_home(), organisation)
    if as_json:
        print_json(_public(found))
    else:
        print_table(
            ("organisation", "prepaid", "balance", "held", "available", "owed"),
            [
                (
                    found.name,
                    say("word.yes" if found.prepaid else "word.no"),
                    *map(dollars, (found.balance_nano, found.held_nano, found.available_nano, found.owed_nano)),
                )
            ],
        )


@wallets.command("list", help=say("cli.wallets.list"))
@organisation_option
@limit_option
@cursor_option
@json_option
def list_(organisation: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """Print transfers, the newest first."""
    page = verbs.list_transfers(open_home(), organisation, cursor=cursor, limit=limit)
    if as_json:
        print_json({"items": [transfer_fields(item) for item in page.items], "next": page.next})
    elif not page.items:
        click.echo(say("cli.wallets.none"))
    else:
        print_table(("id", "time", "kind", "organisation", "amount", "reference", "by", "note"), map(_row, page.items))
        tell_next(page.next)


def transfer_fields(transfer: Transfer) -> dict[str, object]:
    """A transfer for a program: amounts in USD as text and in nano-USD."""
    return {**msgspec.structs.asdict(transfer), "amount_usd": usd_text(transfer.amount_nano)}


def _tell(done: Posted, as_json: bool) -> None:
    transfer = done.transfer
    if as_json:
        print_json({**transfer_fields(transfer), "new": done.new})
        return
    code = "cli.wallets.moved" if done.new else "cli.wallets.moved_before"
    click.echo(
        say(code, id=transfer.id, amount=dollars(transfer.amount_nano), debit=transfer.debit, credit=transfer.credit)
    )


def _row(transfer: Transfer) -> tuple[str | None, ...]:
    incoming = transfer.credit.startswith("credit:")
    return (
        transfer.id,
        local_time(transfer.at / 1000),
        say(f"transfer_kind.{transfer.kind}"),
        transfer.organisation,
        dollars(transfer.amount_nano if incoming else -transfer.amount_nano),
        transfer.reference,
        transfer.actor,
        transfer.note,
    )


def _public(wallet: Wallet) -> dict[str, object]:
    return {
        **msgspec.structs.asdict(wallet),
        "balance_usd": usd_text(wallet.balance_nano),
        "held_usd": usd_text(wallet.held_nano),
        "available_usd": usd_text(wallet.available_nano),
        "owed_usd": usd_text(wallet.owed_nano),
    }
