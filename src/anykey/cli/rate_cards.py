"""`anykey rate-cards`: what calls are sold at, by version; what nobody set a price for; what a call would cost."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from anykey.accounts.amounts import dollars
from anykey.accounts.pricing import Bill
from anykey.accounts.rate_cards import LONGEST_FILE, rates_in
from anykey.administration import rate_cards as verbs
from anykey.cli.actor import local_actor
from anykey.cli.configuration import config_option, open_home, read_settings
from anykey.cli.form import SpokenGroup
from anykey.cli.output import local_time, print_json, print_table
from anykey.language import say
from anykey.storage.rate_cards import CardRow, PutCard

json_option = click.option("--json", "as_json", is_flag=True, help=say("cli.json"))
_TOKENS = click.IntRange(0, 10**10)


@click.group("rate-cards", cls=SpokenGroup, help=say("cli.commands.rate-cards"))
def rate_cards() -> None:
    """Nothing of its own: a command follows."""


@rate_cards.command("list", help=say("cli.rate_cards.list"))
@click.option("--unpriced", is_flag=True, help=say("cli.rate_cards.unpriced"))
@click.option("--withdrawn", is_flag=True, help=say("cli.rate_cards.with_withdrawn"))
@config_option
@json_option
def list_(unpriced: bool, withdrawn: bool, config: Path | None, as_json: bool) -> None:
    """Print the cards in force or to come; with --unpriced, the models that have neither a card nor a list price."""
    if unpriced:
        _print_unpriced(verbs.unpriced(open_home(config), read_settings(config)), as_json)
        return
    rows = verbs.list_cards(open_home(), withdrawn=withdrawn)
    if as_json:
        print_json([_described(row) for row in rows])
    elif not rows:
        click.echo(say("cli.rate_cards.none"))
    else:
        print_table(("card", "since", "price_in", "price_out", "others", "source", "state"), map(_row, rows))


@rate_cards.command(help=say("cli.rate_cards.show"))
@click.argument("reference", metavar="CARD[/vN]")
def show(reference: str) -> None:
    """Print a card's JSON: as it was written, so that it can be put again."""
    print_json({"rate_cards": [verbs.written(verbs.find_card(open_home(), reference))]})


@rate_cards.command(help=say("cli.rate_cards.put"))
@click.argument("file", type=click.File("rb"), metavar="FILE|-")
@click.option("--model", metavar="NAME", help=say("cli.rate_cards.for_model"))
def put(file: BinaryIO, model: str | None) -> None:
    """Keep new versions; a gateway that is running sells by them within a second or two."""
    _tell(verbs.put_cards(open_home(), file.read(LONGEST_FILE + 1), model=model, actor=local_actor()))


@rate_cards.command(help=say("cli.rate_cards.withdraw"))
@click.argument("reference", metavar="CARD[/vN]")
def withdraw(reference: str) -> None:
    """Take a version out of force."""
    row = verbs.withdraw_card(open_home(), reference, actor=local_actor())
    click.echo(say("cli.rate_cards.withdrawn", reference=row.reference))


@rate_cards.command("import", help=say("cli.rate_cards.import"))
@click.argument("models", nargs=-1, metavar="[MODEL...]")
@click.option("--provider", metavar="NAME", help=say("cli.rate_cards.only_provider"))
@click.option("--example", type=click.Choice(verbs.examples()), help=say("cli.rate_cards.example"))
@click.option("--model", metavar="NAME", help=say("cli.rate_cards.for_model"))
@config_option
def import_(
    models: tuple[str, ...], provider: str | None, example: str | None, model: str | None, config: Path | None
) -> None:
    """Make cards of the catalogue's list prices, or of a shipped example."""
    if example is not None:
        _tell(verbs.import_example(open_home(config), example, model=model, actor=local_actor()))
        return
    found = verbs.import_cards(open_home(config), read_settings(config), models, provider=provider, actor=local_actor())
    _tell(found.cards)
    for deployment in found.unpriced:
        click.echo(say("cli.rate_cards.not_listed", deployment=deployment))


@rate_cards.command(help=say("cli.rate_cards.quote"))
@click.option("--model", required=True, metavar="NAME", help=say("cli.rate_cards.asked_model"))
@click.option("--input", "input_tokens", type=_TOKENS, default=0, metavar="TOKENS", help=say("cli.rate_cards.input"))
@click.option("--output", "output_tokens", type=_TOKENS, default=0, metavar="TOKENS", help=say("cli.rate_cards.output"))
@click.option("--image", "images", multiple=True, metavar="SIZE", help=say("cli.rate_cards.image"))
@config_option
@json_option
def quote(
    model: str, input_tokens: int, output_tokens: int, images: tuple[str, ...], config: Path | None, as_json: bool
) -> None:
    """Print what such a call would cost at each deployment that may answer it."""
    used = verbs.tokens(input_tokens, output_tokens, [(size, 1) for size in images])
    quotes = verbs.quote(open_home(config), read_settings(config), model, used)
    if as_json:
        print_json([_quoted(one) for one in quotes])
        return
    print_table(
        ("deployment", "card", "cost", "lines"),
        [
            (
                one.deployment,
                one.priced.card.id if one.priced is not None else say("cli.rate_cards.no_price"),
                dollars(one.bill.cost_nano) if one.bill is not None else None,
                _lines(one.bill) if one.bill is not None else None,
            )
            for one in quotes
        ],
    )


def _quoted(one: verbs.Quote) -> dict[str, Any]:
    return {
        "deployment": one.deployment,
        "card": one.priced.card.id if one.priced is not None else None,
        "listed": one.priced.listed if one.priced is not None else None,
        "cost_nano": one.bill.cost_nano if one.bill is not None else None,
        "multiplier": str(one.multiplier),
        "lines": one.bill.lines if one.bill is not None else (),
    }


def _lines(bill: Bill) -> str:
    lines = ", ".join(f"{line.quantity:,} {line.unit}" for line in bill.lines)
    return f"({lines}) * {bill.numerator}/{bill.denominator}" if bill.numerator != bill.denominator else lines


def _tell(done: list[PutCard]) -> None:
    for row, new in done:
        click.echo(say("cli.rate_cards.kept" if new else "cli.rate_cards.same", reference=row.reference))


def _print_unpriced(found: list[tuple[str, str]], as_json: bool) -> None:
    if as_json:
        print_json([{"model": name, "deployment": deployment} for name, deployment in found])
    elif not found:
        click.echo(say("cli.rate_cards.all_priced"))
    else:
        print_table(("model", "deployment"), found)


def _described(row: CardRow) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row)
    told["card"] = row.reference
    told["rates"] = msgspec.json.decode(row.rates)
    return told


def _row(row: CardRow) -> tuple[object, ...]:
    rates = rates_in(row.rates)
    unit = "" if rates.currency == "USD" else f" {rates.currency}"
    plain = {"input", "output", "currency", "usd_per_unit"}
    others = [name for name in msgspec.to_builtins(rates) if name not in plain]
    since = datetime.fromtimestamp(row.effective_from, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return (
        row.reference,
        since,
        rates.input and rates.input + unit,
        rates.output and rates.output + unit,
        ", ".join(others) or None,
        row.source or None,
        say("cli.rate_cards.withdrawn_at", when=local_time(row.withdrawn_at)) if row.withdrawn_at is not None else None,
    )
