"""The price of each step that was sold before: a look at what the last call found, and a search in the price book where there was
none, or where another card has come into force since."""

from __future__ import annotations

from typing import NamedTuple

from anykey.providers.price_book import PriceBook, Priced
from anykey.routing.plan import PlanStep
from anykey.routing.sales import sale_of
from anykey.routing.snapshot import Snapshot

PRICES_KEPT = 4096


class _Kept(NamedTuple):
    """What was found for ``step`` in ``book``, and from when until when it stands."""

    step: PlanStep
    book: PriceBook
    priced: Priced | None
    from_ms: int
    until_ms: int


class Prices:
    """By the step itself, which a plan that is kept always has; steps that are made for one call are looked up each time."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str, str | None], _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, snapshot: Snapshot, step: PlanStep, model: str, tier: str | None, at_ms: int) -> Priced | None:
        """The card of a call of ``model`` (the public name as it was understood) at ``step`` in a service tier, at a time in Unix
        ms. None: it has no price."""
        book = snapshot.prices
        key = (id(step), model, tier)
        kept = self._kept.get(key)
        if kept is not None:
            known, found_in, priced, from_ms, until_ms = kept
            if known is step and found_in is book and from_ms <= at_ms < until_ms:
                return priced  # an id is another step's as soon as its own is gone, so the step itself is compared
        return self._look(key, snapshot, step, at_ms)

    def _look(self, key: tuple[int, str, str | None], snapshot: Snapshot, step: PlanStep, at_ms: int) -> Priced | None:
        book, (_, model, tier) = snapshot.prices, key
        if step.custom is not None or step.endpoint.provider not in snapshot.by_name:
            return None
        priced, from_s, until_s = book.standing(sale_of(snapshot, step, model, tier, at_ms // 1000))
        if len(self._kept) >= PRICES_KEPT:  # model names come from callers, so there may be any number of them
            self._kept.clear()
        self._kept[key] = _Kept(step, book, priced, from_s * 1000, until_s * 1000)
        return priced

    def clear(self) -> None:
        """Forget all of them: the configuration has changed."""
        self._kept.clear()
