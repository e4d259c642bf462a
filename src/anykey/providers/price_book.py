"""Which rate card a call is sold by.

Law: the most specific card that is in force, of those the newest, of those the highest version; where no card fits, the
catalogue's list price; where that is not known either, nothing: an unpriced model is seen as such, never guessed at.

The answer is kept for each thing that is sold, until the next card comes into force: finding it again is one look.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from anykey.providers.models import ModelPrices
from anykey.providers.rate_cards import RateCard, listed_card

STANDARD_TIERS = frozenset({"", "default", "standard", "standard_only", "on_demand", "unspecified", "auto"})
"""How upstreams and callers say that a call is in no special service tier."""
MOST_KEPT = 10_000
"""Names come from callers, so what is kept of them has an end."""
ALWAYS = 1 << 62

ListPrice = Callable[[str, str], ModelPrices | None]
"""The list price of a configured provider's upstream model, if it is known and holds there."""


class Sale(NamedTuple):
    """What is sold: `model` as it was understood (the public name, not an alias of it), the upstream's name of it, the configured
    provider and its kind, the lane and region of the door, the service tier (None: the usual one), and when, in Unix seconds."""

    model: str
    upstream_model: str
    provider: str
    kind: str
    lane: str = "general"
    region: str = "global"
    tier: str | None = None
    at_s: int = 0


class Priced(NamedTuple):
    """The card of a sale. `listed`: nobody here set it, it is the catalogue's list price."""

    card: RateCard
    listed: bool


class Standing(NamedTuple):
    """What a sale is priced at, and from when until (not with) when that stands, in Unix seconds."""

    priced: Priced | None
    from_s: int
    until_s: int


def _nothing_listed(_provider: str, _model: str) -> ModelPrices | None:
    return None


class PriceBook:
    """The cards in force and to come, over the list prices. Changes nothing but what it keeps of answers."""

    def __init__(self, cards: Iterable[RateCard] = (), list_price: ListPrice = _nothing_listed) -> None:
        self.cards = tuple(cards)
        self.list_price = list_price
        self._exact: dict[str, list[RateCard]] = {}
        self._globs: list[RateCard] = []
        for card in self.cards:
            if _is_glob(card.model):
                self._globs.append(card)
            else:
                self._exact.setdefault(card.model.lower(), []).append(card)
        self._turns = sorted({card.effective_from for card in self.cards})
        self._kept: dict[tuple[object, ...], Standing] = {}
        named = {tier for card in self.cards for tier in (card.tier, *card.tier_factors) if tier}
        self.tiers = tuple(sorted(named - STANDARD_TIERS))
        """The service tiers that any card knows, besides the usual one."""

    def find(self, sale: Sale) -> Priced | None:
        """Return the card of a sale; None: it is unpriced."""
        return self.standing(sale).priced

    def standing(self, sale: Sale) -> Standing:
        """Return the card of a sale, and how long that is so."""
        key = sale[:-1]
        kept = self._kept.get(key)
        if kept is None or not kept.from_s <= sale[-1] < kept.until_s:
            kept = self._look(sale)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = kept
        return kept

    def _look(self, sale: Sale) -> Standing:
        turn = bisect_right(self._turns, sale.at_s)
        from_s = self._turns[turn - 1] if turn else -ALWAYS
        until_s = self._turns[turn] if turn < len(self._turns) else ALWAYS
        tier = None if sale.tier is None or sale.tier.lower() in STANDARD_TIERS else sale.tier.lower()
        return Standing(self._stored(sale, tier) or self._listed(sale), from_s, until_s)

    def _stored(self, sale: Sale, tier: str | None) -> Priced | None:
        upstream = sale.upstream_model.lower()
        names = (sale.model.lower(), f"{sale.provider.lower()}/{upstream}", upstream)
        fitting: list[tuple[tuple[int, ...], RateCard]] = []
        for place, name in enumerate(dict.fromkeys(names)):
            exact = (4 - place, 0)
            fitting += [((*exact, *rank), card) for card, rank in _fit(self._exact.get(name, ()), sale, tier)]
        for card, rank in _fit(self._globs, sale, tier):
            glob = card.model.lower()
            if any(fnmatchcase(name, glob) for name in names):
                fitting.append(((1, len(glob) - glob.count("*"), *rank), card))
        if not fitting:
            return None
        card = max(fitting, key=lambda pair: pair[0])[1]
        return Priced(card if tier is None else card.in_tier(tier), listed=False)

    def _listed(self, sale: Sale) -> Priced | None:
        prices = self.list_price(sale.provider, sale.upstream_model)
        card = None if prices is None else listed_card(sale.provider, sale.upstream_model, prices)
        return None if card is None else Priced(card, listed=True)


def _is_glob(model: str) -> bool:
    return any(sign in model for sign in "*?")


def _fit(cards: Iterable[RateCard], sale: Sale, tier: str | None) -> list[tuple[RateCard, tuple[int, ...]]]:
    """Those in force that the sale's provider, lane, region and tier allow, each with how narrow and how new it is."""
    found: list[tuple[RateCard, tuple[int, ...]]] = []
    for card in cards:
        place = (
            0
            if card.provider is None
            else 2
            if card.provider == sale.provider
            else 1
            if card.provider == sale.kind
            else -1
        )
        rank = (place, _one(card.lane, sale.lane), _one(card.region, sale.region), _one(card.tier, tier))
        if min(rank) >= 0 and card.effective_from <= sale.at_s:
            found.append((card, (*rank, card.effective_from, card.version)))
    return found


def _one(asked: str | None, is_: str | None) -> int:
    """1: the card asks for this and it is so; 0: it does not ask; -1: it is not so."""
    return 0 if asked is None else 1 if asked == is_ else -1
