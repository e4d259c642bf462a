"""How fast a key may call: requests and tokens in the last minute, and calls at the same time.

Law: in no span of 60 seconds more is let through than a limit says. Time is cut into slices of 5 seconds, and a slice counts
until its last moment is a minute old; so one is never let in too early, and at most 5 seconds too late. A slice that is more than
a minute ahead was written before the clock was put back, and counts no more than one that is over. Tokens are reserved by
an estimate and put right by the usage, in the slice they were reserved in. A call that is larger than its whole limit asks for
all of it: it waits for an empty minute instead of for ever.

Times are milliseconds of one clock, whichever; nothing here reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from anykey.accounts.purse import Rate

SLICE_MS = 5_000
WINDOW_MS = 60_000
SLICES = WINDOW_MS // SLICE_MS
"""Whole slices in a minute; with the one under way, one more is counted."""
CONCURRENCY_WAIT_MS = 1_000
"""Nobody knows when a call under way will end: a client is told to ask again soon."""
MOST_KEPT = 65_536
"""Windows in memory before the empty ones are let go; where that leaves more than half of them, twice as many as are left."""


class RatesUnavailable(Exception):
    """Whoever counts for all processes does not answer."""


class RateState(NamedTuple):
    """A rate as it stood when a call came, that call included where it was let in. ``reset_ms``: until all of it is free again, 0
    where it is or where nobody can know."""

    rate: Rate
    used: int
    reset_ms: int

    @property
    def remaining(self) -> int:
        return max(self.rate.limit - self.used, 0)


class Taken(NamedTuple):
    """A call that was let in: what it holds of its rates until it leaves. ``tokens``: the estimate it was let in with.
    ``shared``: it is counted for all processes together."""

    rates: tuple[Rate, ...]
    tokens: int
    at_slice: int
    states: tuple[RateState, ...]
    shared: bool = False


class Exceeded(NamedTuple):
    """A call that was not let in: the rate that must be waited for the longest. It holds nothing."""

    rate: Rate
    used: int
    wait_ms: int
    states: tuple[RateState, ...]


class Window:
    """What was used in the last minute, by slice: slice number → amount, the oldest first."""

    __slots__ = ("_expired", "slices", "used")

    def __init__(self, slices: Iterable[tuple[int, int]] = ()) -> None:
        self._expired: int | None = None  # looked at once in each slice: what is added meanwhile is of that slice
        self.slices = dict(slices)
        self.used = sum(self.slices.values())

    def expire(self, now_ms: int) -> None:
        """Forget the slices that are over a minute old, or ahead."""
        now = now_ms // SLICE_MS
        if now == self._expired:
            return
        self._expired = now
        slices = self.slices
        while slices and (oldest := next(iter(slices))) < now - SLICES:
            self.used -= slices.pop(oldest)
        while slices and (newest := next(reversed(slices))) > now + SLICES:
            self.used -= slices.pop(newest)

    def add(self, at_slice: int, amount: int) -> None:
        """Count ``amount`` in this slice."""
        self.slices[at_slice] = self.slices.get(at_slice, 0) + amount
        self.used += amount

    def correct(self, at_slice: int, change: int) -> None:
        """Change what was counted in a slice; one that is forgotten already needs no correction."""
        if at_slice in self.slices:
            change = max(change, -self.slices[at_slice])
            self.slices[at_slice] += change
            self.used += change

    def wait_ms(self, now_ms: int, excess: int) -> int:
        """How long until ``excess`` of what is used has left the window."""
        freed = 0
        for at_slice in self.slices:
            freed += self.slices[at_slice]
            if freed >= excess:
                return _lapses_at(at_slice) - now_ms
        return WINDOW_MS

    def reset_ms(self, now_ms: int) -> int:
        """How long until the window is empty."""
        for at_slice in reversed(self.slices):
            if self.slices[at_slice]:
                return max(_lapses_at(at_slice) - now_ms, 0)
        return 0


class Book:
    """The rates of one process: windows by rate id, and how many calls each concurrency limit lets be under way."""

    __slots__ = ("_most", "held", "windows")

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}
        self.held: dict[str, int] = {}
        self._most = MOST_KEPT

    def take(self, rates: tuple[Rate, ...], tokens: int, now_ms: int) -> Taken | Exceeded:
        """Let a call of about ``tokens`` in, if all of its ``rates`` have room for it; else change nothing."""
        takes: list[tuple[Rate, Window | None, int]] = []
        for rate in rates:
            if rate.unit == "concurrency":
                window, amount = None, 1
                used = self.held.get(rate.id, 0)
            else:
                window, amount = self._window(rate.id, now_ms), amount_of(rate, tokens)
                used = window.used
            if used + amount > rate.limit:
                return self._exceeded(rates, tokens, now_ms)
            takes.append((rate, window, amount))
        at_slice = now_ms // SLICE_MS
        states: list[RateState] = []
        for rate, window, amount in takes:
            if window is None:
                used = self.held[rate.id] = self.held.get(rate.id, 0) + 1
                states.append(RateState(rate, used, 0))
            else:
                window.add(at_slice, amount)
                states.append(RateState(rate, window.used, window.reset_ms(now_ms)))
        return Taken(rates, tokens, at_slice, tuple(states))

    def leave(self, taken: Taken, tokens: int) -> None:
        """The call is over; ``tokens`` is what it used in truth."""
        for rate in taken.rates:
            if rate.unit == "concurrency":
                self._release(rate.id)
            elif rate.unit == "tokens" and (window := self.windows.get(rate.id)) is not None:
                window.correct(taken.at_slice, correction_of(rate, taken, tokens))

    def look(self, rates: tuple[Rate, ...], now_ms: int) -> tuple[RateState, ...]:
        """How the rates stand, for who takes nothing of them."""
        found: list[RateState] = []
        for rate in rates:
            if rate.unit == "concurrency":
                found.append(RateState(rate, self.held.get(rate.id, 0), 0))
            else:
                window = self._window(rate.id, now_ms)
                found.append(RateState(rate, window.used, window.reset_ms(now_ms)))
        return tuple(found)

    def _exceeded(self, rates: tuple[Rate, ...], tokens: int, now_ms: int) -> Exceeded:
        """What is told to a call that does not fit: the rate that must be waited for the longest, the first of equals."""
        worst: Exceeded | None = None
        states: list[RateState] = []
        for rate in rates:
            if rate.unit == "concurrency":
                used, reset_ms = self.held.get(rate.id, 0), 0
                wait_ms = CONCURRENCY_WAIT_MS if used >= rate.limit else None
            else:
                window = self._window(rate.id, now_ms)
                used, reset_ms = window.used, window.reset_ms(now_ms)
                excess = used + amount_of(rate, tokens) - rate.limit
                wait_ms = window.wait_ms(now_ms, excess) if excess > 0 else None
            states.append(RateState(rate, used, reset_ms))
            if wait_ms is not None and (worst is None or wait_ms > worst.wait_ms):
                worst = Exceeded(rate, used, wait_ms, ())
        assert worst is not None  # noqa: S101 - it is asked only where one has no room
        return worst._replace(states=tuple(states))

    def _window(self, rate_id: str, now_ms: int) -> Window:
        """What was used of a rate in the minute that ends now."""
        window = self.windows.get(rate_id)
        if window is None:
            if len(self.windows) >= self._most:
                self._let_go(now_ms)
            window = self.windows[rate_id] = Window()
        window.expire(now_ms)
        return window

    def _release(self, rate_id: str) -> None:
        left = self.held.get(rate_id, 0) - 1
        if left > 0:
            self.held[rate_id] = left
        else:
            self.held.pop(rate_id, None)

    def _let_go(self, now_ms: int) -> None:
        for rate_id, window in list(self.windows.items()):
            window.expire(now_ms)
            if not window.slices:
                del self.windows[rate_id]
        self._most = max(MOST_KEPT, 2 * len(self.windows))


def amount_of(rate: Rate, tokens: int) -> int:
    """What a call of about ``tokens`` takes of the rate."""
    return max(min(tokens, rate.limit), 1) if rate.unit == "tokens" else 1


def correction_of(rate: Rate, taken: Taken, tokens: int) -> int:
    """What must be added to a rate of tokens when the call used ``tokens`` in truth."""
    return tokens - amount_of(rate, taken.tokens)


def divided(rates: tuple[Rate, ...], workers: int) -> tuple[Rate, ...]:
    """Each process's part of the rates where nobody can count for all of them; at least 1 of what is not 0."""
    if workers <= 1:
        return rates
    return tuple(
        Rate(rate.id, rate.owner_kind, rate.owner, rate.unit, max(rate.limit // workers, min(rate.limit, 1)))
        for rate in rates
    )


def _lapses_at(at_slice: int) -> int:
    return (at_slice + 1) * SLICE_MS + WINDOW_MS
