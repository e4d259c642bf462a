"""`anykey ledger`: check every sum, list what moved, settle what nobody knows the outcome of."""

from typing import TextIO

import click
import msgspec

from anykey.accounts.amounts import dollars, usd_text
from anykey.accounts.ledger import Rule
from anykey.administration import ledger as verbs
from anykey.administration.ledger import Decision
from anykey.cli.actor import local_actor
from anykey.cli.configuration import open_home
from anykey.cli.form import SpokenGroup
from anykey.cli.money import cursor_option, json_option, limit_option, organisation_option, tell_next
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.ledger import LedgerEntry, OpenCharge, Totals


@click.group(cls=SpokenGroup, help=say("cli.commands.ledger"))
def ledger() -> None:
    """Nothing of its own: a command follows."""


@ledger.command(help=say("cli.ledger.verify"))
@json_option
def verify(as_json: bool) -> int:
    """Print every account and whether all sums agree; exit code 1 if they do not."""
    found = verbs.verify(open_home())
    if as_json:
        print_json(_report(found))
    else:
        _print(found)
    return 1 if found.broken else 0


@ledger.command("list", help=say("cli.ledger.list"))
@organisation_option
@limit_option
@cursor_option
@json_option
def list_(organisation: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """Print what moved, the newest first."""
    page = verbs.list_entries(open_home(), organisation, cursor=cursor, limit=limit)
    if as_json:
        print_json({"items": [_with_usd(entry, entry.amount_nano) for entry in page.items], "next": page.next})
    elif not page.items:
        click.echo(say("cli.ledger.none"))
    else:
        print_table(("id", "time", "kind", "debit", "credit", "amount", "about"), map(_row, page.items))
        tell_next(page.next)


@ledger.command(help=say("cli.ledger.unsettled"))
@organisation_option
@limit_option
@cursor_option
@json_option
def unsettled(organisation: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """Print the charges that are open or unknown, the oldest first."""
    page = verbs.unsettled(open_home(), organisation, cursor=cursor, limit=limit)
    if as_json:
        print_json({"items": [_with_usd(charge, charge.reserved_nano) for charge in page.items], "next": page.next})
    elif not page.items:
        click.echo(say("cli.ledger.all_settled"))
    else:
        print_table(("request", "time", "state", "account", "model", "client", "held"), map(_open_row, page.items))
        tell_next(page.next)


@ledger.command(help=say("cli.ledger.reconcile"))
@click.argument("requests", nargs=-1, metavar="[REQUEST]...")
@click.option("--settle", "decision", flag_value="estimate", type=str, help=say("cli.ledger.settle"))
@click.option("--void", "decision", flag_value="void", type=str, help=say("cli.ledger.void"))
@click.option(
    "--from", "file", type=click.File("r", encoding="utf-8-sig"), metavar="FILE|-", help=say("cli.ledger.from")
)
@organisation_option
@json_option
def reconcile(
    requests: tuple[str, ...], decision: Decision | None, file: TextIO | None, organisation: str | None, as_json: bool
) -> None:
    """Settle unknown charges."""
    if (decision is None) == (file is None) or (file is not None and requests):
        raise click.UsageError(say("cli.ledger.which"))
    chosen = decision if file is None else verbs.read_amounts(file)
    done = verbs.reconcile(
        open_home(), chosen or {}, organisation=organisation, only=requests or None, actor=local_actor()
    )
    if as_json:
        print_json({**msgspec.structs.asdict(done), "settled_usd": usd_text(done.settled_nano)})
        return
    amount = dollars(done.settled_nano)
    click.echo(say("cli.ledger.reconciled", settled=done.settled, amount=amount, voided=done.voided))
    if done.left_out:
        click.echo(say("cli.ledger.left_out", count=len(done.left_out), ids=", ".join(done.left_out[:5])), err=True)


def _print(found: Totals) -> None:
    if found.balances:
        print_table(
            ("account", "debited", "credited", "held", "balance"),
            [
                (one.account, *map(dollars, (one.kept[1], one.kept[3], one.kept[0], one.kept[3] - one.kept[1])))
                for one in found.balances
            ],
        )
    debits, credits_ = (sum(one.kept[side] for one in found.balances) for side in (1, 3))
    click.echo(say("cli.ledger.sums", debits=dollars(debits), credits=dollars(credits_)))
    counts = {state: found.charges.get(state, 0) for state in ("settled", "void", "open", "unknown")}
    click.echo(
        say("cli.ledger.charges", **counts, cost=dollars(found.settled_nano), paid=dollars(found.collected_nano))
    )
    for rule in found.broken:
        click.echo(
            say("cli.ledger.broken", what=_said(rule), left=dollars(rule.left_nano), right=dollars(rule.right_nano))
        )
    if found.broken:
        click.echo(say("cli.ledger.wrong", count=len(found.broken)))
    else:
        click.echo(say("cli.ledger.right", count=len(found.rules)))


def _said(rule: Rule) -> str:
    return say(f"ledger_rule.{rule.rule}", of=rule.of)


def _report(found: Totals) -> dict[str, object]:
    return {
        "balanced": not found.broken,
        "rules": len(found.rules),
        "broken": [rule._asdict() for rule in found.broken],
        "accounts": [
            dict(
                zip(("debits_pending", "debits_posted", "credits_pending", "credits_posted"), one.kept, strict=True),
                account=one.account,
            )
            for one in found.balances
        ],
        "charges": dict(found.charges),
        "settled_nano": found.settled_nano,
        "settled_usd": usd_text(found.settled_nano),
        "collected_nano": found.collected_nano,
        "collected_usd": usd_text(found.collected_nano),
    }


def _with_usd(item: LedgerEntry | OpenCharge, amount_nano: int) -> dict[str, object]:
    return {**msgspec.structs.asdict(item), "amount_usd": usd_text(amount_nano)}


def _row(entry: LedgerEntry) -> tuple[str | None, ...]:
    kind = say(f"transfer_kind.{entry.kind}")
    amount = dollars(entry.amount_nano)
    return entry.id, local_time(entry.at / 1000), kind, entry.debit, entry.credit, amount, entry.about


def _open_row(charge: OpenCharge) -> tuple[str | None, ...]:
    return (
        charge.id,
        local_time(charge.at / 1000),
        say(f"charge_state.{charge.state}"),
        charge.account,
        charge.model,
        charge.client,
        dollars(charge.reserved_nano),
    )
