"""In which order the nodes of a balance are asked: by chance and weight, by how busy or quick they are, by price.

Law: an order is a function of the roll and the view; every node comes exactly once; the first one costs little however many nodes
there are, the rest is worked out only when somebody asks for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from anykey.providers.models import ModelPrices

MOST_COMPARED = 64
"""So many nodes are all looked at for who is least busy or quickest; of more, a sample."""
SAMPLE = 8
OUTPUT_SHARE = 4
"""Prices are compared for three input tokens and one output token."""
_DRAWS = 16
_BELOW_ONE = 1 - 2**-53


class Choice(NamedTuple):
    """A node by its place, and what is left of the roll for a choice inside it."""

    place: int
    roll: float


def weighted(cumulative: Sequence[int], roll: float) -> Iterator[Choice]:
    """Yield the places by chance, each in proportion to its weight among those left. `cumulative` are the sums of the weights up
    to each place, itself included. A weight of 0 is never drawn: such places come last, in order.

    What is left of the roll after a draw is again a uniform number, and decides the next one.
    """
    count, total = len(cumulative), cumulative[-1] if cumulative else 0
    taken: set[int] = set()
    while total:
        place, roll = _draw(cumulative, total, roll)
        for _ in range(_DRAWS):
            if place not in taken:
                break
            place, roll = _draw(cumulative, total, roll)
        if place in taken:
            free = _next_free(cumulative, taken, place)
            if free is None:
                break
            place = free
        taken.add(place)
        yield Choice(place, roll)
    for place in range(count):
        if place not in taken:
            yield Choice(place, roll)


def ranked(count: int, metric: Callable[[int], float], roll: float) -> Iterator[Choice]:
    """Yield the places, the lowest metric first; of equals, those after the roll's place.

    Of more than MOST_COMPARED places only SAMPLE, spread evenly from the roll's place on, are compared and come first; the others
    follow in order. The power of a few choices: the best of a small sample is nearly as good as the best of all.
    """
    start = int(roll * count)
    step = 1 if count <= MOST_COMPARED else count // SAMPLE
    compared = [(start + offset) % count for offset in range(0, count, step)]
    order = sorted(compared, key=metric)  # stable: of equals, the one after the roll's place comes first
    for place in order:
        yield Choice(place, roll)
    if count > MOST_COMPARED:
        sampled = set(order)
        for offset in range(count):
            place = (start + offset) % count
            if place not in sampled:
                yield Choice(place, roll)


def blended_price(prices: ModelPrices | None) -> float:
    """Return one number to compare prices by, in pico-USD per token; infinity where they are not known."""
    if prices is None or prices.input is None or prices.output is None:
        return float("inf")
    return ((OUTPUT_SHARE - 1) * prices.input + prices.output) / OUTPUT_SHARE


def _draw(cumulative: Sequence[int], total: int, roll: float) -> tuple[int, float]:
    """The place that the roll falls on, and where inside the place's share it falls."""
    at = min(roll * total, total * _BELOW_ONE)
    place = bisect_right(cumulative, at)
    below = cumulative[place - 1] if place else 0
    return place, min((at - below) / (cumulative[place] - below), _BELOW_ONE)


def _weight(cumulative: Sequence[int], place: int) -> int:
    return cumulative[place] - (cumulative[place - 1] if place else 0)


def _next_free(cumulative: Sequence[int], taken: set[int], place: int) -> int | None:
    """The next place with a weight that was not drawn yet, in a circle; None: there is none."""
    count = len(cumulative)
    for step in range(1, count):
        found = (place + step) % count
        if found not in taken and _weight(cumulative, found):
            return found
    return None
