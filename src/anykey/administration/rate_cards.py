"""What operators do with prices: put a card, list, withdraw, import what the catalogue knows, ask what a call would cost.

Law: a price that was sold by is never changed. A new price is a new version, from its own moment on; a wrong one is withdrawn,
and its charges keep the name of what they were sold by.
"""

import re
import time
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from importlib import resources
from typing import Any, NamedTuple

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.accounts.pricing import Bill, Billable, Priced, bill
from anykey.accounts.rate_cards import cards_in
from anykey.accounts.written_cards import CardError, Scope, WrittenRates, moment_of, scope_of
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.models import configured
from anykey.administration.routes import stored_snapshot
from anykey.conversation.usage import Usage
from anykey.providers.models import ModelPrices, Rates, usd_per_million
from anykey.routing.ask import Ask
from anykey.routing.plan import Unroutable, plan
from anykey.routing.sales import listed_sales, sale_of
from anykey.settings import Settings
from anykey.storage import rate_cards as stored
from anykey.storage.rate_cards import CardRow, Draft, PutCard

_REFERENCE = re.compile(r"(.+)/v([1-9][0-9]{0,8})")
_EXAMPLES = resources.files("anykey.administration") / "rate_card_examples"


class Imported(NamedTuple):
    """What became of an import from the catalogue; `unpriced` are the deployments whose list price nobody knows."""

    cards: list[PutCard]
    unpriced: list[str]


class Quote(msgspec.Struct, frozen=True):
    """What a call would cost at one of the deployments that may answer it; no card and no bill where it is unpriced."""

    deployment: str
    priced: Priced | None
    bill: Bill | None
    multiplier: Fraction


def put_cards(home: Home, text: bytes, *, model: str | None = None, actor: Actor = LOCAL) -> list[PutCard]:
    """Keep the cards of a file (JSON or TOML, see `accounts/written_cards.py`) as new versions: all of them or none. One that
    says what its newest version says is not kept again. `model`: what they are for, instead of what the file says.

    Raises AdministrationError with the field that is wrong."""
    require(actor, "rate_cards:write", None)
    try:
        cards = cards_in(text)
        if model is not None:
            cards = cards_in(
                msgspec.json.encode({"rate_cards": [msgspec.structs.replace(card, model=model) for card in cards]})
            )
    except CardError as error:
        raise AdministrationError("rate_cards.wrong", reason=error) from None
    drafts = [
        Draft(
            scope_of(card),
            card.rates().text(),
            card.source,
            None if card.effective_from is None else moment_of(card.effective_from),
        )
        for card in cards
    ]
    return _keep(home, drafts, actor)


def import_example(home: Home, name: str, *, model: str | None = None, actor: Actor = LOCAL) -> list[PutCard]:
    """Keep the cards of one of the shipped examples. Raises AdministrationError where there is none of that name."""
    if name not in examples():
        raise AdministrationError("rate_cards.no_example", name=name[:80], known=", ".join(examples()))
    return put_cards(home, (_EXAMPLES / f"{name.replace('-', '_')}.toml").read_bytes(), model=model, actor=actor)


def examples() -> list[str]:
    """The names of the shipped examples."""
    files = (file.name for file in _EXAMPLES.iterdir())
    return sorted(name.removesuffix(".toml").replace("_", "-") for name in files if name.endswith(".toml"))


def import_cards(
    home: Home, settings: Settings, models: Sequence[str] = (), *, provider: str | None = None, actor: Actor = LOCAL
) -> Imported:
    """Keep the catalogue's list prices of the configured providers' models as cards, so that they are sold at these whatever the
    catalogue says later. `models`: globs of upstream names, empty for all; `provider`: only of this one.

    Raises AdministrationError where there is no such provider."""
    require(actor, "rate_cards:write", None)
    only = configured(settings, provider).name if provider is not None else None
    snapshot = stored_snapshot(home, settings)
    drafts: list[Draft] = []
    unpriced: list[str] = []
    for seller in snapshot.providers:
        for model in snapshot.shown.get(seller.name, ()):
            if only not in {None, seller.name} or not (not models or any(fnmatchcase(model, glob) for glob in models)):
                continue
            prices = snapshot.prices.list_price(seller.name, model)
            if prices is None or prices.currency != "USD":
                unpriced.append(f"{seller.name}/{model}")
            else:
                source = f"catalogue: {prices.source} {prices.since}".strip()
                drafts.append(Draft(Scope(model, seller.name), _written(prices).text(), source))
    return Imported(_keep(home, drafts, actor), unpriced)


def list_cards(home: Home, *, withdrawn: bool = False, actor: Actor = LOCAL) -> list[CardRow]:
    """The versions in force or to come, by series and version; those that were taken back too."""
    require(actor, "rate_cards:read", None)
    return stored.read_cards(home.database, withdrawn=withdrawn)


def find_card(home: Home, reference: str, *, actor: Actor = LOCAL) -> CardRow:
    """The card of `series/vN`, or the newest version of `series`, withdrawn or not. Raises AdministrationError."""
    require(actor, "rate_cards:read", None)
    named = _REFERENCE.fullmatch(reference)
    for series, version in ([(named[1], int(named[2]))] if named else []) + [(reference, None)]:
        rows = stored.read_cards(home.database, series, withdrawn=True)
        found = [row for row in rows if version is None or row.version == version]
        if found:
            return found[-1]
    raise AdministrationError("rate_cards.not_found", reference=reference[:300])


def written(row: CardRow) -> dict[str, Any]:
    """The card as a file for `put_cards` has it: put again, it changes nothing."""
    scope = {name: value for name, value in row.scope._asdict().items() if value is not None}
    times = {"effective_from": row.effective_from, "source": row.source}
    return {**scope, **times, **msgspec.json.decode(row.rates, type=dict[str, Any])}


def withdraw_card(home: Home, reference: str, *, actor: Actor = LOCAL) -> CardRow:
    """Take a version out of force: what is sold from now on is sold by the card before it, or the list price. Returns it.

    Raises AdministrationError where there is none, or it is withdrawn already."""
    require(actor, "rate_cards:write", None)
    row = find_card(home, reference, actor=actor)
    if not stored.withdraw_card(home.database, row.id, row.version, actor.name, int(time.time())):
        raise AdministrationError("rate_cards.withdrawn", reference=row.reference)
    return row


def unpriced(home: Home, settings: Settings, *, actor: Actor = LOCAL) -> list[tuple[str, str]]:
    """Every name that can be asked for, with the deployment behind it, that has no price."""
    require(actor, "rate_cards:read", None)
    snapshot, now = stored_snapshot(home, settings), int(time.time())
    sales = listed_sales(snapshot, now)
    return [
        (name, f"{sale.provider}/{sale.upstream_model}") for name, sale in sales if snapshot.prices.find(sale) is None
    ]


def quote(
    home: Home, settings: Settings, model: str, billable: Billable, *, tier: str | None = None, actor: Actor = LOCAL
) -> list[Quote]:
    """What a call of the default group for `model` would cost at each deployment that may answer it, first choice first.

    Raises AdministrationError where nothing answers to the name."""
    require(actor, "rate_cards:read", None)
    snapshot, now = stored_snapshot(home, settings), int(time.time())
    found = plan(snapshot, Ask(model=model, protocol="openai_chat"))
    if isinstance(found, Unroutable):
        raise AdministrationError("rate_cards.no_model", reason=found.message)
    multiplier = snapshot.groups[found.group].price_multiplier
    quotes: dict[str, Quote] = {}
    for step in found.steps:
        priced = snapshot.prices.find(sale_of(snapshot, step, found.model or model, tier, now))
        cost = None if priced is None else bill(priced.card, billable, multiplier)
        quotes.setdefault(step.deployment.id, Quote(step.deployment.id, priced, cost, multiplier))
    return list(quotes.values())


def tokens(input_tokens: int, output_tokens: int, images: Iterable[tuple[str, int]] = ()) -> Billable:
    """What a call of so many fresh tokens in and plain tokens out, and images by size, uses."""
    return Billable(Usage(input_tokens=input_tokens, output_tokens=output_tokens), tuple(images))


def _keep(home: Home, drafts: Sequence[Draft], actor: Actor) -> list[PutCard]:
    return stored.put_cards(home.database, drafts, actor.name, int(time.time())) if drafts else []


def _written(prices: ModelPrices) -> WrittenRates:
    """List prices as an operator would write them."""
    told = {
        **_texts(prices),
        "long_prompts": [{"over_tokens": tier.over_tokens, **_texts(tier)} for tier in prices.tiers],
    }
    return msgspec.convert(told, WrittenRates)


def _texts(rates: Rates) -> dict[str, str]:
    said = {name: getattr(rates, name) for name in Rates.__struct_fields__}
    return {name: usd_per_million(price) for name, price in said.items() if price is not None}
