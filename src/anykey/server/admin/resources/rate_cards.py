"""Rate cards: what calls are sold at, in versions that never change."""

import json
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from anykey.administration.rate_cards import find_card, import_cards, list_cards, put_cards, unpriced, withdraw_card
from anykey.server.admin.configuration import settings_now
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Globs, Id, Listed, Paged, Told, Word, listed
from anykey.storage.paging import page_of
from anykey.storage.rate_cards import CardRow, PutCard

RATE_CARDS = Resource("rate cards")
PATH = "/admin/v1/rate-cards/{reference:path}"


class CardTold(Told):
    """One version of a card: which calls it is for and from when (Unix seconds). `rates` is as it was written; `id` is
    `series/vN`, which is what charges keep."""

    id: str
    series: str
    version: int
    model: str
    provider: str | None
    lane: str | None
    region: str | None
    tier: str | None
    effective_from: int
    rates: dict[str, Any]
    source: str
    created_at: int
    created_by: str
    withdrawn_at: int | None


class CardFilter(Filter):
    """`withdrawn`: those that were taken back too."""

    model: Word | None = None
    withdrawn: bool = False


class NewCards(Asked):
    """Cards as `anykey rate-cards put` takes them: all are kept, or none."""

    rate_cards: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


class CardImport(Asked):
    """Which list prices of the catalogue to keep as cards: of these models (globs; none: all), of one provider."""

    models: Globs = Field(default_factory=list[str])
    provider: Word | None = None


class CardKept(Told):
    """`new` is false where the newest version says the same already."""

    card: CardTold
    new: bool


class CardsKept(Told):
    """`unpriced`: deployments whose list price nobody knows."""

    items: list[CardKept]
    unpriced: list[str]


class UnpricedTold(Told):
    """A name that can be asked for, and the deployment behind it, that has no price."""

    model: str
    deployment: str


@RATE_CARDS.operation("GET", "/admin/v1/rate-cards", permission="rate_cards:read")
def cards_list(caller: Calling, query: Annotated[CardFilter, Query()]) -> Listed[CardTold]:
    """List the cards in force or to come, by series and version."""
    rows = list_cards(caller.home, withdrawn=query.withdrawn, actor=caller.actor)
    wanted = [row for row in rows if query.model in (None, row.model)]
    return listed(page_of(wanted, lambda row: (row.id, row.version), query.cursor, query.limit), told)


@RATE_CARDS.operation("POST", "/admin/v1/rate-cards", permission="rate_cards:write", status=201)
def cards_put(caller: Calling, body: NewCards) -> CardsKept:
    """Keep new versions of cards."""
    text = json.dumps({"rate_cards": body.rate_cards}).encode()
    return _kept(put_cards(caller.home, text, actor=caller.actor))


@RATE_CARDS.operation("POST", "/admin/v1/rate-cards/import", permission="rate_cards:write", status=201)
def cards_import(caller: Calling, body: CardImport) -> CardsKept:
    """Keep the catalogue's list prices of configured providers' models as cards."""
    settings = settings_now(caller)
    found = import_cards(caller.home, settings, body.models, provider=body.provider, actor=caller.actor)
    return _kept(found.cards, found.unpriced)


@RATE_CARDS.operation("GET", "/admin/v1/unpriced", permission="rate_cards:read")
def unpriced_list(caller: Calling, query: Paged) -> Listed[UnpricedTold]:
    """List what can be asked for and has no price."""
    rows = sorted(set(unpriced(caller.home, settings_now(caller), actor=caller.actor)))
    page = page_of(rows, lambda row: row, query.cursor, query.limit)
    return listed(page, lambda row: UnpricedTold(model=row[0], deployment=row[1]))


@RATE_CARDS.operation("GET", PATH, permission="rate_cards:read")
def cards_get(caller: Calling, reference: Id) -> CardTold:
    """Show a card by `series/vN`, or the newest version of `series`."""
    return told(find_card(caller.home, reference, actor=caller.actor))


@RATE_CARDS.operation("DELETE", PATH, permission="rate_cards:write")
def cards_withdraw(caller: Calling, reference: Id) -> CardTold:
    """Take a version out of force."""
    return told(withdraw_card(caller.home, reference, actor=caller.actor))


def told(row: CardRow) -> CardTold:
    """The version."""
    return CardTold(
        id=row.reference,
        series=row.id,
        version=row.version,
        model=row.model,
        provider=row.provider,
        lane=row.lane,
        region=row.region,
        tier=row.tier,
        effective_from=row.effective_from,
        rates=json.loads(row.rates),
        source=row.source,
        created_at=row.created_at,
        created_by=row.created_by,
        withdrawn_at=row.withdrawn_at,
    )


def _kept(cards: list[PutCard], without: list[str] | None = None) -> CardsKept:
    return CardsKept(items=[CardKept(card=told(card.row), new=card.new) for card in cards], unpriced=without or [])
