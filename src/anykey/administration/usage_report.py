"""What was used, for whoever may see it: added up, with what follows from the sums, and what the cache did not save.

Law: every question goes through `seen_by`. What it narrows cannot be widened by a filter, and who does not run the gateway cannot
ask by what only the operator knows: where calls went.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec

from anykey.accounts.permissions import LOCAL, WITHIN, Actor, require
from anykey.accounts.written_cards import CardError
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.providers.rate_cards import RateCard, listed_card
from anykey.routing.snapshot import Snapshot
from anykey.storage.rate_cards import read_cards
from anykey.storage.usage_columns import quantile_ms
from anykey.storage.usage_question import BY_METADATA, COLUMNS, PERIODS_MS, UsageQuestion
from anykey.storage.usage_report import UsageSum, Value, ask_usage

OPERATORS = frozenset({"provider", "deployment"})
"""What only who runs the gateway may ask by."""
DIMENSIONS = (*COLUMNS, "day", "hour")
_STATUS = re.compile(r"[0-9](\d\d|xx)")
_LISTED = re.compile(r"(?P<model>.+)@(?P<provider>[^@]+)/list(?::.*)?")
_LOW, _HIGH = 0.5, 0.95


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds that half and 95 % of the answered calls took at the most; None: there were none."""

    p50_ms: int | None
    p95_ms: int | None


class Misses(msgspec.Struct, frozen=True):
    """What it cost that input was not read from a cache: `cost_nano` is what those tokens would have been cheaper by, at the list
    of their rate cards for short prompts. `unknown_tokens` are those whose card is not known, so that they are not in it."""

    cost_nano: int
    unknown_tokens: int


class UsageLine(msgspec.Struct, frozen=True):
    """The sums of a group and what follows from them. `cache_hit_rate`: the share of input tokens read from a cache, 0 to 1.
    `tokens_per_second`: of streams, from the first token to the last. Both None where there was nothing to have a share of."""

    group: dict[str, Value]
    sums: UsageSum
    cache_hit_rate: float | None
    tokens_per_second: float | None
    first_token: Latency
    total: Latency
    misses: Misses


class UsageReport(msgspec.Struct, frozen=True):
    """The lines; where they are by time, in its order, else the busiest first. See UsageAnswer for `complete_from_ms`."""

    lines: list[UsageLine]
    complete_from_ms: int | None


class Prices(NamedTuple):
    """By which cards calls were sold: the stored ones by name, and a snapshot for list prices and what groups pay; None: those
    are not known."""

    cards: Mapping[str, RateCard]
    snapshot: Snapshot | None

    def of(self, price_id: str | None) -> RateCard | None:
        """The card that a usage row names."""
        if price_id is None or price_id in self.cards:
            return self.cards.get(price_id or "")
        listed = _LISTED.fullmatch(price_id)
        if listed is None or self.snapshot is None:
            return None
        prices = self.snapshot.prices.list_price(listed["provider"], listed["model"])
        card = None if prices is None else listed_card(listed["provider"], listed["model"], prices)
        return card if card is not None and card.id == price_id else None

    def multiplier(self, group: str | None) -> Fraction:
        """What a group pays of a card's price."""
        found = None if self.snapshot is None or group is None else self.snapshot.groups.get(group)
        return Fraction(1) if found is None else found.price_multiplier


def report(
    home: Home, question: UsageQuestion, *, snapshot: Snapshot | None = None, actor: Actor = LOCAL
) -> UsageReport:
    """Answer for what `actor` may see. `snapshot`: for the list prices of models without a stored card. Raises Forbidden,
    AdministrationError."""
    asked = msgspec.structs.replace(seen_by(question, actor), full=True)
    answer = ask_usage(home.database, asked, int(time.time() * 1000))
    prices = Prices(_cards(home), snapshot)
    lines = [_line(question.by, one, prices) for one in answer.sums]
    return UsageReport(sorted(lines, key=_order(question.by)), answer.complete_from_ms)


def summed(home: Home, question: UsageQuestion, *, actor: Actor = LOCAL) -> list[UsageSum]:
    """The plain sums of what `actor` may see, in no order. Raises Forbidden, AdministrationError."""
    return ask_usage(home.database, seen_by(question, actor), int(time.time() * 1000)).sums


def own_report(home: Home, question: UsageQuestion, key_id: str, snapshot: Snapshot | None = None) -> UsageReport:
    """Answer for the calls made with this very key."""
    return report(
        home, msgspec.structs.replace(question, where=(*question.where, ("key", (key_id,)))), snapshot=snapshot
    )


def seen_by(question: UsageQuestion, actor: Actor) -> UsageQuestion:
    """The question, narrowed to what `actor` may see: everything, its organisation's, or its own. Raises Forbidden, and
    AdministrationError for a word that is none, or not for this actor."""
    for name in (*question.by, *(name for name, _ in question.where)):
        if (
            name not in COLUMNS
            and name not in PERIODS_MS
            and not (name.startswith(BY_METADATA) and name != BY_METADATA)
        ):
            raise AdministrationError("usage.bad_dimension", name=name[:80], known=", ".join(DIMENSIONS))
        if name in OPERATORS and not actor.is_operator:
            raise AdministrationError("usage.operators", name=name)
    for name, wanted in question.where:
        for status in wanted if name == "status" else ():
            if not _STATUS.fullmatch(status):
                raise AdministrationError("requests.bad_status", status=status[:80])
    if actor.is_operator:
        return question
    require(actor, "usage:read", actor.organisation, actor.member_id)
    where = (*question.where, ("organisation", (actor.organisation or "",)))
    if "usage:read" not in WITHIN[actor.role]:
        where = (*where, ("member", (actor.member_id or "",)))
    return msgspec.structs.replace(question, where=where)


def misses_of(one: UsageSum, prices: Prices) -> Misses:
    """What its uncached input tokens would have been cheaper by, had they been read from a cache."""
    pico, unknown = Fraction(0), 0
    for (price_id, group), tokens in one.uncached.items():
        card = prices.of(price_id)
        if card is None:
            unknown += tokens
        else:
            dearer = max(card.tokens.price_of("input") - card.tokens.price_of("cache_read"), 0)
            pico += tokens * dearer * prices.multiplier(group)
    return Misses(round(pico / 1000), unknown)


def _line(by: tuple[str, ...], one: UsageSum, prices: Prices) -> UsageLine:
    written = one.cache_write_5m_tokens + one.cache_write_1h_tokens
    return UsageLine(
        group=dict(zip(by, one.group, strict=True)),
        sums=one,
        cache_hit_rate=_share(one.cache_read_tokens, one.input_tokens + one.cache_read_tokens + written),
        tokens_per_second=_share(one.generation_tokens * 1000, one.generation_ms),
        first_token=_latency(one.first_token_bars),
        total=_latency(one.total_bars),
        misses=misses_of(one, prices),
    )


def _latency(bars: tuple[int, ...]) -> Latency:
    return Latency(quantile_ms(bars, _LOW), quantile_ms(bars, _HIGH))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _order(by: tuple[str, ...]) -> Callable[[UsageLine], Any]:
    """By time first, where there is one; then the busiest; then by name."""
    times = [name for name in by if name in PERIODS_MS]

    def key(line: UsageLine) -> Any:
        names = ["" if value is None else str(value) for value in line.group.values()]
        return [line.group[name] for name in times], -line.sums.exchanges, names

    return key


def _cards(home: Home) -> dict[str, RateCard]:
    """Every stored card by what charges call it, those that are withdrawn too."""
    found: dict[str, RateCard] = {}
    for row in read_cards(home.database, withdrawn=True):
        with suppress(CardError):  # a newer release wrote it: it is unknown here
            found[row.reference] = row.card()
    return found
